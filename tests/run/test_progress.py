from pathlib import Path

from angarium.run.progress import DONE, NAME, REFUSED, Progress, read


def told(folder: Path) -> list[tuple[int, str]]:
    return [(step.upgrade, step.stage) for step in read(folder)]


def test_the_steps_of_an_upgrade_are_read_in_order(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    progress = Progress(tmp_path, lambda: 7.0)
    progress.begin("asking")
    progress.note(DONE, "all is well")
    assert told(tmp_path) == [(1, "begun"), (1, DONE)]
    assert read(tmp_path)[-1].text == "all is well"
    assert read(tmp_path)[-1].at == 7.0


def test_one_that_is_refused_leaves_the_steps_of_the_other(tmp_path: Path) -> None:
    progress = Progress(tmp_path, lambda: 7.0)
    progress.begin("asking")
    progress.refuse("an upgrade is under way")
    other = Progress(tmp_path, lambda: 8.0, 1)  # of a supervisor in its place
    other.refuse("workers are leaving")
    other.note(DONE, "all is well")
    assert told(tmp_path) == [(1, "begun"), (2, REFUSED), (3, REFUSED), (1, DONE)]


def test_each_upgrade_begins_another_file(tmp_path: Path) -> None:
    progress = Progress(tmp_path, lambda: 7.0)
    for _ in range(3):
        progress.begin("asking")
        progress.note(DONE, "all is well")
    assert told(tmp_path) == [(3, "begun"), (3, DONE)]


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    progress = Progress(tmp_path, lambda: 7.0)
    progress.begin("asking")
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:10])
    assert told(tmp_path) == [(1, "begun")]


def test_where_it_cannot_be_written_nothing_fails(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "gone", lambda: 7.0)
    progress.begin("asking")
    progress.note(DONE, "all is well")
    assert progress.number == 1
