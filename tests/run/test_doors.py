"""What the doors leave to others; that they open and close is the reload's scenario."""

from angarium.config.load import load_text
from angarium.run.doors import most_sessions, saves_syns


def test_sessions_leave_a_quarter_of_the_descriptors_or_64() -> None:
    assert most_sessions(100_000) == 75_000
    assert most_sessions(128) == 64
    assert most_sessions(10) == 1


def test_first_packets_are_kept_where_a_module_looks_at_them() -> None:
    for text, wanted in (
        ("", False),
        ("fingerprint { }", True),
        ("fingerprint { enabled = false }", False),
        ('fingerprint "a" { enabled = false } fingerprint "b" { }', True),
    ):
        assert saves_syns(load_text(text)) is wanted
