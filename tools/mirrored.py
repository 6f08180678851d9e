"""Check that each module has its mirrored test file: src/angarium/a/b.py, tests/a/test_b.py.

Declarations (options, errors, index) are left out: one generic test per registry covers them.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

DECLARATIONS = {"__init__.py", "__main__.py", "options.py", "errors.py", "index.py"}


def unmirrored(root: Path) -> Iterator[str]:
    """Yield a sentence for each module without its test and each test without its folder."""
    package = root / "src" / "angarium"
    for module in sorted(package.rglob("*.py")):
        inside = module.relative_to(package)
        if inside.name in DECLARATIONS or "options" in inside.parent.parts:
            continue
        test = root / "tests" / inside.parent / f"test_{inside.name}"
        if not test.exists():
            yield f"{module.relative_to(root)}: no {test.relative_to(root)}"


def main() -> int:
    faults = list(unmirrored(Path(__file__).parent.parent))
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
