"""`angarium spool` as an operator runs it."""

import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from angarium.core.ident import printed
from angarium.events.schema import Event, Imported, decode
from angarium.events.stream import KINDS, MESSAGES, frames
from angarium.journal.disk import FileDisk
from angarium.journal.reader import Tail
from angarium.queue.spool.slot import Slot, unpack
from angarium.run.programs.spool import command, stopped
from helpers.spool import Life

SHARD = "spool/000"


def run(state: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, [words[0], "--state", str(state), *words[1:]])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def said(state: Path, *words: str) -> dict[str, Any]:
    code, output = run(state, *words, "--json")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found | {"code": code}


def begun(state: Path, name: str = "000", start: float | None = None) -> Life:
    state.mkdir(exist_ok=True)
    return Life(FileDisk(), start=start).start(str(state / "spool" / name))  # type: ignore[arg-type]


def files(state: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in state.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def spoil(state: Path, where: Slot) -> None:
    path = state / SHARD / f"data/{where.segment:010d}.seg"
    octets = bytearray(path.read_bytes())
    octets[where.offset + 3] ^= 1
    path.write_bytes(octets)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_verify_names_what_is_damaged_and_changes_nothing(state: Path) -> None:
    life = begun(state)
    idents = [life.put(f"r{n}@x.test")[0] for n in range(3)]
    life.pass_time(2.0)
    assert run(state, "verify")[0] == 0, "beside a running server"
    where = unpack(life.spool.live[idents[1]])
    life.stop()
    assert said(state, "verify")["sound"]
    spoil(state, where)
    before = files(state)
    code, output = run(state, "verify")
    assert code == 1
    assert f"    {printed(idents[1])}" in output.splitlines()
    found = said(state, "verify", "--quick")
    assert (found["code"], found["sound"]) == (1, False)
    [finding] = found["shards"]["000"]["findings"]
    assert finding["entries"] == [printed(idents[1])]
    assert finding["path"].endswith("0000000001.seg")
    assert files(state) == before


def test_repair_mends_what_verify_has_found(state: Path) -> None:
    life = begun(state)
    idents = [life.put(f"r{n}@x.test")[0] for n in range(3)]
    where = unpack(life.spool.live[idents[1]])
    life.stop()
    spoil(state, where)
    before = files(state)
    code, output = run(state, "repair", "--dry-run")
    assert code == 1
    assert f"{printed(idents[1])} put aside" in output
    assert files(state) == before
    assert said(state, "repair")["000"]["isolated"].keys() == {printed(idents[1])}
    assert run(state, "repair")[0] == 0
    assert {each["kept"] for each in said(state, "verify")["shards"]["000"]["findings"]} <= {True}


def test_what_changes_something_needs_the_server_stopped(state: Path) -> None:
    begun(state).stop()
    with stopped(state):
        assert run(state, "repair") == (3, "a server works on this state directory: stop it\n")
        assert run(state, "import", str(state / "lock"))[0] == 3
        assert run(state, "verify")[0] == 0
        assert run(state, "repair", "--dry-run")[0] == 0


def test_export_and_import_carry_everything_to_another_machine_and_once(
    state: Path, tmp_path: Path
) -> None:
    life = begun(state)
    first, second = life.put("a@x.test", "b@y.test", body=b"x" * 900, variables={"tenant": "t"})
    life.spool.defer(first, 3, 1_800_000_000, None)
    life.spool.rebind(second, "group", "binding", "z.test", None)
    life.spool.isolate(second)
    writer = life.spool.large()
    writer.write(b"y" * 200_000)
    (large,) = life.put("c@x.test", body=writer.finish())
    life.put("gone@x.test")
    life.deliver(life.put("gone@x.test")[0])
    life.pass_time(2.0)
    target = tmp_path / "mail.tar.gz"
    found = said(state, "export", "--to", str(target), "--domain", "x.test", "--domain", "z.test")
    assert (found["code"], found["messages"], found["recipients"]) == (0, 3, 4)
    with tarfile.open(target) as tar:
        assert {name.rpartition(".")[2] for name in tar.getnames()} == {"json", "eml"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "spool" / "003").mkdir(parents=True)
    found = said(other, "import", str(target))
    assert (found["messages"], found["recipients"], found["shard"]) == (3, 4, "000")
    again = said(other, "import", str(target))
    assert (again["recipients"], again["known"], again["shard"]) == (0, 4, "")
    # Also here, where they are still in the spool.
    life.stop()
    assert said(state, "import", str(target))["recipients"] == 0
    life = begun(other, start=time.time() + 100.0)
    by_address = {
        life.spool.load(ident)[1].address: ident
        for ident in [*life.spool.live, *life.spool.isolated()]
    }
    assert by_address.keys() == {"a@x.test", "b@y.test", "c@x.test", "gone@x.test"}
    message, recipient = life.spool.load(by_address["a@x.test"])
    assert (message.variables, message.body.whole()) == ({"tenant": "t"}, b"x" * 900)
    assert message.header == b"Received: x\r\n"
    slot = life.spool.slot(by_address["a@x.test"])
    assert (slot.attempts, slot.due) == (3, 1_800_000_000)
    assert life.spool.isolated() == [by_address["b@y.test"]]
    moved = life.spool.slot(by_address["b@y.test"])
    assert life.spool.routes.key(moved.route) == ("group", "binding", "z.test")
    assert life.spool.load(by_address["c@x.test"])[0].body.whole() == b"y" * 200_000
    assert recipient.id != first
    assert large not in life.spool.live
    life.stop()


def test_export_can_be_narrowed_and_says_what_it_leaves_out(state: Path, tmp_path: Path) -> None:
    life = begun(state)
    one, other, bad = (life.put(f"{n}@{n}.test", body=n.encode() * 50)[0] for n in "abc")
    life.spool.isolate(other)
    life.pass_time(2.0)
    for number, (words, count) in enumerate(
        [
            (("--id", printed(one)), 1),
            (("--recipient", "b@b.test"), 1),
            (("--domain", "x.test"), 0),
            (("--binding", "default/default"), 3),
            (("--sender", "sender@example.com", "--quarantined"), 1),
        ]
    ):
        target = tmp_path / f"{number}.tar"
        assert said(state, "export", "--to", str(target), *words)["recipients"] == count, words
    life.stop()
    path = state / SHARD / "data/0000000001.seg"
    path.write_bytes(path.read_bytes().replace(b"c" * 50, b"c" * 49 + b"d"))
    target = tmp_path / "left.tar"
    found = said(state, "export", "--to", str(target))
    assert (found["code"], found["recipients"]) == (1, 2)
    assert list(found["left_out"]) == [printed(bad)]
    found = said(state, "export", "--to", str(tmp_path / "all.tar"), "--damaged")
    assert (found["code"], found["recipients"]) == (0, 3)
    assert run(state, "export", "--to", str(target))[0] == 3, "nothing is written over"


def test_messages_of_other_programs_come_in(state: Path, tmp_path: Path) -> None:
    state.mkdir()
    maildir = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir(parents=True)
    (maildir / "new" / "1").write_bytes(b"Delivered-To: a@x.test\nSubject: hi\n\n.dot\n")
    found = said(state, "import", "--from", "maildir", str(maildir))
    assert (found["recipients"], found["shard"]) == (1, "000")
    eml = tmp_path / "one.eml"
    eml.write_bytes(b"Subject: hi\r\n\r\nx\r\n")
    code, output = run(state, "import", "--from", "eml", str(eml))
    assert code == 3
    assert "nothing says whom this message is for" in output
    assert not list((state / "spool").glob("001"))
    words = ("--from", "eml", "--to", "b@x.test", "--sender", "s@x.test", str(eml))
    assert said(state, "import", *words)["shard"] == "001"
    life = begun(state, "001")
    [ident] = life.spool.live
    message, recipient = life.spool.load(ident)
    assert (message.sender, recipient.address) == ("s@x.test", "b@x.test")
    life.stop()


def test_what_was_brought_in_is_told_to_importlog_once(state: Path, tmp_path: Path) -> None:
    life = begun(state)
    first, second = life.put("a@x.test", "b@y.test", body=b"x" * 900)
    life.pass_time(2.0)
    target = tmp_path / "mail.tar.gz"
    assert said(state, "export", "--to", str(target))["recipients"] == 2
    life.stop()
    other = tmp_path / "other"
    other.mkdir()
    assert said(other, "import", str(target))["recipients"] == 2
    told = [each for each in events(other / "spool" / "000") if isinstance(each, Imported)]
    assert {each.before for each in told} == {first, second}
    assert {(each.result, each.source) for each in told} == {(1, str(target))}
    life = begun(other, start=time.time() + 100.0)
    assert {each.id for each in told} == set(life.found)
    life.stop()
    assert said(other, "import", str(target))["recipients"] == 0


def events(shard: Path) -> list[Event]:
    tail = Tail(FileDisk(), str(shard / MESSAGES), KINDS[MESSAGES])
    found = [decode(o) for _, payload in tail.read(0, 1000) for _, _, o in frames(payload)]
    tail.close()
    return found
