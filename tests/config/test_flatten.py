"""All files as one mean the same."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.config import flatten
from angarium.config.check import Checked
from angarium.config.difference import differences
from angarium.config.flatten import FlattenError, flattened
from angarium.config.load import check_snapshot
from angarium.config.tree import LOCAL_CHANGES, Snapshot

MAIN = "/etc/e/ecelerity.conf"


def snapshot(files: dict[str, str]) -> bytes:
    octets = {path: text.encode("utf-8", "surrogateescape") for path, text in files.items()}
    return msgspec.msgpack.encode(Snapshot(MAIN, (), octets, {}))


def read_alone(octets: bytes) -> Checked:
    return check_snapshot(msgspec.msgpack.encode(Snapshot(MAIN, (), {MAIN: octets}, {})))


def test_an_include_becomes_what_it_stands_for_and_says_whence() -> None:
    flat = flattened(snapshot({
        MAIN: "# top\r\ndomain x { include a.conf }\r\n",
        "/etc/e/a.conf": "\ufeffretry_interval = 60 # no end",
        LOCAL_CHANGES: "retry_interval = 70\n",
    }))  # fmt: skip
    assert flat.decode() == (
        "# top\r\ndomain x { \r\n# from /etc/e/a.conf\r\nretry_interval = 60 # no end\r\n"
        "# end of /etc/e/a.conf\r\n }\r\n"
        f"\r\n# from {LOCAL_CHANGES}\r\nretry_interval = 70\n\r\n# end of {LOCAL_CHANGES}\r\n"
    )


def test_one_file_is_itself() -> None:
    text = "# caf\udce9\nretry_interval = 60"
    assert flattened(snapshot({MAIN: text})) == text.encode("utf-8", "surrogateescape")


def test_files_which_double_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flatten, "MAX_SIZE", 10_000)
    files = {f"/etc/e/{each}": f"include {each + 1} include {each + 1}\n" for each in range(14)}
    with pytest.raises(FlattenError, match="larger than 10000"):
        flattened(snapshot({MAIN: "include 0", **files, "/etc/e/14": "retry_interval = 1\n"}))


PARTS = st.lists(st.sampled_from([
    "retry_interval = 60\n", "domain x { max_outbound_connections = 2 }", "# c", "\n",
    "binding b {\r\n  retry_interval = 61\r\n}", "/* c */",
]), max_size=4).map("\n".join)  # fmt: skip
INCLUDES = st.lists(st.sampled_from([
    'include "a"', "readonly_include b", "domain x { include b }", "binding b {\n include a\n}",
    "binding_group g { binding c { include b } include a }",
]), max_size=3).map(" ".join)  # fmt: skip
WHOLE = st.builds("{}\n{}\n{}".format, PARTS, INCLUDES, PARTS)


@settings(deadline=None)
@given(WHOLE, PARTS.filter(lambda text: "binding" not in text), PARTS)
def test_one_file_means_what_the_files_do(main: str, a: str, local: str) -> None:
    data = snapshot({
        MAIN: main, "/etc/e/a": a, "/etc/e/b": "retry_interval = 62\n# end", LOCAL_CHANGES: local,
    })  # fmt: skip
    before, after = check_snapshot(data), read_alone(flattened(data))
    assert differences(before.root, after.root) == []
    assert len(after.document.files) == 1
