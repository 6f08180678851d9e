"""Changes of a configuration: what they mean, and into which file they go."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from angarium.config import drafts, path
from angarium.config.difference import What, differences
from angarium.config.edit import Addition
from angarium.config.load import load_snapshot
from angarium.config.path import PathError
from angarium.config.tree import LOCAL_CHANGES, Snapshot
from angarium.config.visits import HEADER
from angarium.config.workspace import Workspace, WorkspaceError

MAIN = "/etc/ecelerity/ecelerity.conf"


def snapshot(main: str, **others: str) -> bytes:
    """Return a configuration of a main file and others beside it; `_` in names is a dot."""
    files = {f"/etc/ecelerity/{name.replace('_', '.')}": text for name, text in others.items()}
    octets = {path: text.encode() for path, text in {MAIN: main, **files}.items()}
    return msgspec.msgpack.encode(Snapshot(MAIN, (), octets, {}))


def files(workspace: Workspace) -> dict[str, str]:
    """Return the changed files by name."""
    before = msgspec.msgpack.decode(workspace.base, type=Snapshot).files
    after = msgspec.msgpack.decode(workspace.snapshot(), type=Snapshot).files
    return {path.rpartition("/")[2]: text.decode() for path, text in after.items()
            if before.get(path) != text}  # fmt: skip


def done(data: bytes, *lines: str) -> dict[str, str]:
    """Return the files that are changed by `config set` lines; the result is a configuration."""
    workspace = Workspace(data)
    for line in lines:
        place, text = path.assignment(line)
        workspace.set(place, place.rest[0], text)
    load_snapshot(workspace.snapshot())
    return files(workspace)


# Which file.


def test_what_is_set_is_replaced_where_it_was_set_last() -> None:
    data = snapshot(
        'domain x.example { retry_interval = 60 } include "a.conf"',
        a_conf="domain X.EXAMPLE {\n  Retry_Interval = 70 # why\n}\n",
    )
    assert done(data, "domain x.example retry_interval 80") == {
        "a.conf": "domain X.EXAMPLE {\n  Retry_Interval = 80 # why\n}\n"
    }


def test_a_new_setting_goes_into_the_first_file_with_the_stanza() -> None:
    data = snapshot(
        'include "a.conf"\ninclude "b.conf"\n',
        a_conf="binding b {\n}\n",
        b_conf='binding b { ehlo_hostname = "b.example" }\n',
    )
    assert done(data, "binding b retry_interval 80") == {
        "a.conf": "binding b {\n  retry_interval = 80\n}\n"
    }


def test_a_file_which_is_included_in_a_stanza_is_part_of_it() -> None:
    """The example of Momentum's manual."""
    data = snapshot(
        'readonly_include "foo.conf"\ninclude "baz.conf"\n',
        foo_conf='domain example.com {\n  retry_interval = 60\n  include "bar.conf"\n}\n',
        bar_conf="",
        baz_conf="domain example.com { }\n",
    )
    assert done(data, "domain example.com max_outbound_connections 5") == {
        "bar.conf": "max_outbound_connections = 5\n"
    }
    assert done(data, "domain example.com retry_interval 70") == {
        "bar.conf": "retry_interval = 70\n"
    }


def test_a_file_which_is_included_twice_is_not_written_to() -> None:
    data = snapshot(
        'include "a.conf"\nbinding b { include "a.conf" }\n', a_conf="retry_interval = 60\n"
    )
    changed = done(data, "retry_interval 70")
    assert changed == {"ecelerity.conf": 'include "a.conf"\nretry_interval = 70\n'
                       'binding b { include "a.conf" }\n'}  # fmt: skip


@pytest.mark.effect("local_changes_file")
def test_a_new_stanza_goes_to_the_local_changes_if_the_main_file_names_them() -> None:
    data = snapshot('local_changes_file = "/etc/ecelerity/local.conf"\nbinding b { }\n')
    changed = done(data, "binding b domain x.example retry_interval 60",
                   "binding b domain x.example max_outbound_connections 5")  # fmt: skip
    assert changed == {
        "local.conf": HEADER + '\nbinding "b" {\n  domain "x.example" {\n    retry_interval = 60\n'
        "    max_outbound_connections = 5\n  }\n}\n"
    }


def test_a_new_stanza_goes_into_the_main_file_else_inside_of_what_is_there() -> None:
    data = snapshot("binding b {\n\tretry_interval = 60\n}\n# end\n")
    changed = done(
        data, "binding b domain x.example retry_interval 60", "domain y retry_interval 1"
    )
    assert changed == {
        "ecelerity.conf": "binding b {\n\tretry_interval = 60\n"
        '\tdomain "x.example" {\n\t\tretry_interval = 60\n\t}\n}\n# end\n\n'
        'domain "y" {\n\tretry_interval = 1\n}\n'
    }


@pytest.mark.effect("local_changes_only")
def test_local_changes_only_writes_no_other_file() -> None:
    data = snapshot(
        'local_changes_only = true\nlocal_changes_file = "/etc/ecelerity/local.conf"\n'
        "retry_interval = 60\n"
    )
    changed = done(data, "retry_interval 70", "retry_interval 80")
    assert changed == {"local.conf": HEADER + "retry_interval = 80\n"}


def test_local_changes_only_holds_from_the_command_on_which_sets_it() -> None:
    data = snapshot('local_changes_file = "/etc/ecelerity/local.conf"\nretry_interval = 60\n')
    changed = done(data, "retry_interval 61", "local_changes_only true", "retry_interval 70",
                   "local_changes_only false", "retry_interval 80")  # fmt: skip
    assert "retry_interval = 61\nlocal_changes_only = true\n" in changed["ecelerity.conf"]
    assert changed["local.conf"].endswith("retry_interval = 80\nlocal_changes_only = false\n")


def test_local_changes_only_has_a_file_without_a_name() -> None:
    data = snapshot("local_changes_only = true\n")
    assert done(data, "retry_interval 70") == {
        LOCAL_CHANGES.rpartition("/")[2]: HEADER + "retry_interval = 70\n"
    }


def test_where_nothing_may_be_written_the_local_changes_are_begun() -> None:
    workspace = Workspace(snapshot("retry_interval = 60\n"), writable=lambda path: path != MAIN)
    workspace.set([], "retry_interval", "70")
    assert files(workspace) == {"local_changes.conf": HEADER + "retry_interval = 70\n"}
    assert load_snapshot(workspace.snapshot()).root.values["retry_interval"] == 70


def test_what_is_set_last_counts_so_a_file_read_before_is_passed_over() -> None:
    data = snapshot(
        'include "a.conf"\nreadonly_include "z.conf"\n',
        a_conf="binding b { }\n",
        z_conf="binding b { retry_interval = 60 }\n",
    )
    assert done(data, "binding b retry_interval 70") == {
        "ecelerity.conf": 'include "a.conf"\nreadonly_include "z.conf"\n\n'
        'binding "b" {\n  retry_interval = 70\n}\n'
    }


def test_of_many_files_with_a_place_few_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file at the top has the place of the global options."""
    many = {f"f{each}": "" for each in range(50)}
    main = "".join(f"include {name}\n" for name in many) + "readonly_include z\n"
    workspace = Workspace(snapshot(main, **many, z="retry_interval = 60\n"))
    tried: list[str] = []
    add = drafts.Draft.add

    def noted(self: drafts.Draft, spot: drafts.Spot, what: Addition) -> drafts.Undo:
        tried.append(self.path)
        return add(self, spot, what)

    monkeypatch.setattr(drafts.Draft, "add", noted)
    workspace.set([], "retry_interval", "70")
    assert workspace.checked().root.values["retry_interval"] == 70
    assert tried == [MAIN]


def test_what_no_file_can_change_is_an_error_and_changes_nothing() -> None:
    data = snapshot(
        'local_changes_file = "/etc/ecelerity/z.conf"\nreadonly_include "z.conf"\n',
        z_conf="retry_interval = 60\n",
    )
    workspace = Workspace(data, writable=lambda path: path != MAIN)
    with pytest.raises(WorkspaceError, match=r"z\.conf is not written to"):
        workspace.set([], "retry_interval", "70")
    assert not workspace.changed
    assert not workspace.replay()


# Values.


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("retry_interval often", r"retry_interval: .*'often'.*; write "),
        ("retry_interval 5 domain x { }", "is no value"),
        ("retry_interval 5 } x = 6", "is no value"),
        ("retry_interval 5 # five", "is no value"),
        ('ehlo_hostname "a', "is no value"),
        ("relay_hosts ( 10.0.0.1", "is no value"),
        ("relay_hosts ( 10.0.0.300 )", "relay_hosts: "),
        ("retry_interval \ud800", "cannot be written"),
    ],
)
def test_a_value_which_is_none_of_the_option_is_refused_at_once(line: str, message: str) -> None:
    workspace = Workspace(snapshot(""))
    place, text = path.assignment(line)
    with pytest.raises(WorkspaceError, match=message):
        workspace.set(place, place.rest[0], text)
    assert not workspace.changed


def test_an_option_which_is_not_there_is_refused_with_the_nearest_name() -> None:
    workspace = Workspace(snapshot(""))
    with pytest.raises(PathError, match="did you mean retry_interval"):
        workspace.set([], "retry_intervall", "5")
    with pytest.raises(PathError, match="may not stand in esmtp_listener"):
        workspace.set(["esmtp_listener"], "retry_interval", "5")
    with pytest.raises(PathError, match="may not stand"):
        workspace.unset(["esmtp_listener"], "retry_interval")


def test_a_value_which_holds_already_changes_no_text() -> None:
    data = snapshot('retry_interval="60"\n')
    workspace = Workspace(data)
    workspace.set([], "retry_interval", "60")
    assert not workspace.changed
    assert workspace.snapshot() == data
    assert workspace.replay() == ["config set retry_interval = 60"]


# Unset.


def test_unset_removes_an_option_in_all_files() -> None:
    data = snapshot(
        'domain x { retry_interval = 60 }\ninclude "a.conf"\n',
        a_conf="domain x {\n  retry_interval = 70\n  retry_interval = 80\n}\n",
    )
    workspace = Workspace(data)
    assert workspace.unset(["domain", "x"], "Retry_Interval")
    assert not workspace.unset(["domain", "x"], "retry_interval")
    assert files(workspace) == {"ecelerity.conf": 'domain x { }\ninclude "a.conf"\n',
                                "a.conf": "domain x {\n}\n"}  # fmt: skip


def test_unset_of_a_stanza_removes_it_with_all_that_is_in_it() -> None:
    workspace = Workspace(snapshot("binding b { domain x { } }\nbinding c { }\nbinding b { }\n"))
    assert workspace.unset(["binding", "b"])
    assert files(workspace) == {"ecelerity.conf": "binding c { }\n"}
    assert not workspace.unset(["binding", "b"])


def test_the_file_itself_is_never_unset() -> None:
    with pytest.raises(WorkspaceError, match="all of the configuration"):
        Workspace(snapshot("retry_interval = 60\n")).unset([])


def test_what_stands_in_a_file_which_is_not_written_to_cannot_be_unset() -> None:
    data = snapshot('retry_interval = 60\nreadonly_include "a.conf"\n', a_conf="retry_interval = 7")
    workspace = Workspace(data)
    with pytest.raises(WorkspaceError, match=r"a\.conf, which is not written to"):
        workspace.unset([], "retry_interval")
    assert not workspace.changed


def test_a_stanza_which_was_set_and_unset_leaves_the_text_as_it_was() -> None:
    data = snapshot("retry_interval = 60\r\n\r\ndomain y {\r\n}\r\n# the end")
    workspace = Workspace(data)
    workspace.set(["domain", "x"], "retry_interval", "5")
    assert workspace.snapshot() != data
    workspace.unset(["domain", "x"])
    assert not workspace.changed
    assert workspace.snapshot() == data


# The whole.


def test_replay_has_the_commands_and_no_secret() -> None:
    workspace = Workspace(snapshot('binding "b" { }\n'))
    workspace.set(["binding", "b", "domain", "/[.]x$/"], "Retry_Interval", "60")
    workspace.set([], "relay_hosts", "( 10.0.0.1 10.0.0.2 )")
    workspace.unset(["binding", "b"], "retry_interval")
    workspace.unset(["binding", "b"])
    assert workspace.replay() == [
        'config set binding b domain "/[.]x$/" Retry_Interval = 60',
        "config set relay_hosts = ( 10.0.0.1 10.0.0.2 )",
        "config unset binding b retry_interval",
        "config unset binding b",
    ]


def test_a_secret_is_masked_and_its_mask_is_no_secret() -> None:
    workspace = Workspace(snapshot(""))
    workspace.set([], "outbound_smtp_auth_pass", '"open sesame"')
    assert workspace.replay() == ["config set outbound_smtp_auth_pass = ***"]
    with pytest.raises(WorkspaceError, match="secret which is not shown") as caught:
        workspace.set([], "outbound_smtp_auth_pass", "***")
    assert "sesame" not in str(caught.value)
    with pytest.raises(WorkspaceError, match=r"\*\*\* is no value") as caught:
        workspace.set([], "outbound_smtp_auth_pass", "open sesame")
    assert "sesame" not in str(caught.value)
    assert "open sesame" in files(workspace)["ecelerity.conf"]


def test_from_scratch_nothing_is_set_and_the_base_is_the_configuration_that_was() -> None:
    data = snapshot('retry_interval = 60\ninclude "a.conf"\n', a_conf="relay_hosts = ( )\n")
    workspace = Workspace.from_scratch(data)
    assert workspace.changed
    assert workspace.base_hash == load_snapshot(data).text_hash
    workspace.set([], "max_outbound_connections", "5")
    assert load_snapshot(workspace.snapshot()).root.values == {
        "max_outbound_connections": load_snapshot(snapshot("max_outbound_connections = 5\n"))
        .root.values["max_outbound_connections"]
    }  # fmt: skip


def test_what_it_means_can_be_asked_while_it_is_changed() -> None:
    workspace = Workspace(snapshot("retry_interval = 60\n"))
    assert workspace.checked().root.values["retry_interval"] == 60
    workspace.set([], "retry_interval", "70")
    assert workspace.checked().root.values["retry_interval"] == 70
    assert workspace.checked() is workspace.checked()


def test_octets_which_are_no_text_stay_in_comments() -> None:
    text = "# caf\udce9\nretry_interval = 60 # \udcff\n".encode("utf-8", "surrogateescape")
    data = msgspec.msgpack.encode(Snapshot(MAIN, (), {MAIN: text}, {}))
    workspace = Workspace(data)
    workspace.set([], "retry_interval", "70")
    after = msgspec.msgpack.decode(workspace.snapshot(), type=Snapshot).files[MAIN]
    assert after == text.replace(b"60", b"70")


def test_a_workspace_knows_nothing_of_another_one() -> None:
    data = snapshot("retry_interval = 60\n")
    first, second = Workspace(data), Workspace(data)
    first.set([], "retry_interval", "70")
    assert not second.changed
    assert first.base_hash == second.base_hash


# Any commands on any files: each changes one option in meaning.

PLACES = [[], ["domain", "x"], ["binding", "b"], ["binding", "b", "domain", "x"],
          ["binding_group", "g", "binding", "b"]]  # fmt: skip
OPTIONS = ["retry_interval", "max_outbound_connections"]
BODY = st.lists(st.sampled_from([
    "retry_interval = 60\n", "max_outbound_connections = 5 # n\n", "\n", "# c\n",
    "domain x { retry_interval = 61 }\n", "domain x {\n  max_outbound_connections = 6\n}\r\n",
    "binding b {\n  domain x { }\n  retry_interval = 62\n}\n", "binding b { }",
    "binding_group g { binding b { retry_interval = 63 } }\n", "binding_group g {\n}\n",
]), max_size=6).map("".join)  # fmt: skip
INCLUDES = st.lists(st.sampled_from(
    ['include "a.conf"\n', 'readonly_include "b.conf"\n', 'domain x { include "c.conf" }\n',
     'binding b {\n  include "c.conf"\n}\n', 'local_changes_file = "/etc/ecelerity/l.conf"\n',
     "local_changes_only = true\n"]
), max_size=3, unique=True).map("".join)  # fmt: skip
INNER = st.sampled_from(["", "retry_interval = 64\n", "# c\nretry_interval = 65", "\r\n"])
SNAPSHOTS = st.builds(
    lambda first, includes, last, a, b, c: snapshot(
        first + includes + last, a_conf=a, b_conf=b, c_conf=c
    ),
    BODY, INCLUDES, BODY, BODY, BODY, INNER,
)  # fmt: skip
COMMANDS = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(OPTIONS), st.integers(1, 9)), max_size=5
)


@pytest.fixture(params=[0, drafts.LARGE], ids=["in pieces", "as a whole"])
def _large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "LARGE", request.param)


@pytest.mark.usefixtures("_large")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SNAPSHOTS, COMMANDS)
def test_each_command_changes_one_option_and_nothing_else(
    data: bytes, commands: list[tuple[list[str], str, int]]
) -> None:
    workspace = Workspace(data)
    for words, option, number in commands:
        before = workspace.checked()
        workspace.set(words, option, str(number))
        after = workspace.checked()
        place = path.parse(words)
        section = path.find(after.root, place.steps)
        assert section is not None
        changes = differences(before.root, after.root)
        assert {each.path for each in changes if each.what is What.OPTION} <= {section.path}
        assert all(section.path.startswith(each.path) for each in changes)
        assert [each.new for each in changes if each.what is What.OPTION] in ([], [str(number)])
        declared = path.option_in(place.kind, option)
        assert declared is not None
        assert section.values[option] == declared.kind.parse(str(number))
    again = Workspace(workspace.base)
    for line in workspace.replay():
        place, text = path.assignment(line.removeprefix("config set "))
        again.set(place, place.rest[0], text)
    assert again.snapshot() == workspace.snapshot()


@pytest.mark.usefixtures("_large")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SNAPSHOTS, COMMANDS)
def test_unset_leaves_nothing_at_its_place_and_all_else(
    data: bytes, commands: list[tuple[list[str], str, int]]
) -> None:
    workspace = Workspace(data)
    for words, option, number in commands:
        before = workspace.checked()
        whole = bool(words) and number > 6
        try:
            found = workspace.unset(words, None if whole else option)
        except WorkspaceError:
            assert not differences(before.root, workspace.checked().root)
            continue
        after = workspace.checked()
        place = path.parse(words)
        section = path.find(after.root, place.steps)
        assert section is None or (not whole and option not in section.values)
        there = path.words_of(place.steps)
        for each in differences(before.root, after.root):
            assert found
            assert each.new is None
            assert each.path.split()[: len(there)] == there
