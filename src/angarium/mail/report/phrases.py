"""What hosts say in words when they refuse mail, to bounce classes.

Codes are often wider than the words beside them, or are not there at all. The rules are tried in
their order, the narrow ones first; they are our own, from what hosts are seen to answer.
"""

import re
from collections.abc import Sequence
from typing import Final

from angarium.mail.report import codes

_LONGEST: Final = 4096  # characters which are looked at

_WORDS: Final[Sequence[tuple[int, str]]] = (
    (
        codes.RELAYING_DENIED,
        r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:allowed|permitted)|prohibited)"
        r"|(?:not permitted|unable|not allowed|cannot|do not|does not) (?:to )?relay"
        r"|not (?:a|an open) relay|no relaying",
    ),
    (
        codes.MAILBOX_FULL,
        r"(?:mail ?box|inbox|mail folder|account) (?:is |was )?(?:full|over)|over ?quota"
        r"|quota (?:is |has been )?(?:exceeded|full)|exceed\w* .{0,20}quota|quota exceed"
        r"|insufficient (?:disk |system |mailbox )?(?:space|storage|quota)|out of (?:space|storage)"
        r"|not enough (?:disk )?(?:space|storage)|exceeded (?:the |its )?storage",
    ),
    (
        codes.TOO_LARGE,
        r"(?:message|mail|size|content|body).{0,30}"
        r"(?:too (?:large|big)|exceed\w*.{0,30}(?:size|limit|maximum))"
        r"|maximum (?:message )?size|(?:message )?size limit|exceeds the (?:maximum )?size",
    ),
    (
        codes.PROHIBITED_ATTACHMENT,
        r"attachment.{0,60}"
        r"(?:not (?:allowed|accepted|permitted)|prohibited|banned|blocked|reject|refus)"
        r"|(?:blocked|banned|prohibited|executable|forbidden|illegal|dangerous) "
        r"(?:attachment|file|extension)|file (?:type|extension).{0,30}not (?:allowed|accepted)",
    ),
    (
        codes.CHALLENGE,
        r"(?:confirm|verify) (?:that )?you(?:r| are).{0,30}(?:sender|address|human)"
        r"|sender verification (?:request|required)|challenge.response",
    ),
    (
        codes.SPAM_BLOCK,
        r"black ?list|block ?list|deny ?list|\b(?:dns)?[brw]bl\b|dnsbl|spamhaus|spamcop|barracuda"
        r"|sorbs|senderscore|listed (?:in|on|at|by)|(?:poor|bad|low) reputation|reputation"
        r"|known (?:source of )?spam|spam source|open (?:relay|proxy)",
    ),
    (
        codes.SPAM_CONTENT,
        r"(?:message|mail|content|it)\b.{0,60}(?:spam|virus|malware|phish|junk|unsolicited|bulk)"
        r"|(?:spam|virus|malware|phishing) (?:message|content|detected|found|score|filter|mail)"
        r"|(?:detected|identified|classified|considered|rejected|blocked) as "
        r"(?:\w+ )?(?:spam|junk|bulk)"
        r"|content (?:filter|rejected|restriction)|contains? (?:a )?(?:spam|virus|malware)",
    ),
    (
        codes.DNS_FAILURE,
        r"(?:host|domain)(?: or domain)?(?: name)? (?:was )?(?:not found|does not exist|unknown)"
        r"|name service error|unroute?able|unresolvable|could not (?:be resolved|resolve)"
        r"|no (?:mx|dns|route)\b|dns (?:error|failure|lookup)|nxdomain|domain is no longer",
    ),
    (
        codes.INVALID_RECIPIENT,
        r"(?:user|recipient|mailbox|address|account|addressee|alias|rcpt).{0,60}"
        r"(?:unknown|not found|doesn't exist|not exist|invalid|not (?:a )?valid|unavailable"
        r"|disabled|inactive|deactivated|suspended|not (?:listed|recogni[sz]ed|known)|rejected"
        r"|no longer|closed|expired|undeliverable)"
        r"|(?:unknown|invalid|no such|bad|no valid|unrecogni[sz]ed|non-?existent|not a valid"
        r"|undeliverable) (?:local )?"
        r"(?:user|recipient|mailbox|address|account|destination|part|person)"
        r"|no mailbox|not our customer|no longer (?:works|employed|with|available|in use|used)"
        r"|(?:isn't|is not|not) (?:a )?(?:local|active|known) (?:user|account|address)",
    ),
    (
        codes.TIMEOUT,
        r"timed? ?out|time-?out|(?:retry|delivery|queue) time (?:was )?(?:expired|exceeded)"
        r"|message expired|could not be delivered for|retry timeout|exceeded max time",
    ),
    (
        codes.TRANSIENT,
        r"gr[ae]y ?-?list|try (?:again|later)|temporar(?:y|ily)|rate limit|too (?:many|much|fast)"
        r"|throttl|will (?:be )?retr|still being retried|not yet been delivered|delayed",
    ),
    (
        codes.MAIL_BLOCK,
        r"\b(?:spf|dkim|dmarc)\b|block|denied|refus|reject|polic(?:y|ies)"
        r"|not (?:authori[sz]ed|accept|allowed|permitted)|unauthenticated|authentication"
        r"|prohibited|forbidden|banned|not welcome",
    ),
)
_RULES: Final = tuple((code, re.compile(words, re.IGNORECASE | re.ASCII)) for code, words in _WORDS)


def classify(text: str, among: frozenset[int] | None = None) -> int | None:
    """Return the class of what a host said, or None; only one of those given, if any are."""
    text = text[:_LONGEST]
    for code, words in _RULES:
        if (among is None or code in among) and words.search(text):
            return code
    return None
