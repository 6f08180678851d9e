from pathlib import Path

from mirrored import unmirrored


def test_each_module_needs_its_test_but_declarations(tmp_path: Path) -> None:
    package = tmp_path / "src" / "angarium"
    for name in ("a/b.py", "a/c.py", "a/__init__.py", "a/options.py", "b/options/x.py"):
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    test = tmp_path / "tests" / "a" / "test_b.py"
    test.parent.mkdir(parents=True)
    test.touch()
    assert list(unmirrored(tmp_path)) == ["src/angarium/a/c.py: no tests/a/test_c.py"]
