"""What policy pays for a look into a message, and for an edit.

    .venv/bin/python -m benchmarks.bench_messages

A message of 10 KB with 18 header fields and four parts, and one of 100 MB for the patterns. The
budget: reading a field 1 us when the header is known, an edit of the header a few us.
"""

import re
import timeit
from collections.abc import Callable, Iterator
from typing import Final

from angarium.core.body import Body, MemoryBody
from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.draft import Draft
from angarium.mail.format.search import matches
from angarium.mail.format.text import octets_of, text_matches, text_parts, text_replace
from angarium.mail.format.tree import tree
from angarium.mail.report.classify import classify_text

LINES: Final = b"Some text of a message, which goes on for about as long as a line may be.\r\n"
FIELDS: Final = b"".join(
    b"X-Field-%d: a value of it which is not too short\r\n" % i for i in range(12)
)
MESSAGE: Final = (
    FIELDS + b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= x\r\n"
    b'From: "Bob, B." <bob+x@a.example>\r\nTo: a@b.example, C <c@d.example>\r\n'
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=out\r\n\r\n"
    b"--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
    b"--in\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n" + LINES * 40 + b"\r\n"
    b"--in\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + LINES * 60 + b"\r\n--in--\r\n"
    b"--out\r\nContent-Type: application/x-a; name=a.bin\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 19 * 20 + b"\r\n--out--\r\n"
)
BODY: Final = MemoryBody(MESSAGE)
FRONT: Final = b"Received: from [192.0.2.1] helo=x\r\n\tby mx with ESMTP\r\n\tid 1; a date\r\n"
WORD: Final = re.compile("ab[so]ut|about", re.ASCII)


class Large:
    """100 MB."""

    size = 100 << 20

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        piece = LINES * (65536 // len(LINES))
        for _ in range(self.size // len(piece)):
            yield piece


def known() -> Draft:
    draft = Draft(BODY, FRONT)
    draft.value("x")
    return draft


def before(draft: Draft) -> bytes:
    draft.prepend("X", "y")
    return draft.front


def behind(draft: Draft) -> Body:
    draft.append("X", "y")
    return draft.content()


def instead(draft: Draft) -> Body:
    draft.replace("Subject", "y")
    return draft.content()


def rewritten(draft: Draft) -> Body:
    text_replace(tree(draft, readonly=False), WORD, lambda _: "for")
    return draft.content()


ROWS: Final[tuple[tuple[str, Callable[[Draft], object]], ...]] = (
    ("a draft of a message", lambda _: Draft(BODY, FRONT)),
    ("and one field before all others", lambda _: before(Draft(BODY, FRONT))),
    ("and its first look at a field", lambda _: Draft(BODY, FRONT).value("subject")),
    ("the value of a field", lambda draft: draft.value("subject")),
    ("decoded", lambda draft: draft.text("subject")),
    ("a copy for a recipient", lambda draft: draft.copy()),
    ("a copy with a field before", lambda draft: before(draft.copy())),
    ("a copy with a field behind", lambda draft: behind(draft.copy())),
    ("a copy with a field replaced", lambda draft: instead(draft.copy())),
    ("two addresses", lambda draft: mailboxes(b"a@b.example, C <c@d.example>")),
    ("the tree, all kinds read", lambda draft: [part.kind for part in tree(draft).walk()]),
    ("the texts, decoded", lambda draft: [octets_of(each) for each in text_parts(tree(draft))]),
    ("a pattern over the octets", lambda draft: list(matches(WORD, draft.pieces()))),
    ("a pattern over the texts", lambda draft: list(text_matches(tree(draft), WORD))),
    ("100 replacements in two texts", lambda draft: rewritten(draft.copy())),
    ("a reply classified", lambda _: classify_text("550 5.7.1 blocked using zen.example")),
)


def each_in_us(what: Callable[[Draft], object], draft: Draft) -> float:
    """The shortest of many runs of some milliseconds, so that others on the machine matter less."""
    timer = timeit.Timer(lambda: what(draft))
    count = max(int(0.003 / timer.timeit(number=1)), 1)
    return min(timer.repeat(number=count, repeat=100)) / count * 1e6


def main() -> None:
    print(f"{len(MESSAGE)} octets")
    for name, what in ROWS:
        print(f"{name:40}{each_in_us(what, known()):10.2f} us")
    took = timeit.timeit(lambda: sum(1 for _ in matches(WORD, Large().pieces())), number=1)
    print(f"{'a pattern over 100 MB':40}{Large.size / took / (1 << 20):10.0f} MB/s")


if __name__ == "__main__":
    main()
