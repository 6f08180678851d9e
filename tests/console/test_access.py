"""Who may ask what."""

import os

import pytest

from angarium.console.access import Peer, Rank, by_credentials, user_name


@pytest.mark.parametrize(("uid", "welcome"), [(1000, True), (0, True), (1001, False)])
def test_by_the_socket_come_the_user_of_the_server_and_root(uid: int, welcome: bool) -> None:
    peer = by_credentials(uid, 1000, "/run/control")
    assert (peer is not None) is welcome
    if peer is not None:
        assert (peer.rank, peer.endpoint, peer.address) == (Rank.OPERATOR, "/run/control", "")


def test_a_user_has_a_name_or_a_number() -> None:
    assert user_name(0) == "root"
    assert user_name(2**31 - 7) == str(2**31 - 7)
    assert user_name(os.getuid())


def test_a_rank_includes_those_below() -> None:
    viewer, operator = (Peer("x", rank, "") for rank in (Rank.VIEWER, Rank.OPERATOR))
    assert operator.may(Rank.VIEWER)
    assert not viewer.may(Rank.OPERATOR)
