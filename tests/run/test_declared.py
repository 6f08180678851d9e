"""All declarations of metrics are found, wherever they stand."""

import re
from pathlib import Path

from angarium.run.declared import every

SOURCE = Path(__file__).parents[2] / "src"
DECLARED = re.compile(r"= (?:metrics\.)?(?:counter|gauge|histogram)\(\s*\"(\w+)\"")


def test_who_shows_metrics_knows_all_there_are() -> None:
    written = {
        name
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "metrics.py"
        for name in DECLARED.findall(path.read_text("utf-8"))
    }
    assert len(written) > 50
    assert written - {each.name for each in every()} == set()


def test_each_has_a_sentence_and_a_name_without_surprises() -> None:
    for each in every():
        assert each.doc.endswith("."), each.name
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", each.name)
        assert '"' not in each.doc
        assert bool(each.label) == bool(each.values)
