"""What a worker has counted of signatures."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

from angarium.console.questions import signing
from angarium.console.questions.signing import begin_anew, signed
from angarium.events.signing import Signatures, Signed


def result(steps: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def test_rows_are_named_by_kind_binding_and_domain() -> None:
    signatures = Signatures()
    for number in range(signing._PIECE + 2):
        signatures.note("DKIM", "one", f"d{number}.example", 0.0, signed=True)
    worker: Any = SimpleNamespace(signatures=signatures)
    rows: dict[str, Signed] = result(signed.function(worker)).rows
    assert len(rows) == signing._PIECE + 2
    assert rows["DKIM\tone\td7.example"].signed == 1
    begin_anew.function(worker)
    assert result(signed.function(worker)).rows == {}
