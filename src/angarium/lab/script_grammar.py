"""From the text of a sink script to its rules.

    line      = "#" anything / setting / rule
    setting   = "name" HOST / "with" KEYWORD [VALUE] / "without" 1*KEYWORD
    rule      = "at" STAGE *condition *manner [answer] ["then" end] / "at" ... end
    condition = ("to" / "from" / "peer") PATTERN / "past" SIZE / "probability" SHARE
              / ("first" / "nth" / "every" / "after") NUMBER ["per" "connection"]
    manner    = "delay" DURATION / "sip" DURATION / "trickle" DURATION / "babble" KIND
    answer    = "answer" / "reply" CODE TEXT / "send" STRING
    end       = "drop" / "reset" / "hang" / "deaf"

A line is read once, word by word, and never looked at again; whatever is no script is a
ScriptError with line and column.
"""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NoReturn, TypeVar

from angarium.core import units
from angarium.core.errors import Error
from angarium.lab.script import EXTENSIONS, Answer, Babble, Deed, End, Often, Rule, Script, Stage

T = TypeVar("T")

_WORD: Final = re.compile(r"\S+")
_THEN: Final = re.compile(r"(?:^|\s+)then\s+(drop|reset|hang|deaf)$")
_STRING: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
_PART: Final = re.compile(r"\\x(?P<hex>[0-9A-Fa-f]{2})|\\(?P<escape>.)|[^\\]+")
_ESCAPES: Final = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", '"': b'"', "\\": b"\\"}
_KEYWORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

_ENDS: Final = "an end: drop, reset, hang or deaf"

_ENVELOPE: Final = {Stage.RCPT, Stage.DATA, Stage.BDAT, Stage.BODY, Stage.DOT}
# A condition or action which makes no sense at some stages: where it does, and what to say.
_ALLOWED: Final = {
    "to": (_ENVELOPE, "no recipient is known before rcpt"),
    "from": (_ENVELOPE | {Stage.MAIL}, "no sender is known before mail"),
    "past": ({Stage.BODY}, "only the body has octets to pass"),
    "answer": (set(Stage) - {Stage.CONNECT, Stage.BODY}, "no answer is due here"),
    "reply": (set(Stage) - {Stage.CONNECT}, "the first reply is at banner"),
    "trickle": (set(Stage) - {Stage.CONNECT}, "the first reply is at banner"),
}


class ScriptError(Error):
    """A script is faulty; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


def parse(text: str) -> Script:
    """Return the script written in `text`.

    Raises:
        ScriptError: it is none.
    """
    rules: dict[Stage, list[Rule]] = {}
    extensions = dict(EXTENSIONS)
    name = Script().name
    for number, line in enumerate(text.splitlines(), 1):
        words = _Line(line, number)
        if line.lstrip().startswith("#"):
            continue
        match words.take():
            case "":
                continue
            case "at":
                rule = _rule(words)
                rules.setdefault(rule.stage, []).append(rule)
            case "name":
                name = words.need("a host name")
            case "with":
                keyword, value = _with(words)
                extensions[keyword] = value
            case "without":
                extensions.pop(_without(words), None)
                while words.more():
                    extensions.pop(_without(words), None)
            case other:
                words.fail(f"{other!r} begins no line; write at, name, with or without")
        words.finish()
    return Script(rules, name, extensions)


class _Line:
    """The words of one line, from left to right."""

    def __init__(self, text: str, number: int) -> None:
        self.text = text
        self.number = number
        self._at = 0  # where the next word may begin
        self._word_at = 0  # where the last one began

    def more(self) -> bool:
        return bool(self.text[self._at :].strip())

    def take(self) -> str:
        """Take a word; "" at the end of the line."""
        found = _WORD.search(self.text, self._at)
        if found is None:
            self._word_at = self._at = len(self.text)
            return ""
        self._word_at, self._at = found.span()
        return found[0]

    def need(self, what: str) -> str:
        word = self.take()
        if not word:
            self.fail(f"{what} is missing")
        return word

    def read(self, what: str, convert: Callable[[str], T]) -> T:
        """Take a word and convert it; `convert` raises ValueError for a wrong one."""
        word = self.need(what)
        try:
            return convert(word)
        except ValueError:
            self.fail(f"{word!r} is not {what}")

    def rest(self) -> str:
        """Take what is left, without the spaces around it."""
        rest = self.text[self._at :]
        self._word_at = self._at + len(rest) - len(rest.lstrip())
        self._at = len(self.text)
        return rest.strip()

    def string(self) -> bytes:
        """Take a string in double quotes and undo its escapes."""
        found = _STRING.match(self.text, self._at)
        if found is None:
            self.need("a string in double quotes")
            self.fail("a string is written in double quotes")
        self._word_at, self._at = found.start(1) - 1, found.end()
        octets = b""
        for part in _PART.finditer(found[1]):
            if part["hex"]:
                octets += bytes.fromhex(part["hex"])
            elif part["escape"]:
                if part["escape"] not in _ESCAPES:
                    self.fail(f"{part[0]!r} is no escape of a string")
                octets += _ESCAPES[part["escape"]]
            else:
                octets += part[0].encode("utf-8", "replace")
        return octets

    def finish(self) -> None:
        word = self.take()
        if word:
            self.fail(f"{word!r} is too much here")

    def fail(self, message: str) -> NoReturn:
        raise ScriptError(message, self.number, self._word_at + 1)


def _with(words: _Line) -> tuple[str, str]:
    keyword = words.need("an EHLO keyword").upper()
    if not _KEYWORD.fullmatch(keyword):
        words.fail(f"{keyword!r} is no EHLO keyword (RFC 5321 section 4.1.1.1)")
    if keyword == "SIZE" and words.more():
        return keyword, str(words.read("a size", units.size))
    return keyword, words.rest()


def _without(words: _Line) -> str:
    keyword = words.need("an EHLO keyword").upper()
    if keyword not in EXTENSIONS:
        words.fail(f"{keyword!r} is no extension of the sink: {' '.join(EXTENSIONS)}")
    return keyword


def _rule(words: _Line) -> Rule:
    stage = words.read("a stage: " + " ".join(each.value for each in Stage), Stage)
    rule = Rule(stage, Deed(), line=words.number, text=words.text.strip())
    word = words.need("a condition or an action")
    while (with_condition := _condition(word, words, rule)) is not None:
        rule, word = with_condition, words.need("an action")
    deed = rule.deed
    while word and (with_manner := _manner(word, words, stage, deed)) is not None:
        deed, word = with_manner, words.take()
    if word:
        deed = _outcome(word, words, stage, deed)
    idle = deed.answer is None and deed.end is None and not deed.delay and not deed.sip
    if stage is Stage.BODY and idle:
        words.fail("the body needs a reply, a delay, a sip or an end")
    return replace(rule, deed=deed)


def _check(word: str, words: _Line, stage: Stage) -> None:
    stages, why = _ALLOWED.get(word, (set(Stage), ""))
    if stage not in stages:
        words.fail(f"{word!r} can't stand at {stage.value}: {why}")


def _condition(word: str, words: _Line, rule: Rule) -> Rule | None:
    """Return the rule with this condition; None if the word begins none."""
    _check(word, words, rule.stage)
    match word:
        case "to":
            return replace(rule, recipient=_pattern(words))
        case "from":
            return replace(rule, sender=_pattern(words))
        case "peer":
            return replace(rule, peer=_pattern(words))
        case "past":
            return replace(rule, past=words.read("a size", units.size))
        case "probability":
            return replace(rule, probability=words.read("a share from 0 to 1", _share))
        case "first" | "nth" | "every" | "after":
            number = words.read("a number from 1", _number)
            return replace(rule, often=Often(word), number=number)
        case "per":
            if words.need("'connection'") != "connection" or rule.often is Often.ALWAYS:
                words.fail("write 'per connection' after first, nth, every or after")
            return replace(rule, per_connection=True)
    return None


def _manner(word: str, words: _Line, stage: Stage, deed: Deed) -> Deed | None:
    """Return the deed done in this manner; None if the word names none."""
    _check(word, words, stage)
    match word:
        case "delay":
            return replace(deed, delay=words.read("a duration", _duration))
        case "sip":
            return replace(deed, sip=words.read("a duration", _duration))
        case "trickle":
            return replace(deed, trickle=words.read("a duration", _duration))
        case "babble":
            kinds = " ".join(each.value for each in Babble)
            return replace(deed, babble=words.read(f"a kind of babble: {kinds}", Babble))
    return None


def _outcome(word: str, words: _Line, stage: Stage, deed: Deed) -> Deed:
    """Return the deed with its answer and its end."""
    _check(word, words, stage)
    match word:
        case "answer":
            return replace(deed, end=_then(words))
        case "reply":
            code = words.read("a reply code of three digits", _code)
            text, end = _until_then(words)
            return replace(deed, answer=Answer(code, _reply(code, text)), end=end)
        case "send":
            octets = words.string()
            code = int(octets[:3]) if octets[:3].isdigit() else 200
            return replace(deed, answer=Answer(code, octets), end=_then(words))
        case "then":
            return replace(deed, end=words.read(_ENDS, End))
    if word not in {each.value for each in End}:
        words.fail(f"{word!r} is no condition and no action")
    return replace(deed, answers=False, end=End(word))


def _then(words: _Line) -> End | None:
    if not words.more():
        return None
    if words.take() != "then":
        words.fail("only 'then' and an end may follow")
    return words.read(_ENDS, End)


def _until_then(words: _Line) -> tuple[str, End | None]:
    """Take the text of a reply, and the end after it; "then" is text unless an end follows."""
    text = words.rest()
    found = _THEN.search(text)
    if found is None:
        return text, None
    return text[: found.start()], End(found[1])


def _reply(code: int, text: str) -> bytes:
    lines = text.split("\\n")
    rows = [f"{code:03d}-{line}\r\n" for line in lines[:-1]] + [f"{code:03d} {lines[-1]}\r\n"]
    return "".join(rows).encode("utf-8", "replace")


def _pattern(words: _Line) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(words.need("a pattern")), re.IGNORECASE)


def _share(word: str) -> float:
    share = float(word)
    if not 0 <= share <= 1:
        raise ValueError(word)
    return share


def _number(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number


def _code(word: str) -> int:
    if not (len(word) == 3 and word.isascii() and word.isdigit()):
        raise ValueError(word)
    return int(word)


def _duration(word: str) -> float:
    milliseconds = word.removesuffix("ms")
    return units.duration(word) if milliseconds == word else units.duration(milliseconds) / 1000
