import os
import socket
from pathlib import Path

import pytest

from angarium.config.resolve import Endpoint
from angarium.run.sockets import ListenError, Manner, Sockets, label, open_socket, shown

FIVE = Manner(5)


def tcp(port: int) -> Endpoint:
    return Endpoint("esmtp_listener", f"127.0.0.1:{port}", "127.0.0.1", port)


def test_a_socket_has_a_label_and_an_address() -> None:
    assert label(tcp(25)) == "esmtp_listener 127.0.0.1:25"
    assert shown(tcp(25)) == "127.0.0.1:25"
    assert shown(Endpoint("l", "[::1]:25", "::1", 25)) == "[::1]:25"
    assert shown(Endpoint("l", "/tmp/2025", path="/tmp/2025")) == "/tmp/2025"


def test_an_address_in_use_names_the_address_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = tcp(taken.getsockname()[1])
        with pytest.raises(ListenError, match="another server has it"):
            open_socket(where, FIVE)


def test_a_socket_left_by_a_dead_server_is_taken_over(tmp_path: Path) -> None:
    where = Endpoint("l", "x", path=str(tmp_path / "console"))
    open_socket(where, FIVE).close()
    with open_socket(where, Manner(5, 0o600)):
        assert os.stat(where.path).st_mode & 0o777 == 0o600
        with pytest.raises(ListenError, match="another server answers"):
            open_socket(where, FIVE)


def opened(where: Endpoint, manner: Manner) -> socket.socket:
    if where.port == 666:
        raise ListenError("taken", listen=where.name)
    return socket.socket()


def test_what_is_still_wanted_stays_open() -> None:
    sockets, first, second = Sockets(opened), tcp(25), tcp(587)
    sockets.change([(first, FIVE)]).commit()
    kept = sockets.open[first]
    change = sockets.change([(first, FIVE), (second, FIVE)])
    assert list(change.descriptors()) == ["esmtp_listener 127.0.0.1:587"]
    change.commit()
    assert sockets.open[first] is kept
    sockets.change([(second, FIVE)]).commit()
    assert kept.fileno() == -1
    assert list(sockets.open) == [second]
    sockets.close()


def test_a_refused_generation_leaves_no_socket_behind() -> None:
    sockets = Sockets(opened)
    sockets.change([(tcp(25), FIVE)]).abort()
    with pytest.raises(ListenError):
        sockets.change([(tcp(25), FIVE), (tcp(666), FIVE)])
    assert sockets.open == {}


def test_another_generation_may_change_backlog_and_mode_of_what_stays(tmp_path: Path) -> None:
    sockets = Sockets()
    where = Endpoint("l", "x", path=str(tmp_path / "x"))
    sockets.change([(where, Manner(0, 0o600))]).commit()
    refused = sockets.change([(where, Manner(5, 0o666))])
    assert os.stat(where.path).st_mode & 0o777 == 0o600
    refused.abort()
    sockets.change([(where, Manner(5, 0o666))]).commit()
    assert os.stat(where.path).st_mode & 0o777 == 0o666
    clients = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(4)]
    for each in clients:
        each.setblocking(False)
        each.connect(where.path)  # A backlog of 0 would hold one of them.
    for each in clients:
        each.close()
    sockets.close()
