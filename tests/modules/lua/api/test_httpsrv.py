"""msys.httpsrv: what is registered, and what a session of HTTP says and hears."""

from pathlib import Path

import pytest

from angarium.modules.lua.api.httpsrv import MOST_FIELDS, HttpSession, registrations
from angarium.modules.lua.errors import ScriptError
from angarium.policy.endpoints import Request
from angarium.policy.guard import PolicyError
from angarium.wire.channel import MOST_CONTENT, MOST_ENDPOINTS, HttpRequest, HttpResponse
from helpers.lua import services
from helpers.scripts import Scripts
from helpers.snippets import run, state

FIELDS = [
    (b"host", b"x"),
    (b"content-type", b'application/json; charset="utf-8"'),
    (b"x-a", b"1"),
    (b"x-a", b"2"),
]


def session(target: str = "/a", content: bytes = b"", method: str = "POST") -> HttpSession:
    path = target.partition("?")[0]
    head = HttpRequest(method, target, path, FIELDS, "192.0.2.1", 9, ("192.0.2.2", 80), 1.0)
    return HttpSession(Request(head, content))


def said(source: str, about: HttpSession | None = None) -> object:
    """Run a chunk which has the session as `session`."""
    lua = state()
    known = lua.to_lua(about or session())
    function = lua.load(b"local session = ...; " + source.encode(), "test")
    results = [lua.from_lua(each) for each in lua.run_now(function, known)]
    return results[0] if len(results) == 1 else results


def test_functions_are_kept_in_their_order_without_the_slash_at_the_end() -> None:
    lua = state()
    run('msys.httpsrv.register("get", "/a/", print)', lua)
    run('msys.httpsrv.register(nil, "/", print)', lua)
    known = registrations(lua).known
    assert [(each.method, each.path) for each in known] == [("GET", "/a"), ("", "")]


def test_of_two_for_the_same_the_first_one_stays_and_it_is_told() -> None:
    panics: list[str] = []
    lua = state(services(panic=panics.append))
    run('msys.httpsrv.register("GET", "/a", print)', lua)
    run('msys.httpsrv.register("GET", "/a/", error)', lua)
    assert len(registrations(lua).known) == 1
    assert panics == ["endpoint GET /a/ is registered already; the first one answers"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ('"GET", "a", print', "no path"),
        ('"GET", "", print', "no path"),
        ('"GET", "/a?b", print', "no path"),
        ('"GET", "/a b", print', "no path"),
        ('"GET", "/" .. string.rep("x", 300), print', "no path"),
        ('"G T", "/a", print', "no method"),
        ('"", "/a", print', "no method"),
        ('"GET", "/a", "print"', "function expected, got string"),
        ('"GET", "/a"', "function expected, got nil"),
        ('{}, "/a", print', "string or nil expected, got table"),
    ],
)
def test_what_can_be_no_endpoint_is_an_error(arguments: str, reason: str) -> None:
    with pytest.raises(ScriptError, match=reason):
        run(f"msys.httpsrv.register({arguments})")


def test_there_is_an_end_to_endpoints() -> None:
    lua = state()
    with pytest.raises(ScriptError, match=f"no more than {MOST_ENDPOINTS}"):
        run('for i = 1, 1000 do msys.httpsrv.register("GET", "/" .. i, print) end', lua)
    assert len(registrations(lua).known) == MOST_ENDPOINTS


async def test_an_endpoint_without_httpsrv_refuses_the_configuration(tmp_path: Path) -> None:
    text = 'msys.httpsrv.register("GET", "/a", print)'
    with pytest.raises(PolicyError, match="needs the stanza httpsrv"):
        Scripts(tmp_path, {"mine": text})


def test_the_target_is_given_in_its_parts() -> None:
    source = """
    local u = session:request_url_get()
    return u.url, u.path, u.raw_query, u.query, u.attrs.x, u.attrs.y, u.host, u.scheme, u.port
    """
    assert said(source, session("/a%20b?x=1&x=2&y=%C3%A4")) == [
        b"/a%20b?x=1&x=2&y=%C3%A4", b"/a b", b"x=1&x=2&y=%C3%A4", "x=1&x=2&y=ä".encode(),
        b"2", "ä".encode(), None, None, None,
    ]  # fmt: skip
    assert said(source, session("http://h.test:81/a?y=")) == [
        b"http://h.test:81/a?y=", b"/a", b"y=", b"y=", None, b"", b"h.test", b"http", 81,
    ]  # fmt: skip
    assert said("return session:request_url_get().attrs", session("//a/b")) is None
    assert said("return session:request_url_get().path", session("//a/b")) == b"//a/b"
    with pytest.raises(ScriptError, match="no URL"):
        said("session:request_url_get()", session("http://[::1/"))


def test_parameters_can_be_gone_through_as_the_manual_does() -> None:
    source = """
    local attrs, found = session:request_url_get().attrs, {}
    local iter = msys.core.dict_iter2(attrs)
    repeat
      local rc, k, v = msys.core.dict_next(attrs, iter)
      if rc ~= 0 then found[#found + 1] = k .. "=" .. v end
    until rc == 0
    msys.core.dict_iter2_free(attrs, iter)
    table.sort(found)
    return table.concat(found, " ")
    """
    assert said(source, session("/a?b=2&a=1")) == b"a=1 b=2"


def test_the_request_can_be_read() -> None:
    source = """
    return session:request_method_get(), session:request_header_get("X-A"),
      session:request_header_get("none"), session:request_data_get_string(),
      session:request_peer_address(), session:request_local_address()
    """
    assert said(source, session(content=b"\0\xff")) == [
        b"POST", b"1, 2", None, b"\0\xff", b"192.0.2.1", b"192.0.2.2",
    ]  # fmt: skip
    kinds = "return session:request_content_type_get()"
    assert said(kinds) == [b"application/json", b"utf-8"]
    plain = session()
    plain.request.head.fields[:] = [(b"content-type", b"text/plain")]
    try:
        assert said(kinds, plain) == [b"text/plain", None]
        plain.request.head.fields.clear()
        assert said(kinds, plain) == [None, None]
    finally:
        plain.request.head.fields[:] = list(FIELDS)


def test_what_is_left_unsaid_is_200_with_nothing() -> None:
    response = session().response()
    assert (response.head, response.content) == (HttpResponse(200, []), b"")


def test_the_answer_is_the_last_one_set() -> None:
    about = session()
    said(
        """
        session:response_status_set_std(404, "no", "text/html")
        session:response_header_set("X-B", "1")
        session:response_header_set("x-b", " 2 ")
        session:response_status_set_std(201, "yes")
        session:response_append(", and")
        session:response_append(" more")
        """,
        about,
    )
    response = about.response()
    assert response.head == HttpResponse(201, [(b"content-type", b"text/plain"), (b"x-b", b"2")])
    assert response.content == b"yes, and more"


def test_an_answer_which_has_no_content_is_sent_without() -> None:
    about = session()
    said('session:response_status_set_std(204, "gone")', about)
    assert about.response().content == b""


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ('response_status_set_std(100, "x")', "status from 200 to 599"),
        ('response_status_set_std(600, "x")', "status from 200 to 599"),
        ('response_status_set_std("x", "x")', "number expected"),
        ("response_status_set_std(200)", "string expected"),
        ('response_status_set_std(200, "x", "a\\nb")', "no line of a header"),
        (f'response_status_set_std(200, string.rep("x", {MOST_CONTENT + 1}))', "octets at most"),
        (f'response_append(string.rep("x", {MOST_CONTENT + 1}))', "octets at most"),
        ('response_header_set("a b", "x")', "no name of a header"),
        ('response_header_set("a", "x\\r\\ny: z")', "no line of a header"),
        ('response_header_set("a", string.rep("x", 5000))', "no line of a header"),
        ('response_header_set("Transfer-Encoding", "x")', "set by the server"),
    ],
)
def test_what_can_be_no_answer_is_an_error(call: str, reason: str) -> None:
    about = session()
    with pytest.raises(ScriptError, match=reason):
        said(f"session:{call}", about)
    assert about.response().head == HttpResponse(200, [])


def test_there_is_an_end_to_fields() -> None:
    with pytest.raises(ScriptError, match=f"{MOST_FIELDS} fields at most"):
        said('for i = 1, 100 do session:response_header_set("a" .. i, "x") end')
