from shape import faults_of


def test_a_module_of_the_right_shape_has_no_faults() -> None:
    assert list(faults_of("a.py", '"""Says."""\n\n\ndef f() -> None:\n    pass\n')) == []


def test_a_long_module_and_a_long_function_are_named() -> None:
    body = "    x = 1\n" * 100
    assert list(faults_of("a.py", f"def f():\n{body}")) == ["a.py:1: f has 101 lines, at most 80"]
    assert list(faults_of("a.py", "x = 1\n" * 501)) == [
        "a.py: 501 lines, at most 500; one idea per file"
    ]


def test_a_package_holds_its_docstring_and_nothing_else() -> None:
    assert list(faults_of("a/__init__.py", '"""What it is."""\n')) == []
    assert len(list(faults_of("a/__init__.py", '"""What."""\nimport os\n'))) == 1
    assert len(list(faults_of("a/__init__.py", ""))) == 1
