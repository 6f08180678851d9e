"""Which files of keys the configuration names, and what is said of those only root may read."""

from pathlib import Path

import pytest

from angarium.config.errors import Severity
from angarium.config.held import Held
from angarium.config.load import load_snapshot, load_text, snapshot
from angarium.modules.sign.options.key_files import files_of


def named(text: str) -> list[str]:
    return files_of(load_text(text).root)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('opendkim { key = "/k/a" selector = "s" }', ["/k/a"]),
        ('opendkim { key = "/k/%{s}.key" selector = "s" }', ["/k/s.key"]),
        ('opendkim { key = "/k/%{d}/a" selector = "s" }', []),
        ('opendkim { key = "k/a" selector = "s" }', []),
        ('opendkim { key = "/k/%{s}" dkim_domain "a.example" { selector = "t" } }', ["/k/t"]),
        ("opendkim { }", []),
        (
            'opendkim { key = "/k/%{d}/%{s}" selector = "s"'
            ' dkim_domain "A.example" { } dkim_domain "b.example" { selector = "t" }'
            ' dkim_domain "c.example" { base_domain = "example" }'
            ' dkim_domain "*.d.example" { } dkim_domain "*.e.example" { key = "/k/e" } }',
            ["/k/a.example/s", "/k/b.example/t", "/k/example/s", "/k/e"],
        ),
        (
            'opendkim "one" { key = "/k/a" } opendkim "two" { key = "/k/a" }',
            ["/k/a"],
        ),
        (
            'dkim_sign { dk_domain "*.x.example" { base_domain = "x.example" key = "/k/%{d}" } }',
            ["/k/x.example"],
        ),
        ('dk_sign "old" { key = "/k/%{s}" selector = "d" dk_domain "a.example" { } }', ["/k/d"]),
        (
            'openarc { key = "/k/%{d}/%{s}" selector = "s" signing_domain = "arc.example" }',
            ["/k/arc.example/s"],
        ),
        ('openarc { key = "/k/%{d}" }', []),
    ],
)
def test_paths_which_follow_from_the_configuration(text: str, paths: list[str]) -> None:
    assert named(text) == paths


@pytest.mark.parametrize(
    "stanza",
    [
        'opendkim {{ key = "{key}" selector = "s" dkim_domain "a.example" {{ }} }}',
        'opendkim {{ key = "{folder}/%{{d}}" selector = "s" dkim_domain "key" {{ }} }}',
    ],
)
def test_what_only_the_start_could_read_is_told_once(tmp_path: Path, stanza: str) -> None:
    key, path = tmp_path / "key", tmp_path / "ecelerity.conf"
    key.write_bytes(b"secret")
    path.write_text(stanza.format(key=key, folder=tmp_path))
    held = Held.of([str(key)])
    assert load_snapshot(snapshot(str(path)), held=held).notes == ()
    key.unlink()  # as it is for who may not read it
    [told] = load_snapshot(snapshot(str(path)), held=held).notes
    assert told.message == f"key: what {key} held at the start counts until a restart"
    assert told.line == 1
    assert told.column > 1


def test_a_key_which_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ecelerity.conf"
    path.write_text(f'opendkim {{ key = "{tmp_path}/%{{s}}.key" selector = "none" }}')
    [told] = load_snapshot(snapshot(str(path))).notes
    reason = "No such file or directory; nothing is signed with it"
    assert told.message == f"key: {tmp_path}/none.key: {reason}"
    assert told.severity is Severity.WARNING
    assert load_snapshot(snapshot(str(path)), files=False).notes == ()
