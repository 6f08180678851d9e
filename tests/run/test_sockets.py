import os
import socket
from pathlib import Path

import pytest

from angarium.run.sockets import Endpoint, ListenError, Sockets, endpoint, open_socket


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (":25", "0.0.0.0:25"),
        ("*:2525", "0.0.0.0:2525"),
        ("127.0.0.1:2525", "127.0.0.1:2525"),
        ("[::1]:25", "[::1]:25"),
        ("[*]:25", "[::]:25"),
        ("/tmp/2025", "/tmp/2025"),
    ],
)
def test_the_forms_of_a_listen_stanza(name: str, address: str) -> None:
    assert str(endpoint(name)) == address


@pytest.mark.parametrize("name", ["", "25", "localhost:25", "127.0.0.1:smtp", ":70000", "::1:x"])
def test_another_form_says_what_is_right(name: str) -> None:
    with pytest.raises(ListenError, match="write ADDRESS:PORT"):
        endpoint(name)


def test_an_address_in_use_names_the_address_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = endpoint(f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ListenError, match="another server has it"):
            open_socket(where, 5)


def test_a_socket_left_by_a_dead_server_is_taken_over(tmp_path: Path) -> None:
    where = endpoint(str(tmp_path / "console"))
    open_socket(where, 5).close()
    with open_socket(where, 5, mode=0o600):
        assert os.stat(where.host).st_mode & 0o777 == 0o600
        with pytest.raises(ListenError, match="another server answers"):
            open_socket(where, 5)


def opened(where: Endpoint, backlog: int) -> socket.socket:
    if where.port == 666:
        raise ListenError("taken", listen=where.name)
    return socket.socket()


def test_what_is_still_wanted_stays_open() -> None:
    sockets, first, second = Sockets(opened), endpoint(":25"), endpoint(":587")
    sockets.change([(first, 5)]).commit()
    kept = sockets.open[first]
    change = sockets.change([(first, 5), (second, 5)])
    assert list(change.descriptors()) == ["listen :587"]
    change.commit()
    assert sockets.open[first] is kept
    sockets.change([(second, 5)]).commit()
    assert kept.fileno() == -1
    assert list(sockets.open) == [second]
    sockets.close()


def test_a_refused_generation_leaves_no_socket_behind() -> None:
    sockets = Sockets(opened)
    sockets.change([(endpoint(":25"), 5)]).abort()
    with pytest.raises(ListenError):
        sockets.change([(endpoint(":25"), 5), (endpoint(":666"), 5)])
    assert sockets.open == {}
