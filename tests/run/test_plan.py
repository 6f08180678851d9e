"""A start worked out before anything is touched."""

import os
from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.run.plan import Plan, StartError, endpoints, workers_of, write_pid

CONFIG = """
hostname = "a.test"
eventloop { concurrency = 3 }
esmtp_listener { listen "127.0.0.1:2525" { listen_backlog = 77 } }
"""


def planned(folder: Path, text: str = CONFIG, state: Path | None = None) -> Plan:
    config = folder / "ecelerity.conf"
    config.write_text(text)
    return Plan.make(config, folder / "state" if state is None else state)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # `enter` goes to the state directory


def test_a_plan_touches_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert (plan.workers, plan.identity, plan.sink, plan.pidfile) == (3, None, None, None)
    assert plan.spool_folder == tmp_path / "state" / "spool"
    assert [each.name for each in tmp_path.iterdir()] == ["ecelerity.conf"]


def test_an_upgrade_has_room_for_as_many_workers_and_a_few_more(tmp_path: Path) -> None:
    assert planned(tmp_path).columns >= 2 * 3
    many = planned(tmp_path, CONFIG.replace("concurrency = 3", "concurrency = 64"))
    assert many.columns == 128


def test_unless_it_is_said_there_is_a_worker_for_each_core() -> None:
    cores = len(os.sched_getaffinity(0))
    assert workers_of(load_text("")) == cores
    assert workers_of(load_text('eventloop "pool" { }')) == cores
    assert workers_of(load_text('eventloop "a" { }\neventloop "b" { concurrency = 5 }')) == 5


def test_what_to_listen_on_comes_with_how() -> None:
    [(where, manner)] = endpoints(load_text(CONFIG))
    assert (where.host, where.port, manner.backlog) == ("127.0.0.1", 2525, 77)


def test_a_state_directory_is_made_and_locked(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    lock = plan.enter()
    assert {each.name for each in plan.state.iterdir()} == {"spool", "run", "hose", "lock"}
    assert Path.cwd() == plan.state
    with pytest.raises(StartError, match="another server works on this state directory"):
        plan.enter()
    os.close(lock)
    os.close(plan.enter())


def test_a_user_who_cannot_run_this_python_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(StartError, match="cannot run this Python"):
        planned(tmp_path).enter()


def test_the_pid_file_is_for_a_start_without_a_state(tmp_path: Path) -> None:
    text = f'{CONFIG}\nspoolbase = "{tmp_path}/base"\npidfile = "{tmp_path}/run.pid"\n'
    config = tmp_path / "ecelerity.conf"
    config.write_text(text)
    assert Plan.make(config, tmp_path / "state").pidfile is None
    plan = Plan.make(config, None)
    assert plan.state == tmp_path / "base"
    os.close(plan.enter())
    assert (tmp_path / "run.pid").read_text() == f"{os.getpid()}\n"


def test_whoever_wants_to_send_a_signal_may_read_the_pid(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        write_pid(tmp_path / "pid")
    finally:
        os.umask(umask)
    assert (tmp_path / "pid").stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["pid"]


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ("", []),
        ('hostname = "b.test"', []),
        ("log_hires_timestamp = true", ["log_hires_timestamp"]),
        ('security { user = "other" }', ["security.user"]),
        ("sink { }", ["sink"]),
        ('spool_segment_size = "32M"', ["spool_segment_size"]),
    ],
)
def test_what_only_a_restart_brings_is_named(tmp_path: Path, added: str, named: list[str]) -> None:
    found = planned(tmp_path).needs_restart(load_text(f"{CONFIG}\n{added}\n"))
    assert len(found) == len(named)
    assert all(name in each for name, each in zip(named, found, strict=True))


def test_what_an_upgrade_brings_is_said_so(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    changed = CONFIG.replace("= 3", "= 4") + 'security { user = "other" }\nspool_reserve = "8M"\n'
    assert sorted(plan.needs_restart(load_text(changed))) == [
        "eventloop.concurrency (`angarium upgrade` will do)",
        "security.user",
        "spool_reserve (`angarium upgrade` will do)",
    ]
    assert plan.needs_stop(load_text(changed)) == ["security.user"]


def test_where_the_state_lies_is_decided_at_the_start_unless_the_command_line_said_it(
    tmp_path: Path,
) -> None:
    text = f'{CONFIG}\nspoolbase = "{tmp_path}/base"\n'
    config = tmp_path / "ecelerity.conf"
    config.write_text(text)
    changed = load_text(text.replace("/base", "/other"))
    assert Plan.make(config, None).needs_stop(changed) == ["spoolbase"]
    assert Plan.make(config, tmp_path / "state").needs_stop(changed) == []


def test_after_an_upgrade_the_new_configuration_is_what_others_are_compared_with(
    tmp_path: Path,
) -> None:
    text = CONFIG.replace("= 3", "= 4")
    plan = planned(tmp_path).changed(b"", load_text(text))
    assert plan.workers == 4
    assert plan.needs_restart(load_text(text)) == []


def test_a_sink_comes_and_goes_with_a_start_only(tmp_path: Path) -> None:
    without = planned(tmp_path)
    assert without.changed(b"", load_text(CONFIG + "sink { }\n")).sink is None
    with_one = planned(tmp_path, CONFIG + "sink { }\n")
    assert with_one.changed(b"", load_text(CONFIG)).sink == with_one.sink
    moved = with_one.changed(b"", load_text(CONFIG + 'sink { listen = "127.0.0.1:99" }\n')).sink
    assert moved is not None
    assert moved.listen == "127.0.0.1:99"


def test_the_lock_says_whose_it_is(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.state.mkdir()
    (plan.state / "lock").write_text("1234567890\n")
    lock = plan.enter()
    assert (plan.state / "lock").read_text() == f"{os.getpid()}\n"
    os.close(lock)


def test_files_have_one_name_wherever_we_go_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start with a relative path and a reload must give equal snapshots."""
    (tmp_path / "e.conf").write_text('include "more.conf"\n')
    (tmp_path / "more.conf").write_text("hostname = a.test\n")
    monkeypatch.chdir(tmp_path)
    relative = Plan.make(Path("e.conf"), tmp_path / "state")
    assert relative.snapshot == Plan.make(tmp_path / "e.conf", tmp_path / "state").snapshot
