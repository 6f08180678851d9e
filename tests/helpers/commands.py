"""The commands of the manuals, as `tests/compat/commands.json` has them, and lines to give."""

import json
import re
from pathlib import Path
from typing import Any, Final

FACTS: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "compat/commands.json").read_text(encoding="utf-8")
)
# What the client does by itself, and never asks for.
CLIENT: Final = frozenset({"\\pager", "quit"})
# A scope and an option in the place of what can be any of them.
SAMPLES: Final = {"scope": "binding b1", "option": "retry_interval", "threshold": "1", "id": "1"}


def sample(syntax: str) -> str:
    """Return a line as an operator would write it: what may be left out is."""
    line = syntax.partition(" ; ")[0]
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", line)) != line:
        line = shorter
    line = re.sub(r"<([^<>]*)>", lambda found: SAMPLES.get(found[1].split()[0], "x"), line)
    line = re.sub(r"\{([^{} ,]+)[^{}]*\}", r"\1", line)
    return " ".join(line.partition(" | ")[0].split())
