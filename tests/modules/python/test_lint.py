"""What is said of a script in Python without running it."""

from pathlib import Path

import pytest

from angarium.modules.python.lint import remarks

EXAMPLES = Path(__file__).parents[3] / "examples/policy"
HEAD = "from angarium.policy.script import Message, Refuse, Server, Session, on\nimport asyncio\n"


def said(text: str) -> list[tuple[int, bool, str]]:
    found = remarks((HEAD + text).encode(), Path("p.py"))
    return [(each.line - 2, each.wrong, each.text) for each in found]


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("def f():\n    return nosuch", "nothing sets nosuch"),
        ("def f():\n    raise Refus(550, 'no')", "nothing sets Refus"),
        ("class A:\n    def f(self): return wrong", "nothing sets wrong"),
        ("f = lambda:\\\n    wrong", "nothing sets wrong"),
        ("def f(session: Session):\n    session.adress", "Session has no adress"),
        ("def f(s: 'Session | None'):\n    s.adress", "Session has no adress"),
        ("def f(message: Message):\n    message.heders['X'] = 1", "Message has no heders"),
        ("def f(session: Session):\n    session.address = 'x'", "address of Session cannot be set"),
        ("async def f(server: Server):\n    server.sleep(1)", "Server.sleep is to be awaited"),
        ("def f(server: Server):\n    x = server.lookup('x')", "Server.lookup is to be awaited"),
    ],
)
def test_what_cannot_work_is_wrong(text: str, remark: str) -> None:
    assert said(text) == [(2, True, remark)]


@pytest.mark.parametrize(
    "text",
    [
        "from os.path import *\ndef f(): return join",
        "def f():\n    try: return nosuch\n    except NameError: return 1",
    ],
)
def test_where_names_may_come_from_elsewhere_it_is_a_note(text: str) -> None:
    assert [each[1] for each in said(text)] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    global late\n    late = 1\ndef g(): return late",
        "def f(x, *y, z=1, **q): return [a for a in (x, y, z, q, len(y))]",
        "class A:\n    x = 1\n    y = x\n    def f(self): return __class__, __name__, __file__",
        "async def f(server: Server):\n    return await asyncio.gather(server.lookup('a'))",
        "async def f(server: Server):\n    x = server.lookup('a')\n    return await x",
        "def f(session: Session):\n    session = other()\n    session.anything\ndef other(): ...",
        "def f(message: Message):\n    message.sender = 'x'\n    message.headers['X'] = 'y'",
        "def f(session: Session):\n    return [session.x for session in ()]",
        "def f(:",
    ],
)
def test_what_is_set_somewhere_is_well(text: str) -> None:
    assert said(text) == []


def test_of_the_examples_nothing_is_said() -> None:
    files = sorted(EXAMPLES.glob("*.py"))
    assert len(files) >= 10
    for path in files:
        assert remarks(path.read_bytes(), path) == [], path
