"""The grammar of SMTP commands (RFC 5321 section 4.1, and its extensions), as bytes to events.

    syntax = Syntax(strict=True)
    syntax.parse(b"MAIL FROM:<a@b.example> SIZE=10")
                                          Mail(...), or a Reply which says what is wrong

One precompiled pattern a verb; the ABNF stands beside it. Domains repeat, so what is known of one
is kept.
"""

import binascii
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from angarium.core.address import routing_domain
from angarium.core.message import Notify, Ret
from angarium.core.reply import Reply


def line_limits(line: int = 512, auth: int = 12288) -> Mapping[bytes, int]:
    """Return the octets a line may have with its CRLF, by verb; b"" stands for any other.

    RFC 5321 section 4.5.3.1.4 has 512, and each extension adds to it what it needs.
    """
    return {
        b"": line,
        # SIZE 26 (RFC 1870), BODY 17 (3030), SMTPUTF8 10 (6531), RET and ENVID 107 (3461),
        # AUTH 500 (4954), REQUIRETLS 11 (8689)
        b"MAIL": line + 26 + 17 + 10 + 107 + 500 + 11,
        b"RCPT": line + 500,  # NOTIFY and ORCPT (3461)
        b"AUTH": max(line, auth),
    }


LIMITS: Final = line_limits()
# Commands which are there for trusted clients only.
TRUSTED: Final = ("XCLIENT", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT")

UNRECOGNIZED: Final = Reply(500, "unrecognized command", "5.5.2")
BAD_EHLO: Final = Reply(501, "invalid EHLO", "5.5.2")
BAD_HELO: Final = Reply(501, "invalid HELO", "5.5.2")
BAD_MAIL: Final = Reply(501, "MAIL FROM syntax error", "5.5.2")
BAD_RCPT: Final = Reply(501, "RCPT TO syntax error", "5.5.2")
BAD_RSET: Final = Reply(501, "invalid arguments to RSET", "5.5.4")
BAD_DATA: Final = Reply(501, "unexpected argument to DATA", "5.5.4")
NO_PARAMETERS: Final = Reply(501, "Syntax error (no parameters allowed)", "5.5.4")
BAD_BDAT: Final = Reply(501, "BDAT syntax error", "5.5.4")
BAD_AUTH: Final = Reply(501, "AUTH syntax error", "5.5.4")
BAD_BASE64: Final = Reply(501, "cannot decode what is no base64", "5.5.2")  # RFC 4954 section 4
NEEDS_UTF8: Final = Reply(553, "address needs SMTPUTF8", "5.6.7")  # RFC 6531 section 3.5
# RFC 5321 section 4.1.1.11
UNKNOWN_PARAMETER: Final = Reply(555, "parameter not recognized or not implemented", "5.5.4")
BAD_PARAMETER: Final = Reply(501, "invalid parameter", "5.5.4")


@dataclass(slots=True)
class Command:
    """A command which is no more than its verb and a text."""

    verb: str
    argument: str = ""


@dataclass(slots=True)
class Hello:
    """EHLO or HELO."""

    verb: str
    name: str


@dataclass(slots=True)
class Mail:
    """MAIL. `domain` is the normal form; both are "" for the null sender."""

    verb: ClassVar[str] = "MAIL"
    address: str
    domain: str
    text: str  # as sent, without the verb
    size: int = 0
    body: str = ""
    utf8: bool = False
    requires_tls: bool = False  # RFC 8689
    ret: int = 0
    envid: str = ""  # as sent, in xtext
    auth: str = ""  # who submitted it, of AUTH= (RFC 4954 section 5); "" is nobody known


@dataclass(slots=True)
class Rcpt:
    """RCPT. `domain` is the normal form, "" where the address has none ("postmaster")."""

    verb: ClassVar[str] = "RCPT"
    address: str
    domain: str
    text: str  # as sent, without the verb
    notify: int = 0
    orcpt: str = ""  # as sent, in xtext


@dataclass(slots=True)
class Auth:
    """AUTH: `mechanism` in upper case, and what came with it; None: nothing did."""

    verb: ClassVar[str] = "AUTH"
    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class Bdat:
    """BDAT: that many octets follow at once, whatever we say."""

    verb: ClassVar[str] = "BDAT"
    size: int
    last: bool


Parsed = Command | Hello | Mail | Rcpt | Bdat | Auth

# Local-part     = Dot-string / Quoted-string     ; dots are looked at afterwards
# uAtext is RFC 6531's: other than ASCII may stand where atext may.
_SPECIAL: Final = r"\x00-\x20\"(),:;<>@\[\\\]\x7f-\x9f"
_LOCAL: Final = rf"""[^{_SPECIAL}]+|"(?:[^\x00-\x1f"\\\x7f-\x9f]|\\[ -~])*\""""
# Domain         = sub-domain *("." sub-domain)   ; `routing_domain` decides
_DOMAIN: Final = rf"[^{_SPECIAL}]+|\[[0-9A-Za-z:.]+\]"
# Path           = "<" [ A-d-l ":" ] Mailbox ">"  ; the source route is ignored, section 3.3
_ROUTE: Final = r"(?:@[^\x00-\x20<>:\x7f]+:)?"
# Mail-parameters = esmtp-param *(SP esmtp-param)
_PARAMETERS: Final = r"(?: ([^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?))?"
# esmtp-param    = esmtp-keyword ["=" esmtp-value]; RFC 6533 lets ORCPT have other than ASCII
_PARAMETER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f-\x9f]+))?")
# More than Domain / address-literal, as hosts name themselves freely; what could break out of a
# comment in Received is not in it.
_NAME: Final = re.compile(r"[!#-'*+\--:=?A-\[\]-~]{1,255}")
_TEXT: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_BDAT: Final = re.compile(r"([0-9]{1,15})( LAST)?", re.IGNORECASE)
# xtext          = *( xchar / hexchar )           ; RFC 3461 section 4
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
_ORCPT: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9.-]*;(?:[!-*,-<>-~\xa0-\U0010ffff]|\+[0-9A-F]{2})+"
)
# auth-command   = "AUTH" SP sasl-mech [SP initial-response]   ; RFC 4954 section 8
_AUTH: Final = re.compile(rb"([A-Za-z0-9_-]{1,20})(?: ([A-Za-z0-9+/=]+))?")
_HEXCHAR: Final = re.compile(r"\+([0-9A-F]{2})")
_NOTIFY: Final[Mapping[str, int]] = {
    "SUCCESS": int(Notify.SUCCESS),
    "FAILURE": int(Notify.FAILURE),
    "DELAY": int(Notify.DELAY),
}
_RET: Final[Mapping[str, int]] = {"FULL": int(Ret.FULL), "HDRS": int(Ret.HDRS)}
_BODIES: Final = frozenset(("7BIT", "8BITMIME", "BINARYMIME"))
_MAX_ENVID: Final = 100  # RFC 3461 section 4.4
_MAX_SIZE_DIGITS: Final = 20  # RFC 1870 section 3

_routing_domain: Final = functools.lru_cache(maxsize=8192)(routing_domain)


def domains_kept() -> "functools._CacheInfo":
    """Return how many domains are remembered as `routing_domain` has them, and how often one was
    found.
    """
    return _routing_domain.cache_info()


def forget_domains() -> None:
    """Let go of the domains which were looked at lately."""
    _routing_domain.cache_clear()


def decode_xtext(text: str) -> str:
    """Return the text which `text` stands for (RFC 3461 section 4).

    >>> decode_xtext("joe+2Bx@example.com")
    'joe+x@example.com'
    """
    return _HEXCHAR.sub(lambda found: chr(int(found[1], 16)), text)


def _decoded(argument: bytes) -> str | None:
    try:
        return argument.decode()
    except UnicodeDecodeError:
        return None


class Syntax:
    """Parses lines; shared by all connections with the same rules.

    Args:
        strict: refuse "a..b@x" and "ab.@x" (rfc2821_pedantic_address_rules).
        padded: take spaces inside of the angle brackets (allow_trailing_whitespace_in_commands).
        trailing: take spaces at the end of MAIL and RCPT (rfc2821_allow_whitespace_in_envelope).
        trusted: which of TRUSTED there are.
        auth: there is AUTH.
        tls: there is STARTTLS.
    """

    __slots__ = ("_mail_path", "_parsers", "_rcpt_path", "_strict", "_trailing", "_unknown")

    def __init__(
        self,
        *,
        strict: bool = True,
        padded: bool = False,
        trailing: bool = False,
        trusted: Sequence[str] = (),
        auth: bool = False,
        tls: bool = False,
    ) -> None:
        known = {"AUTH": auth, "REQUIRETLS": tls}
        self._unknown = frozenset(keyword for keyword, there in known.items() if not there)
        self._strict = strict
        self._trailing = trailing
        space = "[ \t]*" if padded else ""
        path = rf"<{space}{_ROUTE}({_LOCAL})(?:@({_DOMAIN}))?{space}>{_PARAMETERS}"
        # Section 3.3 has no space behind the colon; too many clients do.
        self._mail_path = re.compile(rf"[Ff][Rr][Oo][Mm]: ?(?:<{space}>{_PARAMETERS}|{path})")
        self._rcpt_path = re.compile(rf"[Tt][Oo]: ?{path}")
        self._parsers: dict[bytes, Callable[[bytes], Parsed | Reply]] = {
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": _bare("DATA", BAD_DATA),
            b"BDAT": _bdat,
            b"RSET": _bare("RSET", BAD_RSET),
            b"QUIT": _bare("QUIT", NO_PARAMETERS),
            b"EHLO": _hello("EHLO", BAD_EHLO),
            b"HELO": _hello("HELO", BAD_HELO),
            b"NOOP": _free("NOOP"),
            b"HELP": _free("HELP"),
            b"VRFY": _free("VRFY"),
            b"EXPN": _free("EXPN"),
            **{verb.encode(): _free(verb) for verb in trusted},
        }
        if auth:
            self._parsers[b"AUTH"] = _authentication
        if tls:
            self._parsers[b"STARTTLS"] = _bare("STARTTLS", NO_PARAMETERS)

    def parse(self, line: bytes) -> Parsed | Reply:
        """Parse one line without its CRLF; a Reply says what is wrong with it."""
        verb, _, argument = line.partition(b" ")
        parser = self._parsers.get(verb) or self._parsers.get(verb.upper())
        return UNRECOGNIZED if parser is None else parser(argument)

    def _mail(self, argument: bytes) -> Mail | Reply:
        text = _decoded(argument)
        if text is None or (found := self._mail_path.fullmatch(self._cut(text))) is None:
            return BAD_MAIL
        # "MAIL FROM:<>"; else the address, which must have a domain or get one from an option.
        null_parameters, local, domain, parameters = found.groups()
        if local is None:
            mail = Mail("", "", text)
            parameters = null_parameters
        else:
            known = self._checked(local, domain)
            if known is None:
                return BAD_MAIL
            mail = Mail(f"{local}@{domain}" if domain else local, known, text)
        if parameters and (fault := _mail_parameters(mail, parameters, self._unknown)) is not None:
            return fault
        return mail if mail.utf8 or mail.address.isascii() else NEEDS_UTF8

    def _rcpt(self, argument: bytes) -> Rcpt | Reply:
        text = _decoded(argument)
        if text is None or (found := self._rcpt_path.fullmatch(self._cut(text))) is None:
            return BAD_RCPT
        local, domain, parameters = found.groups()
        known = self._checked(local, domain)
        if known is None:
            return BAD_RCPT
        rcpt = Rcpt(f"{local}@{domain}" if domain else local, known, text)
        if parameters and (fault := _rcpt_parameters(rcpt, parameters)) is not None:
            return fault
        return rcpt

    def _cut(self, text: str) -> str:
        return text.rstrip(" \t") if self._trailing else text

    def _checked(self, local: str, domain: str | None) -> str | None:
        """Return the normal form of the domain, "" without one, None if the address is none."""
        if self._strict:
            wrong = ".." in local or local[0] == "." or local[-1] == "."
        else:
            wrong = local[0] == "."
        if wrong and local[0] != '"':
            return None
        return _routing_domain(domain) if domain else ""


def _bare(verb: str, refusal: Reply) -> Callable[[bytes], Command | Reply]:
    # Section 4.1.1: tolerate trailing white space.
    return lambda argument: refusal if argument.strip(b" \t") else Command(verb)


def _free(verb: str) -> Callable[[bytes], Command | Reply]:
    def parse(argument: bytes) -> Command | Reply:
        text = _decoded(argument)
        if text is None or _TEXT.fullmatch(text) is None:
            return BAD_PARAMETER
        return Command(verb, text)

    return parse


def _hello(verb: str, refusal: Reply) -> Callable[[bytes], Hello | Reply]:
    def parse(argument: bytes) -> Hello | Reply:
        text = _decoded(argument)
        if text is None or _NAME.fullmatch(name := text.strip(" \t")) is None:
            return refusal
        return Hello(verb, name)

    return parse


def _authentication(argument: bytes) -> Auth | Reply:
    found = _AUTH.fullmatch(argument.rstrip(b" \t"))
    if found is None:
        return BAD_AUTH
    mechanism = found[1].decode("ascii").upper()
    if found[2] is None:
        return Auth(mechanism)
    # "=" is a response of no octets, in the place of none.
    initial = b"" if found[2] == b"=" else decode_base64(found[2])
    return BAD_BASE64 if initial is None else Auth(mechanism, initial)


def decode_base64(line: bytes) -> bytes | None:
    """Return the octets of a response; None: it is no base64."""
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        return None


def _bdat(argument: bytes) -> Bdat | Reply:
    # bdat-cmd = "BDAT" SP chunk-size [ SP "LAST" ]   ; RFC 3030 section 2
    text = _decoded(argument)
    if text is None or (found := _BDAT.fullmatch(text.rstrip(" "))) is None:
        return BAD_BDAT
    return Bdat(int(found[1]), found[2] is not None)


def _pairs(parameters: str) -> dict[str, str | None] | None:
    """Return keyword to value (None: has none); None if one is malformed or comes twice."""
    pairs: dict[str, str | None] = {}
    for word in parameters.split(" "):
        if not word:
            continue
        found = _PARAMETER.fullmatch(word)
        if found is None or (keyword := found[1].upper()) in pairs:
            return None
        pairs[keyword] = found[2]
    return pairs


def _mail_parameters(mail: Mail, parameters: str, unknown: frozenset[str]) -> Reply | None:
    """Put the parameters into `mail`; return what is wrong with them."""
    pairs = _pairs(parameters)
    if pairs is None:
        return BAD_MAIL
    for keyword, given in pairs.items():
        put = _OF_MAIL.get(keyword)
        if put is None or keyword in unknown:
            return UNKNOWN_PARAMETER
        if not put(mail, given):
            return BAD_PARAMETER
    return None


def _size(mail: Mail, given: str | None) -> bool:
    value = given or ""
    if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_SIZE_DIGITS):
        return False
    mail.size = int(value)
    return True


def _body(mail: Mail, given: str | None) -> bool:
    mail.body = (given or "").upper()
    return mail.body in _BODIES


def _utf8(mail: Mail, given: str | None) -> bool:
    mail.utf8 = True
    return given is None


def _requires_tls(mail: Mail, given: str | None) -> bool:
    mail.requires_tls = True
    return given is None


def _ret(mail: Mail, given: str | None) -> bool:
    mail.ret = _RET.get((given or "").upper(), 0)
    return mail.ret != 0


def _envid(mail: Mail, given: str | None) -> bool:
    mail.envid = given or ""
    return len(mail.envid) <= _MAX_ENVID and _XTEXT.fullmatch(mail.envid) is not None


def _submitter(mail: Mail, given: str | None) -> bool:
    # esmtp-value = xtext / "<>"   ; RFC 4954 section 5
    if given is None or (given != "<>" and _XTEXT.fullmatch(given) is None):
        return False
    mail.auth = "" if given == "<>" else decode_xtext(given)
    return mail.auth == "" or mail.auth.isprintable()


_OF_MAIL: Final[Mapping[str, Callable[[Mail, str | None], bool]]] = {
    "SIZE": _size,
    "BODY": _body,
    "SMTPUTF8": _utf8,
    "REQUIRETLS": _requires_tls,
    "RET": _ret,
    "ENVID": _envid,
    "AUTH": _submitter,
}


def _rcpt_parameters(rcpt: Rcpt, parameters: str) -> Reply | None:
    """Put the parameters into `rcpt`; return what is wrong with them."""
    pairs = _pairs(parameters)
    if pairs is None:
        return BAD_RCPT
    for keyword, given in pairs.items():
        value = given or ""
        match keyword:
            case "NOTIFY":
                rcpt.notify = _notify(value)
                if not rcpt.notify:
                    return BAD_PARAMETER
            case "ORCPT":
                if _ORCPT.fullmatch(value) is None:
                    return BAD_PARAMETER
                rcpt.orcpt = value
            case _:
                return UNKNOWN_PARAMETER
    return None


def _notify(value: str) -> int:
    # notify-esmtp-value = "NEVER" / 1#notify-list-element  ; NEVER stands alone
    if value.upper() == "NEVER":
        return int(Notify.NEVER)
    bits = 0
    for word in value.upper().split(","):
        if word not in _NOTIFY:
            return 0
        bits |= _NOTIFY[word]
    return bits
