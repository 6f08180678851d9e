"""Assemble the fragments of news/ into CHANGELOG.md under a version.

    python tools/news.py --check     say what is wrong with the fragments; change nothing
    python tools/news.py 0.2.0       write them into CHANGELOG.md and remove them

A fragment is news/<issue>.<slug>.<kind>.md; see news/README.md.
"""

import argparse
import datetime
import re
import sys
from pathlib import Path

KINDS = {"broken": "Breaks", "added": "Added", "changed": "Changed", "fixed": "Fixed"}
NAME = re.compile(r"(?P<issue>\d+)\.(?P<slug>[a-z0-9-]+)\.(?P<kind>[a-z]+)\.md")
HEAD = "# Changes\n"


def faults_of(name: str, text: str) -> list[str]:
    """Return what is wrong with a fragment."""
    found = NAME.fullmatch(name)
    if found is None or found["kind"] not in KINDS:
        return [f"news/{name}: a name is <issue>.<slug>.({'|'.join(KINDS)}).md"]
    words = " ".join(text.split())
    if not re.fullmatch(r"[A-Z`].*[.!]", words):
        return [f"news/{name}: write full sentences"]
    return []


def section(version: str, day: str, fragments: dict[str, str]) -> str:
    """Return the part of CHANGELOG.md for one version; what breaks comes first."""
    lines = [f"## {version} ({day})", ""]
    for kind, title in KINDS.items():
        rows = []
        for name, text in fragments.items():
            found = NAME.fullmatch(name)
            if found and found["kind"] == kind:
                rows.append((int(found["issue"]), found["slug"], " ".join(text.split())))
        if rows:
            lines += [f"### {title}", ""]
            lines += [f"- {words} (#{issue})" for issue, _, words in sorted(rows)]
            lines.append("")
    return "\n".join(lines)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("version", nargs="?")
    arguments.add_argument("--check", action="store_true")
    wanted = arguments.parse_args()
    root = Path(__file__).parent.parent
    paths = [path for path in sorted((root / "news").glob("*.md")) if path.name != "README.md"]
    fragments = {path.name: path.read_text() for path in paths}
    faults = [fault for name, text in fragments.items() for fault in faults_of(name, text)]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    if wanted.check:
        return 0
    if wanted.version is None:
        print(section("Not released yet", "next", fragments), end="")
        return 0
    changelog = root / "CHANGELOG.md"
    before = changelog.read_text().removeprefix(HEAD) if changelog.exists() else ""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    changelog.write_text(f"{HEAD}\n{section(wanted.version, today, fragments)}{before}")
    for path in paths:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
