"""msys.validate.opendkim: messages signed by DKIM, and each signature of one looked at.

Numbers are those of libopendkim. A signature by SHA-1, or by a key below 1024 bits, does not hold
(RFC 8301).
"""

from collections.abc import Awaitable
from typing import Final

from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.signature import Outcome
from angarium.modules.lua.api.content import readable
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.signing import carried_out, meant, order_of, orders
from angarium.modules.lua.bind import (
    LuaError,
    Runtime,
    Several,
    Table,
    lua,
    lua_constants,
    lua_object,
)
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.checking import checked
from angarium.policy.context import Session
from angarium.policy.mail import Mail

OK, BADSIG, NOSIG, NOKEY, CANTVRFY, SYNTAX = range(6)
REVOKED, INVALID, KEYFAIL = 8, 9, 11
IGNORED, PROCESSED, PASSED, TESTKEY, NOSUBDOMAIN, KEYLOADED = 1, 2, 4, 8, 16, 32

lua_constants(
    "opendkim.dkim",
    **{
        f"DKIM_STAT_{name}": number
        for number, name in enumerate(
            "OK BADSIG NOSIG NOKEY CANTVRFY SYNTAX NORESOURCE INTERNAL REVOKED INVALID"
            " NOTIMPLEMENT KEYFAIL CBREJECT CBINVALID CBTRYAGAIN CBERROR".split()
        )
    },
    DKIM_SIGFLAG_IGNORE=IGNORED,
    DKIM_SIGFLAG_PROCESSED=PROCESSED,
    DKIM_SIGFLAG_PASSED=PASSED,
    DKIM_SIGFLAG_TESTKEY=TESTKEY,
    DKIM_SIGFLAG_NOSUBDOMAIN=NOSUBDOMAIN,
    DKIM_SIGFLAG_KEYLOADED=KEYLOADED,
)

_STATS: Final = {
    Outcome.PASS: OK,
    Outcome.FAIL: BADSIG,
    Outcome.TEMPERROR: KEYFAIL,
    Outcome.NEUTRAL: SYNTAX,
}
# Of a permanent error the reason says which one it is.
_REASONS: Final = {"there is no key": NOKEY, "the key is revoked": REVOKED}


@lua_object("dkim", "DKIM", userdata=True)
class Dkim:
    """The signatures of a message, checked."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.signatures = [SigInfo(each) for each in verdicts]

    @property
    def stat(self) -> int:
        """One that passes is enough; else it is that of the first one."""
        stats = [each.stat for each in self.signatures]
        return OK if OK in stats else stats[0] if stats else NOSIG


@lua_object("dkim_sig", "DKIM_SIGINFO", userdata=True)
class SigInfo:
    """One signature."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    @property
    def stat(self) -> int:
        found = _STATS.get(self.verdict.outcome)
        return _REASONS.get(self.verdict.reason, CANTVRFY) if found is None else found

    @property
    def read(self) -> int:
        """Whether it could be read, for functions which tell what it says."""
        return OK if self.verdict.signature is not None else INVALID


@lua("msys.validate.opendkim.sign", since="3.6")
def sign(
    lua: Runtime, msg: Mail | None, vctx: Session | None = None, options: Table | None = None
) -> Several | Awaitable[Several]:
    """Sign the message by DKIM; return true, or false and why not.

    Options, each instead of what `opendkim` says: base_domain (or signing_domain), selector,
    keyfile, in which %{d} and %{s} stand for domain and selector, keybuf, header_canon, body_canon,
    digest, headerlist, identity, body_length_limit. Keys of files are kept as `opendkim` keeps
    them. RSA is computed in a thread meanwhile.
    """
    given = order_of(options)
    return carried_out(lua, msg, lambda mail: orders(lua).dkim(mail, given))


@lua("msys.validate.opendkim.verify", since="3.6")
async def verify(lua: Runtime, msg: Mail) -> Several:
    """Check the signatures of the message; return a handle of them, and a DKIM_STAT."""
    mail = meant(lua, msg)
    readable(mail)
    there = means(lua)
    found = Dkim(await checked(mail, there, Asked(there.resolver)))
    return Several(found, found.stat)


@lua("msys.validate.opendkim.get_num_sigs", since="3.6")
def get_num_sigs(dkim: Dkim) -> Several:
    """Return how many signatures there are, and DKIM_STAT_OK."""
    return Several(len(dkim.signatures), OK)


@lua("msys.validate.opendkim.get_sig", since="3.6")
def get_sig(dkim: Dkim, num: int = 0) -> Several:
    """Return a signature by its number, from 0 on, and DKIM_STAT_OK; or nil, DKIM_STAT_INVALID."""
    if not 0 <= num < len(dkim.signatures):
        return Several(None, INVALID)
    return Several(dkim.signatures[num], OK)


@lua("msys.validate.opendkim.get_sig_canons", since="3.6")
def get_sig_canons(dkim_sig: SigInfo) -> Several:
    """Return how the header was made canonical, a DKIM_STAT, and how the body was."""
    found = dkim_sig.verdict.signature
    if found is None:
        return Several(None, INVALID)
    return Several(found.header_canon, OK, found.body_canon)


@lua("msys.validate.opendkim.get_sig_domain", since="3.6")
def get_sig_domain(dkim_sig: SigInfo) -> Several:
    """Return who signed (d=), and a DKIM_STAT."""
    return Several(dkim_sig.verdict.domain or None, dkim_sig.read)


@lua("msys.validate.opendkim.get_sig_selector", since="3.6")
def get_sig_selector(dkim_sig: SigInfo) -> Several:
    """Return the selector of the key (s=), and a DKIM_STAT."""
    found = dkim_sig.verdict.signature
    return Several(found.selector if found else None, dkim_sig.read)


@lua("msys.validate.opendkim.get_sig_identity", since="3.6")
def get_sig_identity(dkim: Dkim, dkim_sig: SigInfo) -> Several:
    """Return for whom it is signed (i=), and a DKIM_STAT."""
    found = dkim_sig.verdict.signature
    return Several(found.identity if found else None, dkim_sig.read)


@lua("msys.validate.opendkim.get_sig_signalg", since="3.6")
def get_sig_signalg(dkim_sig: SigInfo) -> Several:
    """Return the algorithm: rsa-sha256, ed25519-sha256 or unknown, and a DKIM_STAT."""
    found = dkim_sig.verdict.signature
    return Several(found.algorithm if found else "unknown", dkim_sig.read)


@lua("msys.validate.opendkim.get_sig_keysize", since="3.6")
def get_sig_keysize(dkim_sig: SigInfo) -> Several:
    """Return the bits of its key, 0 where it was not come to that, and a DKIM_STAT."""
    key = dkim_sig.verdict.key
    return Several(0, dkim_sig.stat or INVALID) if key is None else Several(key.bits, OK)


@lua("msys.validate.opendkim.get_sig_errorstr", since="3.6")
def get_sig_errorstr(dkim_sig: SigInfo) -> Several:
    """Return why it does not hold, "" if it does, and its DKIM_STAT."""
    return Several(dkim_sig.verdict.reason, dkim_sig.stat)


@lua("msys.validate.opendkim.get_sig_flags", since="3.6")
def get_sig_flags(dkim_sig: SigInfo) -> Several:
    """Return the sum of its DKIM_SIGFLAG_..., and a DKIM_STAT."""
    verdict = dkim_sig.verdict
    flags = IGNORED if verdict.outcome is Outcome.POLICY else 0
    if verdict.passed:
        flags |= PASSED
    if (key := verdict.key) is not None:
        flags |= PROCESSED | KEYLOADED
        flags |= (TESTKEY if key.testing else 0) | (NOSUBDOMAIN if key.strict else 0)
    return Several(flags, OK)


@lua("msys.validate.opendkim.get_sig_hdrsigned", since="3.6")
def get_sig_hdrsigned(dkim_sig: SigInfo, header_name: str) -> Several:
    """Return whether it covers fields of a name, and a DKIM_STAT."""
    found = dkim_sig.verdict.signature
    if not header_name:
        raise LuaError("which field? there is no name")
    return Several(found is not None and header_name.lower().encode() in found.names, dkim_sig.read)
