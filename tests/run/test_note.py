from pathlib import Path

from angarium.run.note import Notes


def test_a_note_is_read_once_after_its_worker_died(tmp_path: Path) -> None:
    supervisor, worker = Notes(tmp_path / "notes"), Notes(tmp_path / "notes").of(3)
    worker.enter(2**63 + 1)
    assert supervisor.take(2) == 0
    assert supervisor.take(3) == 2**63 + 1
    assert supervisor.take(3) == 0


def test_a_worker_back_in_its_loop_worked_on_nothing(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    note = notes.of(0)
    note.enter(7)
    note.leave()
    assert notes.take(0) == 0
