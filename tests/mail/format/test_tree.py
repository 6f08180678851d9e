"""Parts of messages."""

import email
import email.policy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.mail.format.build import container, leaf
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import MAX_DEPTH, MAX_PARTS, Kind, MimeError, Part, tree

MIXED = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n"
    b'preamble\r\n--out\r\nContent-Type: multipart/alternative;\r\n boundary="in"\r\n\r\n'
    b"--in\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nplain \xe9\r\n"
    b"--in  \r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n"
    b"--in--\r\n--out\r\n\r\nbare\r\n\r\n"
    b"--out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext\r\n"
    b"--out\r\nContent-Type: application/x-a; name=a.bin\r\n"
    b"Content-Disposition: attachment; filename=b.bin\r\n\r\ndata\r\n--out--\r\nepilogue"
)


def top_of(content: bytes, *, readonly: bool = True) -> Part:
    return tree(Draft(content), readonly=readonly)


def shape(part: Part) -> object:
    return (
        (part.kind.mimetype, [shape(each) for each in part.parts])
        if part.parts
        else (part.kind.mimetype)
    )


def test_parts_are_found_in_their_order() -> None:
    top = top_of(MIXED)
    assert shape(top) == (
        "multipart/mixed",
        [
            ("multipart/alternative", ["text/plain", "text/html"]),
            "text/plain",
            ("message/rfc822", ["text/plain"]),
            "application/x-a",
        ],
    )
    walked = list(top.walk())
    assert [part.body for part in walked if not part.parts] == [
        b"plain \xe9", b"PGI+", b"bare\r\n", b"text", b"data",
    ]  # fmt: skip
    threaded = [top]
    while (part := threaded[-1].thread) is not None:
        threaded.append(part)
    assert threaded == walked
    assert top.readonly
    assert all(each.readonly for each in walked)
    assert walked[2].parent is walked[1]
    assert walked[2].top is top


def test_a_kind_is_read_from_the_header() -> None:
    parts = list(top_of(MIXED).walk())
    assert parts[2].kind == Kind("text/plain", "iso-8859-1", "7bit", False, "")
    assert parts[3].kind == Kind("text/html", "", "base64", False, "")
    assert parts[7].kind == Kind("application/x-a", "", "7bit", True, "b.bin")
    top = top_of(b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: 8BIT ; x\r\n\r\n")
    assert top.kind == Kind("text/plain", "", "8bit", True, "")


def test_what_is_not_edited_keeps_its_octets() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    last = top.parts[3]
    assert last.raw.endswith(b"\r\n\r\ndata")
    last.body = b"other"
    assert draft.whole() == MIXED.replace(b"data", b"other")
    top.parts[0].parts[0].header.append("X", "y")
    assert draft.whole() == MIXED.replace(b"data", b"other").replace(
        b"iso-8859-1\r\n", b"iso-8859-1\r\nX: y\r\n"
    )
    assert draft.body_changed
    assert not draft.header_changed
    top.header.append("Z", "1")
    assert draft.value("z") == b"1"
    top.parts[2].parts[0].body = b"new"
    assert b"inner\r\n\r\nnew\r\n--out" in draft.whole()


def test_parts_are_added_and_taken_out() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    first, bare, letter, last = top.parts
    top.add_first(leaf("a/first", b"1"))
    top.add_last(leaf("a/last", b"2"))
    leaf("a/before", b"3").insert_before(bare)
    leaf("a/after", b"4", "8bit").insert_after(bare)
    last.unlink()
    letter.unlink()
    first.parts[0].unlink()
    want = (
        MIXED.partition(b"--out")[0]
        + b"--out\r\nContent-Type: a/first\r\n\r\n1\r\n"
        + b'--out\r\nContent-Type: multipart/alternative;\r\n boundary="in"\r\n\r\n'
        + b"\r\n--in  \r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b"PGI+\r\n--in--"
        + b"\r\n--out\r\nContent-Type: a/before\r\n\r\n3\r\n--out\r\n\r\nbare\r\n"
        + b"\r\n--out\r\nContent-Type: a/after\r\nContent-Transfer-Encoding: 8bit\r\n\r\n4"
        + b"\r\n--out\r\nContent-Type: a/last\r\n\r\n2\r\n--out--\r\nepilogue"
    )
    assert draft.whole() == want
    assert last.parent is None
    top.add_last(last)
    assert draft.whole().endswith(b"data\r\n--out--\r\nepilogue")
    assert shape(top_of(draft.whole())) == shape(top)


def test_a_container_is_made_and_filled() -> None:
    box = container("multipart/alternative", "new box")
    assert box.is_container
    assert box.parts == []
    assert box.boundary == b"new box"
    box.add_last(leaf("text/plain", b"a"))
    box.add_last(leaf("text/html", b"b"))
    draft = Draft(MIXED)
    tree(draft, readonly=False).add_last(box)
    assert b"data\r\n--out\r\n" + box.raw + b"\r\n--out--\r\n" in draft.whole()
    assert box.raw == (
        b'Content-Type: multipart/alternative; boundary="new box"\r\n\r\n'
        b"--new box\r\nContent-Type: text/plain\r\n\r\na\r\n"
        b"--new box\r\nContent-Type: text/html\r\n\r\nb\r\n--new box--\r\n"
    )


EDITS: list[Callable[[Part], object]] = [
    lambda part: part.add_last(leaf("a/b")),
    lambda part: part.add_first(leaf("a/b")),
    lambda part: part.parts[0].unlink(),
    lambda part: leaf("a/b").insert_after(part.parts[0]),
    lambda part: leaf("a/b").insert_before(part.parts[0]),
    lambda part: part.parts[1].header.append("X", "y"),
    lambda part: part.parts[1].header.delete("X"),
    lambda part: setattr(part.parts[1], "body", b"x"),
    lambda part: setattr(part.parts[1], "raw", b"x"),
    lambda part: setattr(part, "raw", b"x"),
]


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_to_read_refuses_edits(edit: Callable[[Part], object]) -> None:
    draft = Draft(MIXED)
    with pytest.raises(MimeError):
        edit(tree(draft))
    assert draft.whole() == MIXED
    edit(tree(draft, readonly=False))


@pytest.mark.parametrize("edit", EDITS)
def test_parts_of_a_body_that_is_no_more_refuse_edits(edit: Callable[[Part], object]) -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    draft.set_body(b"other")
    with pytest.raises(MimeError):
        edit(top)
    assert draft.body_octets == b"other"


def test_edits_which_make_no_tree_are_refused() -> None:
    top = top_of(MIXED, readonly=False)
    one = leaf("a/b", b"x\r\n--out\r\n")
    box = container("multipart/x", "box")
    refused: list[Callable[[], object]] = [
        lambda: top.parts[1].add_last(leaf("a/b")),
        lambda: top.add_last(top.parts[1]),
        top.unlink,
        top.parts[2].parts[0].unlink,
        lambda: leaf("a/b").insert_after(top),
        lambda: top.add_last(one),
        lambda: top.parts[0].add_last(one),
        lambda: box.add_last(box),
        lambda: setattr(top.parts[1], "body", b"--out--"),
        lambda: setattr(top.parts[0].parts[0], "raw", b"\r\nx\r\n--out"),
    ]
    for edit in refused:
        with pytest.raises(MimeError):
            edit()
    deep = box
    for _ in range(MAX_DEPTH - 1):
        outer = container("multipart/x", f"box{id(deep)}")
        outer.add_last(deep)
        deep = outer
    deep.add_last(leaf("a/b"))
    with pytest.raises(MimeError, match="deep"):
        top.add_last(deep)


def test_another_boundary_in_the_header_is_written_between_the_parts() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    top.parts[0].header.set("Content-Type", "multipart/alternative; boundary=changed")
    octets = top.parts[0].raw
    assert octets.count(b"--changed") == 3
    assert b"--in" not in octets
    draft.set("Content-Type", "multipart/mixed; boundary=top")
    top.parts[1].body = b"x"
    assert draft.whole().count(b"\r\n--top") == 5
    assert draft.whole().endswith(b"data\r\n--top--\r\nepilogue")
    assert shape(top_of(draft.whole())) == shape(top)


def test_a_copy_of_the_draft_does_not_follow_later_edits() -> None:
    draft = Draft(MIXED)
    top = tree(draft, readonly=False)
    top.parts[3].body = b"one"
    other = draft.copy()
    top.parts[3].body = b"two"
    assert other.whole() == MIXED.replace(b"data", b"one")
    assert draft.whole() == MIXED.replace(b"data", b"two")


M = b"Content-Type: multipart/x; boundary=b\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "bodies"),
    [
        (M + b"--b\r\n\r\nx\r\n--b--", [b"x"]),
        (M + b"--b\r\n\r\nx", [b"x"]),  # never closed
        (M + b"--b\r\n\r\nx\r\n--b", [b"x", b""]),
        (M + b"--b", [b""]),
        (M + b"--b\r\n--b\r\n--b--", [b"", b""]),
        (M + b"--b--\r\nx", []),
        (M + b"no delimiter", []),
        (M + b"--bx\r\n--b x\r\nx--b\r\n", []),
        (M + b"--b \t\r\n\r\nx\n--b\n\r\ny\r\n--b-- \r\n", [b"x", b"y"]),
        (M + b"--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny", [b"x"]),
        (M + b"--b\r\nno header\r\n--b--", [b"no header"]),
        (M + b"--b\r\nOnly: a header\r\n--b--", [b""]),
        (b"Content-Type: multipart/x\r\n\r\n--b\r\n\r\nx\r\n--b--", []),
        (b"Content-Type: text/x; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--", []),
        (M.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--b\r\n", []),
    ],
)
def test_broken_multiparts_are_read_as_readers_do(content: bytes, bodies: list[bytes]) -> None:
    draft = Draft(content)
    top = tree(draft, readonly=False)
    assert [part.body for part in top.parts] == bodies
    assert [part.parent for part in top.parts] == [top] * len(bodies)


@pytest.mark.parametrize(
    "body", [b"--b\r\n--b--", b"--b\r\n\r\n\r\n--b--", b"\r\n--b\r\n--b\r\n", b"--b"]
)
def test_parts_which_were_empty_can_be_filled(body: bytes) -> None:
    draft = Draft(M + body)
    top = tree(draft, readonly=False)
    for part in top.parts:
        part.body = b"text"
    top.add_first(leaf("a/b", b"first"))
    again = top_of(draft.whole())
    assert [part.body for part in again.parts] == [b"first"] + [b"text"] * (len(top.parts) - 1)


def test_line_ends_without_their_cr_hide_nothing() -> None:
    head, _, body = MIXED.partition(b"\r\n\r\n")
    octets = head + b"\r\n\r\n" + body.replace(b"\r\n", b"\n")
    draft = Draft(octets)
    top = tree(draft, readonly=False)
    assert shape(top) == shape(top_of(MIXED))
    assert [part.kind for part in top.walk()] == [part.kind for part in top_of(MIXED).walk()]
    assert draft.whole() == octets
    top.parts[3].header.append("X", "y")
    assert b"\r\nContent-Disposition: attachment; filename=b.bin\r\nX: y\r\n\ndata" in draft.whole()
    assert shape(top_of(draft.whole())) == shape(top)
    mixed = b"--b\r\nA: b\nContent-Type: text/html\r\n\nx\r\n\r\ny\r\n--b--"
    assert [part.kind.mimetype for part in top_of(M + mixed).parts] == ["text/html"]
    assert [part.body for part in top_of(M + b"--b\n\nA: b\n\nx\n--b--").parts] == [b"A: b\n\nx"]


def test_a_digest_holds_messages() -> None:
    top = top_of(M.replace(b"/x", b"/digest") + b"--b\r\n\r\nSubject: in\r\n\r\ny\r\n--b--")
    assert shape(top) == ("multipart/digest", [("message/rfc822", ["text/plain"])])


def test_depth_and_number_are_bounded() -> None:
    deep = b"x"
    for level in range(MAX_DEPTH * 2):
        deep = b"Content-Type: multipart/x; boundary=b%d\r\n\r\n--b%d\r\n%b" % (level, level, deep)
    assert len(list(top_of(deep).walk())) == MAX_DEPTH + 1
    letters = b"Content-Type: message/rfc822\r\n\r\n" * 500
    assert len(list(top_of(letters).walk())) == MAX_DEPTH + 1
    wide = top_of(M + b"--b\r\n\r\nx\r\n" * (MAX_PARTS + 100))
    assert len(wide.parts) == MAX_PARTS + 1
    assert wide.parts[-1].body.count(b"--b") == 99


BITS = st.lists(
    st.sampled_from(
        [b"\r\n", b"--b", b"--", b"--c", b"--b--", b"\r\n\r\n", b"text", b" ", b"\n", b"\r"]
        + [b"Content-Type: multipart/x; boundary=", b"b", b"c", b"Content-Type: message/rfc822"]
        + [b"Content-Transfer-Encoding: base64\r\n", M, b"\r\n--b\r\n", b"\xff", b"X: y\r\n"]
    ),
    max_size=25,
).map(b"".join)


@given(BITS)
def test_any_octets_have_some_parts_and_stay(bits: bytes) -> None:
    content = M + bits
    draft = Draft(content)
    top = tree(draft, readonly=False)
    parts = list(top.walk())
    for part in parts:
        assert part.raw in content
        assert part.kind is not None
    # Made new from its parts, it is the same.
    for part in parts:
        if part.parts:
            assert part._joined() == part.body or not part._tail
    assert draft.whole() == content


@given(BITS, st.integers(0, 5), st.sampled_from([b"", b"new", b"new\r\n", b"X: y"]))
def test_what_is_put_into_any_tree_is_found_there(bits: bytes, which: int, body: bytes) -> None:
    draft = Draft(M + bits)
    top = tree(draft, readonly=False)
    containers = [part for part in top.walk() if part.is_container]
    if not containers:
        return
    box = containers[which % len(containers)]
    path, part = [], box
    while part.parent is not None:
        path.append(part._place)
        part = part.parent
    try:
        box.add_last(leaf("a/new", body))
    except MimeError:
        return
    bodies = [part.body for part in box.parts]
    part = top_of(draft.whole())
    for place in reversed(path):
        part = part.parts[place]
    assert [each.body for each in part.parts] == bodies
    assert bodies[-1] == body


LINES = st.lists(
    st.sampled_from(
        "|text|--b|--c|--b--|--c--|--bc|--b |Content-Type: multipart/x; boundary=c"
        "|Content-Type: message/rfc822|Content-Type: text/html|X: y".split("|")
    ),
    max_size=25,
).map(lambda lines: "\r\n".join(lines).encode())


@given(LINES)
def test_the_standard_library_finds_the_same(lines: bytes) -> None:
    content = M + lines
    ours = top_of(content)
    theirs = email.message_from_bytes(content, policy=email.policy.compat32)
    if any(part.defects for part in theirs.walk()):
        return  # where there are faults, meanings differ
    if any(not part.raw for part in ours.walk()):
        return  # they take delimiters without anything between for one
    assert [part.get_content_type() for part in theirs.walk()] == [
        part.kind.mimetype for part in ours.walk()
    ]
