"""Octets nobody wrote, in the place of a configuration: faults with places, in linear time.

Short in CI; `make fuzz` runs it long. `one` is what another fuzzer would call.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.errors import ConfigError, Severity
from angarium.config.grammar import written
from angarium.config.kinds import Raw, plain
from angarium.config.load import check, declarations, load_snapshot, snapshot
from angarium.config.option import CLASSES, OPTIONS
from angarium.config.resolve import Configuration
from angarium.config.scope import STANZAS
from angarium.config.tree import Snapshot
from angarium.queue.options import Shape

declarations()
ETC = Path(__file__).parent.parent.parent / "etc"
SEEDS = [path.read_bytes() for path in sorted(ETC.rglob("*.conf"))]
MARKS = st.sampled_from([bytes([each]) for each in b"{}()[]=\"'#/*\\,\n"] + [b"/*", b"*/", b"/("])
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 40), MARKS | st.binary(max_size=4)), max_size=8
)


def one(octets: bytes) -> None:
    """Read and check a configuration. Raises AssertionError where a promise is broken."""
    checked = check("main", Snapshot("main", (), {"main": octets}, {}))
    assert checked.document.main.encode() == octets
    lines = octets.count(b"\n") + 1
    for fault in checked.faults:
        assert fault.file == "main"
        assert 1 <= fault.line <= lines
        assert fault.column >= 1
        assert fault.message
    if not any(each.severity is Severity.ERROR for each in checked.faults):
        looked_up(Configuration(checked.root))


def looked_up(conf: Configuration) -> None:
    """Ask for everything, as a server does."""
    for cls in CLASSES.values():
        conf.top(cls)
        conf.instances(cls)
    for group, binding in conf.bindings():
        conf.at(Shape, group=group, binding=binding, domain="example.com", host="mx.example.com")
    for name in ("esmtp_listener", "control_listener"):
        for endpoint in conf.listens(name):
            conf.at(Shape, listener=name, listen=endpoint.name, peer="192.0.2.1")


@given(st.sampled_from(SEEDS), EDITS)
def test_a_shipped_configuration_spoilt(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    octets = seed
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    one(octets)


@given(st.binary(max_size=500))
def test_any_octets_at_all(octets: bytes) -> None:
    one(octets)


WORDS = st.sampled_from(
    ["0", "1", "-1", "true", "auto", "disabled", "", "4 hours", "10M", "5/0", "10.0.0.0/8", "*:25",
     "[::1]:25", "example.com", "*.example.com", "0640", "9" * 30, "\0", "/(/", "smtp://x", "a@b"]
) | st.text(max_size=12)  # fmt: skip
RAW = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(OPTIONS)), RAW)
def test_any_option_takes_any_value_or_says_what_is_wrong(key: str, raw: Raw) -> None:
    try:
        value = OPTIONS[key].kind.parse(raw)
    except ValueError as wrong:
        assert str(wrong)
        return
    plain(value)


NAMES = st.sampled_from(
    sorted(
        {each.name for each in OPTIONS.values()}
        | {each.name for each in STANZAS.values()}
        | {"include", "nonsense"}
    )
)
PIECES = st.one_of(
    st.tuples(NAMES, RAW).map(lambda pair: f"{pair[0]} = {written(pair[1])}\n"),
    st.tuples(NAMES, WORDS).map(lambda pair: f"{pair[0]} {written(pair[1])} {{\n"),
    st.sampled_from(
        ['include "a"\n', 'include "d"\n', 'readonly_include "main"\n', "}\n", "# x\n"]
    ),
)
FILES = st.dictionaries(
    st.sampled_from(["a", "b", "d/a", "d/.b", "d/c"]),
    st.lists(PIECES, max_size=8).map("".join),
    max_size=4,
)


@given(st.lists(PIECES, max_size=20).map("".join), FILES)
def test_any_files_which_include_each_other(main: str, files: dict[str, str]) -> None:
    octets = {name: text.encode("utf-8", "replace") for name, text in files.items()}
    octets["main"] = main.encode("utf-8", "replace")
    names = tuple(each[2:] for each in files if each.startswith("d/"))
    checked = check("main", Snapshot("main", (), octets, {"d": names} if names else {}))
    for fault in checked.faults:
        assert fault.file in octets
        assert fault.line >= 1
        assert fault.column >= 1
    if not any(each.severity is Severity.ERROR for each in checked.faults):
        looked_up(Configuration(checked.root))


def test_a_file_of_octets_on_the_disk_is_refused_as_a_whole(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.write_bytes(b"max_retries = 3\n\xff\xfe\0{")
    with pytest.raises(ConfigError, match=re.escape(f"{main}:2:1")):
        load_snapshot(snapshot(main))


# Texts which once took, or might take, the square of their length.
Text = Callable[[int], bytes]
HOSTILE: Final[dict[str, Text]] = {
    "brackets": lambda n: b"(" * n,
    "a list": lambda n: b"relay_hosts = (" + b" 10.0.0.1" * (n // 9) + b")",
    "lists in lists": lambda n: b"relay_hosts = " + b"(" * n,
    "a dictionary": lambda n: b"esmtp_listener { context = [" + _numbered(b" k%d = v", n) + b"] }",
    "comments": lambda n: b"/* */" * (n // 5),
    "half a comment": lambda n: b"/*" + b"* /" * (n // 3),
    "beginnings of comments": lambda n: b"/*" * (n // 2),
    "quotes": lambda n: b'"' * (n | 1),
    "half a quotation": lambda n: b'a = "' + b'\\"' * (n // 2),
    "backslashes": lambda n: b'a = "' + b"\\" * n,
    "a pattern": lambda n: b'domain "/' + b"(" * n + b'/" { }',
    "slashes": lambda n: b"domain " + b"/x" * (n // 2),
    "patterns": lambda n: _numbered(b"domain /^d%d[.]com$/ { }\n", n),
    "a number": lambda n: b"max_retries = " + b"9" * n,
    "NUL": lambda n: b"\0" * n,
    "no UTF-8": lambda n: b"# \xff\xc3\n" * (n // 5),
    "CRLF": lambda n: b"max_retries = 1\r\n" * (n // 17),
    "byte order marks": lambda n: b"\xef\xbb\xbf" * (n // 3),
    "beginnings of stanzas": lambda n: b"domain d {" * (n // 10),
    "ends of stanzas": lambda n: b"}" * n,
    "unknown names": lambda n: _numbered(b"no_such_option_%d = 1\n", n),
    "unknown stanzas": lambda n: _numbered(b"no_such_stanza_%d { }\n", n),
    "an option again": lambda n: b"retry_interval = 5\n" * (n // 19),
    "an option again inside": lambda n: b"domain d {" + b" retry_interval = 5" * (n // 19) + b"}",
    "a stanza again": lambda n: b"domain d { retry_interval = 5 }\n" * (n // 32),
    "peers": lambda n: b"esmtp_listener {" + _numbered(b"peer 10.0.%d.0/24 { }\n", n) + b"}",
    "a word": lambda n: b"a" * n + b" = 1",
    "a name": lambda n: b'domain "' + b"a." * (n // 2) + b'" { }',
    "a duration": lambda n: b'retry_interval = "' + b"1 hour " * (n // 7) + b'"',
    "a host": lambda n: b'gateway = "[' + b"1:" * (n // 2) + b'"',
    "includes": lambda n: b'include "none"\n' * (n // 15),
    "blanks": lambda n: b"domain" + b" " * n,
    "free options": lambda n: b"scriptlet s { script t { " + _numbered(b"o%d = 1 ", n) + b"} }",
}


def _numbered(text: bytes, size: int) -> bytes:
    return b"".join(text % each for each in range(size // len(text)))


def processor_seconds(octets: bytes) -> float:
    began = time.process_time()
    one(octets)
    return time.process_time() - began


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_times_the_text_takes_ten_times_the_time(name: str) -> None:
    """Below a tenth of a second the clock says nothing, and nothing is wrong."""
    small, large = (
        min(processor_seconds(HOSTILE[name](size)) for _ in range(2)) for size in (12_000, 120_000)
    )
    assert large < max(16 * small, 0.15)


@pytest.mark.slow
def test_much_of_anything_takes_a_second_at_most() -> None:
    for name, text in HOSTILE.items():
        assert processor_seconds(text(300_000)) < 6, name  # measured: 1.4 at most
