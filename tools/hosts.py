"""Check that no file names a package registry: which one is used is the machine's to say.

Looked at: everything git tracks and what it would add.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Put together here, or this file would be the first to be found.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("crates", "io"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
NAMED = re.compile(
    "|".join(
        [
            *map(re.escape, HOSTS),
            r"(?:index-url|find-links|trusted-host|registry) *[=: ] *\S*://",
            r"https?://[^ \"']*/simple/?(?:[\"' ]|$)",
        ]
    ),
    re.IGNORECASE | re.MULTILINE,
)


def named(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and words of each mention of a registry."""
    for found in NAMED.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[0]


def main() -> int:
    root = Path(__file__).parent.parent
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=root, capture_output=True, check=True).stdout
    faults = 0
    for name in filter(None, names.decode().split("\0")):
        path = root / name
        if not path.is_file():
            continue
        for line, words in named(path.read_text(errors="replace")):
            print(f"{name}:{line}: names a package registry: {words}", file=sys.stderr)
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
