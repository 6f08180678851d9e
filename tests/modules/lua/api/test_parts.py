"""Parts of a message."""

from helpers.objects import mail, refused, said

MIXED = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nhello world\r\n"
    b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
)


def test_parts_are_gone_through_in_their_order() -> None:
    text = """
    local top = msg:mime()
    local seen, part = "", top
    while part do seen = seen .. part:content_type().mimetype .. " " part = part.thread end
    return seen, #top.parts, top.parts[1].parent == top, top.parts[2].thread
    """
    assert said(text, mail(content=MIXED)) == [
        b"multipart/mixed text/plain application/pdf ", 2, True, None,
    ]  # fmt: skip


def test_what_a_part_is() -> None:
    text = "return msg:mime().parts[2]:content_type(), msg:mime().parts[1]:content_type().charset"
    kind, charset = said(text, mail(content=MIXED))
    assert kind == {
        b"mimetype": b"application/pdf", b"encoding": b"base64", b"is_attachment": True,
        b"filename": b"a.pdf",
    }  # fmt: skip
    assert charset is None


def test_header_and_text_of_a_part_are_changed() -> None:
    one = mail(content=MIXED)
    text = """
    local part = msg:mime(false).parts[1]
    part:header("X-A", "1")
    part:header("X-A", "2", "append")
    local before = #part:header("X-A")
    part:header("X-A", nil)
    part:text("neü", "text/plain", "utf-8")
    return before, #part:header("X-A"), part:text(), part:text_match("ne(.)")[0] ~= nil,
      part:text_replace("n", "N"), part:body_match("zz"), part:raw_match("Content")[0]
    """
    assert said(text, one) == [2, 0, "neü".encode(), True, True, False, b"Content"]
    assert "Neü".encode() in said("return msg:text()", one)
    assert said("return msg:mime().text(msg:mime())", one) is None


def test_octets_of_a_part_are_replaced() -> None:
    one = mail(content=MIXED)
    text = """
    local part = msg:mime(false).parts[1]
    return part:body_replace("hello", "goodbye"), part:raw_replace("text/plain", "text/x"),
      part:address_header("To")
    """
    assert said(text, one) == [True, True, {}]
    assert b"Content-Type: text/x\r\n\r\ngoodbye world" in one.draft.whole()


def test_parts_are_made_put_in_and_taken_out() -> None:
    one = mail(content=MIXED)
    text = """
    local top = msg:mime(false)
    local first = msg:makePart("text/plain", "made")
    first.body_start = 0
    first.body_end = #"made"
    top:addFirstChild(first)
    local box = msg:makeContainer("multipart/related")
    box:addLastChild(msg:makePart("text/html", "<b>", msys.core.EC_MIME_TE_8BIT))
    box:insertAfter(top.parts[1])
    msg:makePart("text/x-before", "b"):insertBefore(box)
    top.parts[5]:unlink()
    local seen = ""
    for _, part in ipairs(top.parts) do seen = seen .. part:content_type().mimetype .. " " end
    return seen, #msg:makeBoundary(top) > 10
    """
    assert said(text, one) == [b"text/plain text/x-before multipart/related text/plain ", True]
    assert b"\r\n\r\nmade\r\n" in one.draft.whole()


def test_what_cannot_be_done_to_parts() -> None:
    one = mail(content=MIXED)
    assert "read only" in refused("msg:mime().parts[1]:unlink()", one)
    assert "no container" in refused(
        "msg:mime(false).parts[1]:addLastChild(msg:makePart('a/b', 'c'))", one
    )
    assert "EC_MIME_TE_" in refused("msg:makePart('a/b', 'c', 9)", one)
    assert "string or io_object expected" in refused("msg:makePart('a/b', {})", one)
    assert "beside parts" in refused("msg:makeBoundary('x')", one)
