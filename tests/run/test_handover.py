import os
from pathlib import Path

import pytest

from angarium.run import handover
from angarium.run.handover import HandoverError
from helpers.handover import given


def test_what_is_left_is_found(tmp_path: Path) -> None:
    descriptor = handover.write(given())
    assert handover.read(descriptor) == given()
    assert handover.read(descriptor) == given()  # also a second time: after a rehearsal
    os.close(descriptor)


def test_every_descriptor_is_inherited() -> None:
    assert sorted(given().descriptors()) == [5, 6, 7, 8, 9, 11, 12, 13, 14]


@pytest.mark.parametrize("changes", [{"version": 99}, {"common": "link 0"}])
def test_a_program_which_shares_less_with_the_children_is_refused(
    changes: dict[str, object],
) -> None:
    descriptor = handover.write(given(**changes))
    with pytest.raises(HandoverError, match="must be started anew"):
        handover.read(descriptor)
    os.close(descriptor)


def test_anything_else_is_no_handover() -> None:
    descriptor = os.memfd_create("test")
    os.write(descriptor, b"what")
    with pytest.raises(HandoverError, match="not a handover"):
        handover.read(descriptor)
    os.close(descriptor)
