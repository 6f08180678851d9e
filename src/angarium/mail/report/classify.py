"""A reply to a bounce class.

By the enhanced code, else by the words, else by the reply code. Where the enhanced code says only
that mail is refused, the words may say why. Rules of the operator go before all this. Codes: RFC
3463 and its registry (RFC 5248).
"""

import re
from collections.abc import Mapping
from typing import Final

from angarium.core.reply import Reply, from_text
from angarium.mail.report import codes, phrases

# "5.1.1" without its class: a temporary refusal that lasted is of the same kind.
_BY_DETAIL: Final[Mapping[str, int]] = {
    "1.0": codes.INVALID_RECIPIENT,  # other address status
    "1.1": codes.INVALID_RECIPIENT,  # bad destination mailbox address
    "1.2": codes.INVALID_RECIPIENT,  # bad destination system address
    "1.3": codes.INVALID_RECIPIENT,  # bad destination mailbox address syntax
    "1.4": codes.INVALID_RECIPIENT,  # destination mailbox address ambiguous
    "1.6": codes.INVALID_RECIPIENT,  # mailbox has moved
    "1.7": codes.MAIL_BLOCK,  # bad sender's mailbox address syntax
    "1.8": codes.MAIL_BLOCK,  # bad sender's system address
    "1.10": codes.INVALID_RECIPIENT,  # recipient address has null MX (RFC 7505)
    "2.0": codes.INVALID_RECIPIENT,  # other mailbox status
    "2.1": codes.INVALID_RECIPIENT,  # mailbox disabled
    "2.2": codes.MAILBOX_FULL,
    "2.3": codes.TOO_LARGE,  # message length exceeds administrative limit
    "3.1": codes.SOFT,  # mail system full
    "3.2": codes.SOFT,  # system not accepting network messages
    "3.4": codes.TOO_LARGE,
    "4.0": codes.SOFT,
    "4.1": codes.SOFT,  # no answer from host
    "4.2": codes.SOFT,  # bad connection
    "4.3": codes.DNS_FAILURE,  # directory server failure
    "4.4": codes.DNS_FAILURE,  # unable to route
    "4.5": codes.SOFT,  # mail system congestion
    "4.6": codes.GENERIC,  # routing loop
    "4.7": codes.TIMEOUT,  # delivery time expired
    "6.0": codes.GENERIC,
    "6.1": codes.PROHIBITED_ATTACHMENT,  # media not supported
    "7.0": codes.MAIL_BLOCK,
    "7.1": codes.MAIL_BLOCK,  # delivery not authorized, message refused
    "7.2": codes.MAIL_BLOCK,  # mailing list expansion prohibited
    "7.7": codes.SPAM_CONTENT,  # message integrity failure
    "7.20": codes.MAIL_BLOCK,  # no passing DKIM signature (RFC 7372)
    "7.21": codes.MAIL_BLOCK,
    "7.22": codes.MAIL_BLOCK,
    "7.23": codes.MAIL_BLOCK,  # SPF validation failed
    "7.24": codes.MAIL_BLOCK,
    "7.25": codes.MAIL_BLOCK,  # reverse DNS validation failed
    "7.26": codes.MAIL_BLOCK,  # multiple authentication checks failed
    "7.27": codes.MAIL_BLOCK,  # sender address has null MX
}
_BY_SUBJECT: Final[Mapping[str, int]] = {
    "1": codes.INVALID_RECIPIENT,
    "2": codes.INVALID_RECIPIENT,
    "3": codes.SOFT,
    "4": codes.SOFT,
    "5": codes.GENERIC,
    "6": codes.GENERIC,
    "7": codes.MAIL_BLOCK,
}
_BY_CODE: Final[Mapping[int, int]] = {
    421: codes.SOFT,
    450: codes.SOFT,
    451: codes.SOFT,
    452: codes.MAILBOX_FULL,
    550: codes.INVALID_RECIPIENT,
    551: codes.INVALID_RECIPIENT,
    552: codes.MAILBOX_FULL,
    553: codes.INVALID_RECIPIENT,
    554: codes.GENERIC,
    571: codes.MAIL_BLOCK,
}
# Ours, by their words: what failed it is known better than the code says.
_INTERNAL: Final[tuple[tuple[str, int], ...]] = (
    ("exceeded max", codes.TIMEOUT),
    ("message expired", codes.TIMEOUT),
    ("no MX or A", codes.DNS_FAILURE),
    ("Lookup Failed", codes.DNS_FAILURE),
    ("NULL MX", codes.INVALID_RECIPIENT),
    ("loops back", codes.DNS_FAILURE),
    ("exceeds the size", codes.TOO_LARGE),
    ("", codes.ADMIN_FAILURE),
)
_LONGEST: Final = 4096  # characters which are looked at
_ENHANCED: Final = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})")


# What is refused for a reason hosts do not have a code for, and often have words for.
_WIDE: Final = frozenset((codes.MAIL_BLOCK, codes.GENERIC, codes.SOFT))
_NARROW: Final = frozenset(
    (
        codes.RELAYING_DENIED,
        codes.SPAM_BLOCK,
        codes.SPAM_CONTENT,
        codes.PROHIBITED_ATTACHMENT,
        codes.MAILBOX_FULL,
        codes.TOO_LARGE,
        codes.CHALLENGE,
    )
)
_CODE: Final = re.compile(r"\s*[2-5]\d\d(?:[\s-]|$)")
_ANYWHERE: Final = re.compile(r"(?<![\d.])([245])(\.\d{1,3}\.\d{1,3})(?![\d.])")


def classify(reply: Reply) -> int:
    """Return the class of a permanent failure with this reply."""
    if reply.permanent and reply.text.startswith("[internal]"):
        return next(code for words, code in _INTERNAL if words in reply.text)
    if found := _ENHANCED.fullmatch(reply.enhanced):
        subject, detail = found.groups()
        known = _BY_DETAIL.get(f"{subject}.{detail}") or _BY_SUBJECT.get(subject)
        if known in _WIDE:
            return phrases.classify(reply.text, _NARROW) or known
        if known is not None:
            return known
    return phrases.classify(reply.text) or _BY_CODE.get(reply.code, codes.UNDETERMINED)


def classify_text(text: str) -> int:
    """Return the class of what a host said, with codes or without."""
    text = text[:_LONGEST].strip()
    if _CODE.match(text):
        return classify(from_text(text[:3] + " " + text[4:]))
    if found := _ANYWHERE.search(text):
        rest = (text[: found.start()] + text[found.end() :]).strip()
        return classify(from_text(f"{found[1]}99 {found[0]} {rest}"))
    return phrases.classify(text) or codes.UNDETERMINED
