"""Hooks as callouts: what a script is called with, and what its answer means.

For each hook a few lines of Lua put its arguments together (`wrapper`), so that a call costs no
more than a function of Lua does. What they are is declared with the hook; here stands where each
comes from, and for some hooks what is done with the answer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.core.reply import Reply
from angarium.modules.lua.api.core import DomainRecord
from angarium.modules.lua.api.kinds import Text, octets, text
from angarium.modules.lua.stubs import quoted
from angarium.modules.lua.values import Held
from angarium.outbound.bounce import INTERNAL
from angarium.policy import hooks
from angarium.policy.hooks import Hook
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, DONE, Verdict

# As msys.rfc3464 numbers them, see api/constants.py.
_ACTIONS: Final = {"failed": 1, "delayed": 2, "delivered": 3, "relayed": 4, "expanded": 5}
_VERDICTS: Final = {each.value: each for each in Verdict}
IN_ORDER: Final = tuple(_VERDICTS[number] for number in sorted(_VERDICTS))
REJECTED: Final = Reply(550, "rejected by policy", "5.7.1")
DEFERRED: Final = Reply(451, "put off by policy", "4.7.1")
# Of these no answer is wanted; a script which gives none has not forgotten it.
_NO_ANSWER: Final = (
    hooks.Dealloc, hooks.LogDelivery, hooks.LogPermanentFailure, hooks.LogTransientFailure,
    hooks.Requeue, hooks.PreEachRcpt, hooks.PostEachRcpt, hooks.PostValidateEachRcpt,
    hooks.FinalValidation, hooks.PostFinalValidation, hooks.AuthFailure, hooks.AuthResult,
    hooks.TlsAccepted, hooks.OutboundAuth, hooks.OutboundTls,
)  # fmt: skip
# Of these it means something of its own.
_OWN_ANSWERS: Final = (
    hooks.FinalValidation2, hooks.RoutingDomain, hooks.GenerateReport, hooks.PerformAuth,
    hooks.OutboundCiphers, hooks.OutboundVerify,
)  # fmt: skip
# EC_AUTH_OK, EC_AUTH_FAIL, EC_AUTH_ERROR (api/constants): the user is known, is not, or may be.
_KNOWN: Final[Mapping[object, bool | None]] = {0: True, 1: False, 2: None}
_STATUS: Final = {"pass": 0, "fail": 1, "error": 2}

# Expressions of Lua for what the record of a session or the message gives.
_GIVEN: Final[Mapping[str, str]] = {
    "accept": "record.ac",
    "ac": "record.ac",
    "vctx": "record.vctx",
    "mc": "{ ctx = record.vctx, ac = record.ac }",
    "msg": "mail and message(mail, about)",
    "message": "mail and message(mail, about)",
    "list": "mail and list(mail, about)",
    "node": "mail and list(mail, about)",
}
# And what comes from the hook's own fields.
_FROM: Final[Mapping[str, Callable[[Any], object]]] = {
    "str": lambda event: octets(event.text),
    "now": lambda event: event.now,
    "event": lambda _event: None,
    "eventtype": lambda _event: None,
    "vclosure": lambda _event: None,
    "note": lambda event: octets(event.note),
    "notelen": lambda event: len(octets(event.note)),
    "domain": lambda event: octets(event.domain),
    "scope": lambda _event: b"message",
    "username": lambda event: octets(event.username),
    "password": lambda event: octets(event.password),
    "auth_info": lambda event: octets(event.user),
    "auth_status": lambda event: _STATUS[event.status],
    "action": lambda event: _ACTIONS.get(event.action, 1),
    "json": lambda event: octets(event.json),
    # Structures of C, which nobody can look into from here.
    "dc": lambda _event: None,
    "sslctx": lambda _event: None,
    "x509ctx": lambda _event: None,
    "preverify_ok": lambda event: int(event.good),
    "subject": lambda event: octets(event.subject),
    "issuer": lambda event: octets(event.issuer),
    "params": lambda event: event.params,
}


# What some of these are to Lua.
_KINDS: Final = {
    "dr": "domain_record", "buff": "ec_string", "mdn": "ec_message", "response": "ec_string",
    "params": "ec_ssl_ctx_params",
}  # fmt: skip


class NoAnswerError(Exception):
    """A script has answered with nothing, or with what is no answer."""


class Callout:
    """How scripts are asked by one hook.

    Attributes:
        has_session: accept construct or validation context are among the arguments.
        has_message: the message is, or its recipients.
        kinds: of what comes from the hook's own fields: of objects, or None.
        plain: a number from 0 to 2 is its verdict.
    """

    def __init__(self, hook: type[Hook]) -> None:
        self.hook = hook
        self.arguments = hook.arguments
        self.has_session = bool({"accept", "ac", "mc", "vctx"} & set(hook.arguments))
        self.has_message = bool({"msg", "message", "list", "node"} & set(hook.arguments))
        extra = [name for name in hook.arguments if name not in _GIVEN]
        self.kinds = [_KINDS.get(name) for name in extra]
        self.plain = hook not in _NO_ANSWER and hook not in _OWN_ANSWERS
        self._extra = [_FROM.get(name) or _objects(name) for name in extra]

    def wrapper(self) -> str:
        """Return the chunk which makes the function that is called: with a record, the number of a
        message, and what `extras` gives.
        """
        extra = [name for name in self.arguments if name not in _GIVEN]
        passed = [f"x{number}" for number in range(1, len(extra) + 1)]
        made = [
            f"maker{number}(x{number})" if kind else f"x{number}"
            for number, kind in enumerate(self.kinds, 1)
        ]
        values = [_GIVEN.get(name) or made[extra.index(name)] for name in self.arguments]
        local = [
            f"local maker{number} = makers[{quoted(kind.encode())}].new"
            for number, kind in enumerate(self.kinds, 1)
            if kind
        ]
        own = self.has_session or self.hook is hooks.Dealloc
        itself = "own_self(record, module)" if own else "module"
        return "\n".join(
            [
                "local module, own_self, makers, about = ...",
                'local message, list = makers["ec_message"].of, makers["list_node"].of',
                *local,
                f"return function({', '.join(['record', 'mail', *passed])})",
                f"  local callout = module[{quoted(self.hook.name.encode())}]",
                "  if callout == nil then return 0 end",
                f"  return callout({', '.join([itself, *values])})",
                "end",
            ]
        )

    def extras(self, event: Any) -> tuple[object, ...]:
        """Return what comes from the hook's own fields."""
        return tuple([each(event) for each in self._extra]) if self._extra else ()

    def passed(self, extras: tuple[object, ...]) -> tuple[object, ...]:
        """Return them as Lua is given them."""
        if not any(self.kinds):
            return extras
        pairs = zip(extras, self.kinds, strict=True)
        return tuple([Held(each) if kind else each for each, kind in pairs])

    def verdict(self, event: Any, answer: object, extras: tuple[object, ...]) -> Verdict:
        """Return what an answer means.

        Raises:
            NoAnswerError: it means nothing.
        """
        if self.plain and answer.__class__ is int and 0 <= answer <= 2:
            return IN_ORDER[answer]
        hook = self.hook
        if hook in _ANSWERS:
            return _ANSWERS[hook](event, answer)
        if hook is hooks.RoutingDomain:
            buff = extras[1]
            assert isinstance(buff, Text)
            if buff.octets:
                event.mail.routing_domain = text(buff.octets)
            return CONT
        if hook is hooks.PerformAuth:
            response = extras[-1]
            assert isinstance(response, Text)
            return _known(event, answer, response)
        if hook is hooks.GenerateReport:
            mdn = extras[1]
            assert isinstance(mdn, Mail)
            if answer is True:
                event.report = mdn.draft.whole() if mdn.draft.size else None
            return CONT
        if isinstance(answer, int | float) and not isinstance(answer, bool):
            found = _VERDICTS.get(int(answer))
            if found is not None:
                return CONT if hook in _NO_ANSWER and found is not DONE else found
        if hook in _NO_ANSWER:
            return CONT
        raise NoAnswerError


def _objects(name: str) -> Callable[[Any], object]:
    if name == "dr":
        return lambda event: DomainRecord(event.domain)
    if name == "response":
        return lambda event: Text(octets(event.response))
    if name == "buff":
        return lambda _event: Text()
    if name == "mdn":
        return _report
    raise ValueError(f"nobody knows where the argument {name!r} of a callout comes from")


def _report(event: hooks.GenerateReport) -> Mail:
    """The report as a message which the script may change."""
    content = event.report or b""
    return Mail(Message("", MemoryBody(content), protocol=INTERNAL), [])


def _known(event: hooks.PerformAuth, answer: object, response: Text) -> Verdict:
    """Its answers are those of Momentum's authentication, and `response` is what it has written."""
    if isinstance(answer, bool) or answer not in _KNOWN:
        raise NoAnswerError
    event.known = _KNOWN[answer]
    event.response = text(response.octets)
    return DONE


def _ciphers(event: hooks.OutboundCiphers, answer: object) -> Verdict:
    """The answer is the list itself; nil leaves it as it is."""
    if answer is None:
        return CONT
    if not isinstance(answer, bytes):
        raise NoAnswerError
    event.ciphers = text(answer)
    return DONE


def _verified(event: hooks.OutboundVerify, answer: object) -> Verdict:
    """1: the certificate is good, 0: it is not; nil leaves it to others."""
    if answer is None:
        return CONT
    if isinstance(answer, bool) or answer not in (0, 1):
        raise NoAnswerError
    event.good = answer == 1
    return DONE


def _final(event: hooks.FinalValidation2, answer: object) -> Verdict:
    """Its answers are those of Momentum's hooks: 0 goes on, 1 refuses, 2 puts off."""
    if answer == 1:
        event.refuse(event.mail.reply or REJECTED)
        return DONE
    if answer == 2:
        event.refuse(event.mail.reply or DEFERRED)
        return DONE
    return CONT


_ANSWERS: Final[Mapping[type[Hook], Callable[[Any, object], Verdict]]] = {
    hooks.FinalValidation2: _final,
    hooks.OutboundCiphers: _ciphers,
    hooks.OutboundVerify: _verified,
}
