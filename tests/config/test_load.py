"""From a file to a configuration, and the same one again in another process."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.check import Checked
from angarium.config.errors import ConfigError
from angarium.config.grammar import File, Setting, Stanza
from angarium.config.load import declarations, load, load_snapshot, load_text, snapshot
from angarium.config.option import CLASSES, OPTIONS
from angarium.config.scope import STANZAS
from angarium.config.section import Section
from angarium.queue.options import Shape

Kept = Section | Stanza | Setting | File | Checked


def test_every_options_module_is_declared() -> None:
    declarations()
    assert {"security", "eventloop", "ec_logger", "bounce_logger", "sink"} <= set(CLASSES)
    assert "retry_interval" in OPTIONS


def test_a_file_is_loaded_with_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "ecelerity.conf").write_text('include "more.conf"\nmax_retries = 3\n')
    (tmp_path / "more.conf").write_text("retry_interval = 5\n")
    shape = load(tmp_path / "ecelerity.conf").at(Shape, domain="x.com")
    assert (shape.max_retries, shape.retry_interval) == (3, 5.0)


def test_local_changes_win(tmp_path: Path) -> None:
    local = tmp_path / "local.conf"
    local.write_text("max_retries = 9\n")
    (tmp_path / "main").write_text(f'max_retries = 1\nlocal_changes_file = "{local}"\n')
    conf = load(tmp_path / "main")
    assert conf.at(Shape, domain="x.com").max_retries == 9
    assert not conf.notes


def test_a_snapshot_is_the_very_same_text(tmp_path: Path) -> None:
    main = tmp_path / "ecelerity.conf"
    main.write_text("max_retries = 3\n")
    data = snapshot(main)
    main.write_text("max_retries = nonsense\n")
    first, second = load_snapshot(data, 4), load_snapshot(data, 4)
    assert first.at(Shape).max_retries == second.at(Shape).max_retries == 3
    assert first.text_hash == second.text_hash
    assert first.generation == 4


def test_nothing_of_a_configuration_is_left_when_nobody_uses_it() -> None:
    """What waits for the collector is there twice and three times after a few reloads."""
    text = "binding_group g { binding b { max_retries = 3 } } domain /x$/ { gateway = y }"
    load_text(text)
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(each, Kept) for each in gc.get_objects())
        conf = load_text(text)
        assert sum(isinstance(each, Kept) for each in gc.get_objects()) > before
        del conf
        assert sum(isinstance(each, Kept) for each in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_faulty_configuration_names_every_fault(tmp_path: Path) -> None:
    main = tmp_path / "ecelerity.conf"
    main.write_text('retri_interval = 3\n\ndomain "x" {\n  max_retries = often\n}\n')
    with pytest.raises(ConfigError) as caught:
        load(main)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{main}:1:1: there is no option retri_interval")
    assert second.startswith(f"{main}:4:17: max_retries: 'often'")


def test_faults_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('include "b"\nx = 1\ny z\n')
    (tmp_path / "b").write_text("x = 1\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a")
    places = [(Path(each.file).name, each.line) for each in caught.value.faults]
    assert places == [("a", 2), ("a", 3), ("b", 1)]


def test_a_missing_file_is_said_to_be_missing() -> None:
    with pytest.raises(ConfigError, match="/nowhere/x: cannot be read"):
        load("/nowhere/x")


def test_the_environment_names_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "more").write_text("max_retries = 3\n")
    (tmp_path / "main").write_text('include "more"\n')
    conf = load(tmp_path / "main", environ={"EC_CONF_SEARCH_PATH": str(tmp_path / "else")})
    assert conf.at(Shape).max_retries == 3
    with pytest.raises(ConfigError, match="there is no file more"):
        load(tmp_path / "main", environ={})


def test_warnings_do_not_stand_in_the_way() -> None:
    conf = load_text("default_charset = utf-8")
    assert [str(each) for each in conf.notes] == [
        "ecelerity.conf:1:1: note: default_charset is not supported yet. "
        f"{OPTIONS['default_charset'].reason}".rstrip()
    ]


declarations()
NAMES = st.sampled_from(sorted({each.name for each in OPTIONS.values()} | set(STANZAS) | {"tls"}))
VALUES = st.sampled_from(
    ["1", "0", "-1", "true", "auto", '""', '"/(/"', "( a b )", "[ a = b ]", "10.0.0.0/8", "*:25",
     "example.com", "0640", "5/0", "99999999999999999999999", '"\x00"', "__mx__", "smtp://"]
)  # fmt: skip
PIECES = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}\n"),
    st.tuples(NAMES, VALUES).map(lambda pair: f"{pair[0]} {pair[1]} {{\n"),
    NAMES.map(lambda name: f"{name} {{\n"),
    st.just("}\n"),
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_gives_a_configuration_or_faults_with_places(text: str) -> None:
    try:
        conf = load_text(text)
    except ConfigError as error:
        assert all(each.line and each.column for each in error.faults)
        return
    for cls in dict.fromkeys(CLASSES.values()):
        conf.top(cls)
        conf.instances(cls)
    conf.at(Shape, group="a", binding="1", domain="example.com")
    conf.bindings()
    conf.listens("esmtp_listener")


@given(st.binary(max_size=100))
def test_any_octets_give_a_configuration_or_faults(octets: bytes) -> None:
    try:
        load_text(octets.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())
    except ConfigError as error:
        assert error.faults


def test_a_file_whose_name_is_no_utf_8_is_a_fault(tmp_path: Path) -> None:
    # A name from a directory came into the snapshot, which has no place for such octets.
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / os.fsdecode(b"\xff.conf")).write_text("")
    (tmp_path / "ecelerity.conf").write_text('include "parts"')
    with pytest.raises(ConfigError, match="the name of a file is no UTF-8"):
        load(tmp_path / "ecelerity.conf", environ={})
