"""Finds the files of scripts, as `source` and `require` name them.

A name has dots or slashes between directories, and no end. It is looked for in the directories in
which files of the configuration are, and in those of Momentum for scripts; a script may add more by
package.path. What a script which was named by its whole path requires may stand beside it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from angarium.modules.lua.errors import ScriptError

# Where Momentum looks, beside the search path of its configuration.
MOMENTUM: Final = (
    "/opt/msys/ecelerity/libexec/scriptlets",
    "/opt/msys/ecelerity/libexec/embed/lua",
)
# Scripts which are part of Momentum: what they do is part of the server here.
BUILT_IN: Final = frozenset({"msys.boot", "msys.default_policy"})
MOST_OCTETS: Final = 4 << 20


class Loader:
    """Looks for files in directories, in their order."""

    def __init__(self, search: Sequence[str]) -> None:
        places = [(place, f"{place}/lua") for place in search]
        self._directories = dict.fromkeys(
            [each for pair in places for each in pair] + list(MOMENTUM)
        )

    def find(self, name: str, path: str = "") -> tuple[bytes, str] | None:
        """Return the text of a file and where it is; None if there is none.

        Args:
            path: templates with ? for the name, as in package.path; only absolute ones count.

        Raises:
            ScriptError: the file is there, and cannot be read.
        """
        plain = name.removesuffix(".lua").replace(".", "/").strip("/")
        if not plain or ".." in name or "\0" in name:
            return None
        names = [f"{directory}/{plain}.lua" for directory in self._directories]
        if name.startswith("/"):
            names = [name, f"{name}.lua"]
        names += [each.replace("?", plain) for each in path.split(";") if each.startswith("/")]
        for each in names:
            if os.path.isfile(each):
                return _text(Path(each)), each
        return None

    def source(self, name: str) -> tuple[bytes, str]:
        """Return the text of a script and where it is; a built-in one has none.

        Raises:
            ScriptError: there is no such file.
        """
        if name.replace("/", ".") in BUILT_IN:
            return b"", name
        found = self.find(name)
        if found is None:
            looked = ", ".join(self._directories)
            raise ScriptError(f"there is no script '{name}' in {looked}")
        if name.startswith("/"):
            self._directories[os.path.dirname(found[1])] = None
        return found


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise ScriptError(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > MOST_OCTETS:
        raise ScriptError(f"{path} has more than {MOST_OCTETS} octets")
    return text
