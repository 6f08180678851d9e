"""A copy of the program which a test may change, as an installation of another version does."""

import shutil
from pathlib import Path
from typing import Final

import angarium

SOURCE: Final = Path(angarium.__file__).parent


class Package:
    """The copy; give `environment` to what shall run it."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "package"
        shutil.copytree(
            SOURCE, self._root / "angarium", ignore=shutil.ignore_patterns("__pycache__")
        )
        self.environment = {"PYTHONPATH": str(self._root), "PYTHONDONTWRITEBYTECODE": "1"}

    def change(self, file: str, old: str, new: str) -> None:
        """Install another version of a file; raises ValueError if `old` is not in it once."""
        path = self._root / "angarium" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{file} has {text.count(old)} times {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        with (self._root / "angarium" / file).open("a", encoding="utf-8") as opened:
            opened.write(text)
