"""Private keys, kept for a while."""

import os
from pathlib import Path

from angarium.config.held import Held
from angarium.modules.sign.keyring import MAX_FILE, UNKNOWN, Keyring
from helpers.guards import Place
from helpers.signing import key


def ring(place: Place, size: int = 10) -> Keyring:
    return Keyring(place.means(), size, 60.0, 5.0)


async def test_a_key_is_read_once_in_its_time(tmp_path: Path) -> None:
    place = Place(tmp_path, "")
    keys, path = ring(place), tmp_path / "key"
    path.write_bytes(key().pem())
    assert keys.known(str(path)) is UNKNOWN
    found = await keys.look(str(path))
    assert found is not None
    assert found.record() == key().record()
    path.unlink()
    assert keys.known(str(path)) is found
    place.clock.advance(61)
    assert keys.known(str(path)) is UNKNOWN
    assert await keys.look(str(path)) is None
    assert keys.known(str(path)) is None
    place.clock.advance(6)
    assert keys.known(str(path)) is UNKNOWN


async def test_what_is_no_key_is_none_and_waits_for_nobody(tmp_path: Path) -> None:
    keys = ring(Place(tmp_path, ""))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "junk").write_bytes(b"x" * (2 * MAX_FILE))
    for name in ("pipe", "junk", "gone", "."):
        assert await keys.look(str(tmp_path / name)) is None


async def test_a_key_of_root_is_the_one_which_was_there_at_the_start(tmp_path: Path) -> None:
    place, path = Place(tmp_path, ""), tmp_path / "key"
    path.write_bytes(key().pem())
    means = place.means()
    means.configuration.held = Held.of([str(path)])
    path.unlink()  # as it is for who may not read it
    keys = Keyring(means, 10, 60.0, 5.0)
    found = await keys.look(str(path))
    assert found is not None
    assert found.record() == key().record()
    assert await keys.look(str(tmp_path / "other")) is None


async def test_the_oldest_goes_when_there_are_too_many(tmp_path: Path) -> None:
    keys = ring(Place(tmp_path, ""), 2)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(key().pem())
        await keys.look(str(tmp_path / name))
    assert [keys.known(str(tmp_path / name)) is UNKNOWN for name in "abc"] == [True, False, False]
    assert keys.flush() == 2
    assert keys.known(str(tmp_path / "c")) is UNKNOWN
