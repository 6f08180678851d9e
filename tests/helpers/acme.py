"""An authority which gives certificates by ACME, as strict as RFC 8555 lets it be.

    async with AcmeServer(http_port=port) as ca:        ca.directory, ca.issued, ca.requests

Signatures, nonces and addresses are checked without a line of the code which makes them. Names are
proved by HTTP, on a port which is ours, at 127.0.0.1. What it does wrong is asked for:

    ca.stale = 2            so many requests are told that their nonce is used up
    ca.broken = 1           so many requests are answered with 503
    ca.refuses = "rateLimited"      new orders are refused
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from helpers.certificates import authority, server_context

DAYS = 90
PROBLEM = "urn:ietf:params:acme:error:"


def octets(text: str) -> bytes:
    assert "=" not in text
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def text(found: bytes) -> str:
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class RefusedError(Exception):
    """The request is refused."""

    def __init__(self, kind: str, status: int = 400, detail: str = "no", wait: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.wait = wait


@dataclass
class Known:
    """An account."""

    jwk: dict[str, str]
    contact: list[str]

    @property
    def thumbprint(self) -> str:
        return text(hashlib.sha256(canonical(self.jwk)).digest())

    def verify(self, signed: bytes, signature: bytes) -> None:
        x, y = (int.from_bytes(octets(self.jwk[name]), "big") for name in ("x", "y"))
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        r, s = (int.from_bytes(each, "big") for each in (signature[:32], signature[32:]))
        try:
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise RefusedError("malformed", detail="the signature is wrong") from None


@dataclass
class Asked:
    """An order."""

    names: list[str]
    status: str = "pending"
    proved: set[str] = field(default_factory=set)
    failed: str = ""
    chain: bytes = b""


class AcmeServer:
    """The authority."""

    def __init__(self, http_port: int = 0) -> None:
        self.http_port = http_port
        self.stale = 0
        self.broken = 0
        self.refuses = ""
        self.external: dict[str, bytes] = {}
        self.ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=DAYS)
        self.accounts: dict[str, Known] = {}
        self.orders: list[Asked] = []
        self.issued: list[bytes] = []
        self.requests: list[str] = []
        self._nonces: set[str] = set()
        self._given = 0
        self.port = 0

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def directory(self) -> str:
        return f"{self.base}/directory"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["AcmeServer"]:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(application)
        await runner.setup()
        with tempfile.TemporaryDirectory() as folder:
            context: ssl.SSLContext = server_context(Path(folder))
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            self.port = runner.addresses[0][1]
            try:
                yield self
            finally:
                await runner.cleanup()

    def _nonce(self) -> str:
        self._given += 1
        found = text(f"nonce {self._given} of {id(self)}".encode())
        self._nonces.add(found)
        return found

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        assert request.headers["User-Agent"].startswith("Angarium/")
        headers = {"Replay-Nonce": self._nonce(), "Cache-Control": "no-store"}
        try:
            answer = await self._chosen(request)
        except RefusedError as error:
            body = {"type": PROBLEM + error.kind, "detail": str(error)}
            more = {"Retry-After": error.wait} if error.wait else {}
            return web.json_response(
                body,
                status=error.status,
                headers=headers | more,
                content_type="application/problem+json",
            )
        answer.headers.update(headers)
        return answer

    async def _chosen(self, request: web.Request) -> web.Response:
        if self.broken:
            self.broken -= 1
            raise RefusedError("serverInternal", 503)
        if request.method == "GET" and request.path == "/directory":
            meta: dict[str, Any] = {"termsOfService": f"{self.base}/terms"}
            if self.external:
                meta["externalAccountRequired"] = True
            names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
            return web.json_response(
                {name: f"{self.base}/{path}" for name, path in names.items()} | {"meta": meta}
            )
        if request.method == "HEAD" and request.path == "/nonce":
            return web.Response()
        if request.method != "POST":
            raise RefusedError("malformed", 405)
        assert request.content_type == "application/jose+json"
        who, url, payload = self._opened(await request.read(), request)
        if request.path == "/account":
            return self._account(who, payload)
        account = self.accounts.get(url)
        if account is None:
            raise RefusedError("accountDoesNotExist")
        kind, _, number = request.path[1:].partition("/")
        if kind == "order" and not number:
            return self._new_order(payload)
        if kind == "acct":
            return self._contact(account, payload)
        order = self.orders[int(number.partition("/")[0])]
        return await self._of_order(kind, order, number.partition("/")[2], account, payload)

    async def _of_order(
        self, kind: str, order: Asked, name: str, account: Known, payload: bytes
    ) -> web.Response:
        match kind:
            case "order":
                return self._shown(order)
            case "authz":
                return self._authorization(order, name)
            case "challenge":
                assert payload == b"{}"
                return await self._prove(order, name, account)
            case "finalize":
                return self._finalize(order, payload)
            case "cert":
                return web.Response(
                    body=order.chain, content_type="application/pem-certificate-chain"
                )
        raise RefusedError("malformed", 404)

    def _opened(self, body: bytes, request: web.Request) -> tuple[Known, str, bytes]:
        """Check a JWS; return who signed it, the URL of his account, and what he says."""
        jws = json.loads(body)
        assert jws.keys() == {"protected", "payload", "signature"}
        head = json.loads(octets(jws["protected"]))
        if head.get("alg") != "ES256":
            raise RefusedError("badSignatureAlgorithm")
        if head["url"] != f"{self.base}{request.path}":
            raise RefusedError("unauthorized", 401, "the address is another")
        if ("jwk" in head) is ("kid" in head):
            raise RefusedError("malformed", detail="jwk or kid")
        if ("jwk" in head) is not (request.path == "/account"):
            raise RefusedError("malformed", detail="jwk is for new accounts")
        if "jwk" in head:
            who = Known(head["jwk"], [])
        elif head["kid"] in self.accounts:
            who = self.accounts[head["kid"]]
        else:
            raise RefusedError("accountDoesNotExist")
        who.verify(f"{jws['protected']}.{jws['payload']}".encode(), octets(jws["signature"]))
        if head["nonce"] not in self._nonces or self.stale:
            self.stale = max(0, self.stale - 1)
            raise RefusedError("badNonce", detail="used up")
        self._nonces.discard(head["nonce"])
        return who, head.get("kid", ""), octets(jws["payload"])

    def _account(self, who: Known, payload: bytes) -> web.Response:
        said = json.loads(payload)
        assert said["termsOfServiceAgreed"] is True
        if self.external:
            self._bound(who, said.get("externalAccountBinding"))
        place = f"{self.base}/acct/{who.thumbprint}"
        status = 200 if place in self.accounts else 201
        if status == 201:
            self.accounts[place] = Known(who.jwk, said.get("contact", []))
        return web.json_response({"status": "valid"}, status=status, headers={"Location": place})

    def _bound(self, who: Known, binding: dict[str, str] | None) -> None:
        if binding is None:
            raise RefusedError("externalAccountRequired", 403)
        head = json.loads(octets(binding["protected"]))
        assert head["url"] == f"{self.base}/account"
        assert head["alg"] == "HS256"
        assert json.loads(octets(binding["payload"])) == who.jwk
        signed = f"{binding['protected']}.{binding['payload']}".encode()
        mac = hmac.new(self.external[head["kid"]], signed, hashlib.sha256).digest()
        if not hmac.compare_digest(mac, octets(binding["signature"])):
            raise RefusedError("unauthorized", 401, "this is not the key of that account")

    def _contact(self, account: Known, payload: bytes) -> web.Response:
        account.contact = json.loads(payload)["contact"]
        return web.json_response({"status": "valid", "contact": account.contact})

    def _new_order(self, payload: bytes) -> web.Response:
        if self.refuses:
            raise RefusedError(self.refuses, 429, "too many orders", "7200")
        asked = json.loads(payload)["identifiers"]
        assert all(each["type"] == "dns" for each in asked)
        self.orders.append(Asked([each["value"] for each in asked]))
        return self._shown(self.orders[-1], 201)

    def _shown(self, order: Asked, status: int = 200) -> web.Response:
        number = self.orders.index(order)
        shown: dict[str, Any] = {
            "status": order.status,
            "identifiers": [{"type": "dns", "value": each} for each in order.names],
            "authorizations": [f"{self.base}/authz/{number}/{each}" for each in order.names],
            "finalize": f"{self.base}/finalize/{number}",
        }
        if order.chain:
            shown["certificate"] = f"{self.base}/cert/{number}"
        return web.json_response(
            shown, status=status, headers={"Location": f"{self.base}/order/{number}"}
        )

    def _authorization(self, order: Asked, name: str) -> web.Response:
        number = self.orders.index(order)
        status = "valid" if name in order.proved else "invalid" if order.failed else "pending"
        challenge: dict[str, Any] = {
            "type": "http-01",
            "url": f"{self.base}/challenge/{number}/{name}",
            "token": self.token(order, name),
            "status": status,
        }
        if order.failed:
            challenge["error"] = {"type": PROBLEM + "unauthorized", "detail": order.failed}
        other = {"type": "dns-01", "url": challenge["url"], "status": status, "token": "x"}
        return web.json_response(
            {
                "status": status,
                "identifier": {"type": "dns", "value": name},
                "challenges": [other, challenge],
            }
        )

    def token(self, order: Asked, name: str) -> str:
        seed = f"{self.orders.index(order)} {name} {id(self)}"
        return text(hashlib.sha256(seed.encode()).digest())

    async def _prove(self, order: Asked, name: str, account: Known) -> web.Response:
        """Look, and say only later what came of it."""
        token = self.token(order, name)
        url = f"http://127.0.0.1:{self.http_port}/.well-known/acme-challenge/{token}"
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(url, headers={"Host": name}) as answer:
                    found = (answer.status, await answer.text())
            except aiohttp.ClientError as error:
                found = (0, str(error))
        if found == (200, f"{token}.{account.thumbprint}"):
            order.proved.add(name)
            if order.proved == set(order.names):
                order.status = "ready"
        else:
            order.failed, order.status = f"{found[0]} {found[1][:80]!r} for {name}", "invalid"
        return web.json_response(
            {"type": "http-01", "status": "processing", "url": str(url), "token": token}
        )

    def _finalize(self, order: Asked, payload: bytes) -> web.Response:
        if order.status != "ready":
            raise RefusedError("orderNotReady", 403, order.status)
        request = x509.load_der_x509_csr(octets(json.loads(payload)["csr"]))
        assert request.is_signature_valid
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert names.value.get_values_for_type(x509.DNSName) == order.names
        order.chain = authority().granted(request, self.ends)
        self.issued.append(order.chain)
        order.status = "valid"
        return self._shown(order)
