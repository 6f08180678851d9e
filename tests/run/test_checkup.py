"""What doctor finds on a machine, made up in files."""

import os
from collections.abc import Iterator
from itertools import accumulate, chain, repeat
from pathlib import Path

import pytest

from angarium.run import checkup
from angarium.run.checkup import FAIL, OK, SKIPPED, WARN, Verdict


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for name, text in {
        "sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
        "sys/net/ipv4/ip_local_reserved_ports": "\n",
        "sys/net/core/somaxconn": "128\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("hard", "workers", "connections", "verdict"),
    [
        (40_000, 2, 20_000, OK),
        (39_999, 2, 20_000, WARN),
        (1_000, 2, 20_000, FAIL),
        (1_024, 8, None, OK),
        (1_024, 8, 10, OK),
    ],
)
def test_descriptors_are_four_for_each_connection(
    hard: int, workers: int, connections: int | None, verdict: Verdict
) -> None:
    finding = checkup.descriptors(hard, workers, connections)
    assert finding.verdict is verdict
    assert bool(finding.advice) is (verdict is not OK)


@pytest.mark.parametrize(
    ("ports", "verdict"), [("32768 60999", OK), ("50000 60999", WARN), ("60000 60999", FAIL)]
)
def test_few_ephemeral_ports_are_few_connections(proc: Path, ports: str, verdict: Verdict) -> None:
    (proc / "sys/net/ipv4/ip_local_port_range").write_text(ports)
    assert [each.verdict for each in checkup.ports([25], proc)] == [verdict]


def test_a_port_we_listen_on_must_not_be_an_ephemeral_one(proc: Path) -> None:
    assert [each.verdict for each in checkup.ports([25, 40_000], proc)] == [OK, WARN]
    (proc / "sys/net/ipv4/ip_local_reserved_ports").write_text("39000-40000,50001\n")
    assert [each.verdict for each in checkup.ports([25, 40_000, 50_001], proc)] == [OK]


def test_the_system_cuts_off_a_backlog(proc: Path) -> None:
    assert checkup.backlog(128, proc).verdict is OK
    finding = checkup.backlog(500, proc)
    assert (finding.verdict, finding.advice) == (WARN, "sysctl -w net.core.somaxconn=500")


def mounts(tmp_path: Path, kind: str, options: str = "rw") -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"22 21 0:30 / {tmp_path} rw - {kind} none {options}\n"
        f"23 21 0:31 / {tmp_path}x rw - vfat none rw\n"
        "nonsense\n"
    )
    return path


@pytest.mark.parametrize(
    ("kind", "options", "verdict"),
    [
        ("ext4", "rw", OK),
        ("xfs", "rw,nobarrier", FAIL),
        ("ext4", "rw,barrier=0", FAIL),
        ("tmpfs", "rw", FAIL),
        ("overlay", "rw", WARN),
        ("nfs4", "rw", WARN),
    ],
)
def test_a_spool_belongs_on_a_local_disk(
    tmp_path: Path, kind: str, options: str, verdict: Verdict
) -> None:
    findings = checkup.filesystem(
        tmp_path / "spool" / "to be made", mounts(tmp_path, kind, options)
    )
    assert findings[0].verdict is verdict
    assert kind in findings[0].found
    assert "(to be made)" in findings[0].found


def test_a_full_disk_and_a_closed_one_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "LEAST_FREE", 1 << 62)
    monkeypatch.setattr(os, "access", lambda *_: False)
    findings = checkup.filesystem(tmp_path, mounts(tmp_path, "ext4"))
    assert [each.verdict for each in findings] == [OK, WARN, FAIL]


def ticks(seconds: float) -> Iterator[float]:
    """Yield times of begin and end, so far apart."""
    return accumulate(chain.from_iterable(repeat((0.0, seconds))))


@pytest.mark.parametrize(("seconds", "verdict"), [(0.001, OK), (0.02, WARN), (0.2, FAIL)])
def test_a_slow_disk_is_found_and_nothing_left_on_it(
    tmp_path: Path, seconds: float, verdict: Verdict
) -> None:
    times = ticks(seconds)
    finding = checkup.disk(tmp_path / "spool", lambda: next(times))
    assert finding.verdict is verdict
    assert f"{seconds * 1000:.2f} ms" in finding.found
    assert list(tmp_path.iterdir()) == []


def test_a_disk_which_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert checkup.disk(tmp_path / "file").verdict is FAIL


@pytest.mark.parametrize(
    ("status", "now", "verdict"),
    [
        (0, 1.8e9, OK),
        (checkup.STA_UNSYNC, 1.8e9, WARN),
        (None, 1.8e9, SKIPPED),
        (0, 0.0, FAIL),
    ],
)
def test_the_clock(status: int | None, now: float, verdict: Verdict) -> None:
    assert checkup.clock(status, now).verdict is verdict


def test_the_kernel_tells_its_clock_or_not() -> None:
    status = checkup.clock_status()
    assert status is None or 0 <= status < 1 << 16


def test_what_the_system_keeps_to_itself_is_skipped(tmp_path: Path) -> None:
    findings = checkup.read_or_skip("accept backlog", lambda: [checkup.backlog(1, tmp_path)])
    assert [each.verdict for each in findings] == [SKIPPED]
