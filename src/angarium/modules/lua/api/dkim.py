"""msys.validate.dkim: what the modules of version 3, dkim_sign and dkim_validate, have for scripts.

Results are those of `dkim_validate`, which checks when the message is there (validate_data).
"""

from collections.abc import Awaitable
from typing import Final

from angarium.core.address import split
from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.signature import Outcome
from angarium.modules.lua import current
from angarium.modules.lua.api.signing import (
    carried_out,
    meant,
    order_of,
    orders,
    responsible_domain,
)
from angarium.modules.lua.bind import (
    LuaError,
    Runtime,
    Several,
    Table,
    lua,
    lua_field,
    lua_object,
)
from angarium.modules.sign.dkim_validate import DOMAINS
from angarium.modules.sign.found import found_of
from angarium.modules.sign.reflect import Reflection, wanted
from angarium.policy.context import Session, Steps, Which
from angarium.policy.mail import Mail

STANZA: Final = "dkim_sign"
_STATUSES: Final = list(Outcome)


@lua_object("dkim_results", "dkim_verify_results", userdata=True)
class VerifyResults:
    """What was found about the signatures of a message."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.items = [VerifyResult(each) for each in verdicts]


@lua_object("dkim_result", "dkim_verify_result", userdata=True)
class VerifyResult:
    """What was found about one."""

    def __init__(self, verdict: Verdict) -> None:
        self.status = _STATUSES.index(verdict.outcome)
        self.diagnostic = verdict.reason or verdict.outcome.value
        signature = verdict.signature
        self.query = "dns/txt" if signature else None
        self.algorithm = signature.algorithm if signature else None
        self.domain = signature.domain if signature else None
        self.selector = signature.selector if signature else None
        self.identity = signature.identity if signature else None


lua_field("dkim_results.ref", lambda results: 1, doc="1: it is there as long as it is held.")
lua_field("dkim_result.status", lambda result: result.status, doc="A number for its result.")
lua_field("dkim_result.diagnostic", lambda result: result.diagnostic, doc="The result in words.")
lua_field("dkim_result.query", lambda result: result.query, doc="Where the key is: dns/txt.")
lua_field("dkim_result.algorithm", lambda result: result.algorithm, doc="Such as rsa-sha256.")
lua_field("dkim_result.domain", lambda result: result.domain, doc="Who signed.")
lua_field("dkim_result.selector", lambda result: result.selector, doc="The key's selector.")
lua_field("dkim_result.identity", lambda result: result.identity, doc="For whom it is signed.")


@lua("msys.validate.dkim.get_responsible_domain", since="3.1")
def get_responsible_domain(
    lua: Runtime, msg: Mail | None = None, vctx: Session | None = None
) -> str:
    """Return the domain which answers for the message: of Sender, else of From."""
    return responsible_domain(lua, msg)


@lua("msys.validate.dkim.get_domains", since="3.1")
def get_domains(lua: Runtime, msg: Mail | None = None, vctx: Session | None = None) -> list[str]:
    """Return the domains whose signatures hold; dkim_validate has looked for them."""
    said = meant(lua, msg).get(Which.MESSAGE, DOMAINS)
    return said.split(",") if said else []


@lua("msys.validate.dkim.sign", since="3.1")
def sign(
    lua: Runtime, msg: Mail | None = None, vctx: Session | None = None,
    options: Table | None = None,
) -> Several | Awaitable[Several]:  # fmt: skip
    """Sign the message by DKIM; return true, or false and why not.

    Options, each instead of what `dkim_sign` says: base_domain (or signing_domain), selector,
    keyfile, in which %{d} and %{s} stand for domain and selector, keybuf, header_canon, body_canon,
    digest, headerlist with its signs, identity, body_length_limit. RSA is computed in a thread
    meanwhile.
    """
    given = order_of(options, marked=True)
    return carried_out(lua, msg, lambda mail: orders(lua).dkim(mail, given, STANZA))


@lua("msys.validate.dkim.get_verify_results", since="3.5")
def get_verify_results(lua: Runtime, vctx: Session | None = None) -> Several:
    """Return how many signatures were checked, and the results."""
    session = vctx if vctx is not None else current.session(lua)
    mail = current.mail(lua)
    verdicts = None
    if session is not None and (mail or session.mail) is not None:
        verdicts = found_of(session, mail).verdicts
    found = VerifyResults(verdicts or [])
    return Several(len(found.items), found)


@lua("msys.validate.dkim.verify_results_get_count", since="3.5")
def verify_results_get_count(results: VerifyResults | None = None) -> int:
    """Return how many results there are."""
    if results is None:
        raise LuaError("No verification results to count.")
    return len(results.items)


@lua("msys.validate.dkim.verify_results_get_item", since="3.5")
def verify_results_get_item(
    results: VerifyResults | None = None, index_value: int | None = None
) -> VerifyResult:
    """Return a result by its number, from 0 on."""
    if results is None:
        raise LuaError("No verification results to get item from")
    if index_value is None:
        raise LuaError("Index value not specified")
    if not 0 <= index_value < len(results.items):
        raise LuaError("Index value is greater than the number of verification results")
    return results.items[index_value]


@lua("msys.validate.dkim.verify_status_to_string", since="3.5")
def verify_status_to_string(status: int | None = None) -> str:
    """Return a status as Authentication-Results has it: pass, fail and others."""
    if status is None:
        raise LuaError("No status code is passed in")
    if not 0 <= status < len(_STATUSES):
        raise LuaError(f"{status} is no status of a signature")
    return _STATUSES[status].value


@lua("msys.validate.dkim.reflect", since="3.1")
def reflect(
    lua: Runtime,
    msg: Mail | None,
    vctx: Session | None,
    sender_addrs: str,
    receiver_addrs: str,
    subj: str | None = None,
    note: str | None = None,
) -> None:
    """Have dkim_validate send what it finds about this message, and the message, to somebody.

    Before validate_data. Recipients have semicolons between them: the first one stands in To, the
    others get a blind copy.
    """
    session = vctx if vctx is not None else current.session(lua)
    if session is None or session.mail is None:
        raise LuaError("no message is under way in a session")
    if session.mail.step >= Steps.DATA:
        raise LuaError("it is too late: dkim_validate looks at the message now, or has done so")
    to = [each.strip().strip("<>") for each in receiver_addrs.split(";") if each.strip()]
    if not to or not all(split(each)[1] for each in to):
        raise LuaError(f"'{receiver_addrs}' are no addresses of recipients")
    wanted(session, Reflection(sender_addrs.strip(), tuple(to), subj or "", note or ""))
