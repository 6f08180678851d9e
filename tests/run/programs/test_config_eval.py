"""`angarium config eval`: what it says of a place."""

import json
from pathlib import Path

import pytest

from helpers.tools import angarium, file

TEXT = """\
retry_interval = 1200
binding_group "g" {
  binding "b" {
    retry_interval = 600
    host "mx.a.example" { max_outbound_connections = 3 }
  }
}
domain "a.example" { retry_interval = 60 }
esmtp_listener { listen ":25" { idle_time = 5 } }
ec_logger "one" { mainlog = "first.ec" }
ec_logger "two" { }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return file(tmp_path, TEXT)


def said(path: Path, *words: str) -> list[str]:
    code, output = angarium("config", "eval", path, *words)
    assert code == 0
    return output.replace(f"{path.parent}/", "").splitlines()


def test_a_value_is_told_with_who_sets_it_and_where(path: Path) -> None:
    assert said(path, "retry_interval", "max_retry_interval") == [
        "retry_interval = 1200  # from global, ecelerity.conf:1",
        "max_retry_interval = 43200  # default",
    ]
    assert said(path, "--domain", "a.example", "retry_interval") == [
        "retry_interval = 60  # from domain a.example, ecelerity.conf:8"
    ]
    assert said(path, "--domain", "a.example", "--binding", "b", "retry_interval") == [
        "retry_interval = 600  # from binding_group g binding b, ecelerity.conf:4"
    ]
    assert said(path, "--listen", ":25", "--peer", "192.0.2.1", "idle_time") == [
        "idle_time = 5  # from esmtp_listener listen *:25, ecelerity.conf:9"
    ]


def test_a_host_does_not_fall_back(path: Path) -> None:
    place = ("--binding-group", "g", "--binding", "b", "--host", "MX.a.example")
    assert said(path, *place, "max_outbound_connections")[0].startswith(
        "max_outbound_connections = 3  # from binding_group g binding b host"
    )
    assert said(path, "--host", "mx.b.example", "max_outbound_connections") == [
        "max_outbound_connections = -1  # default"
    ]


def test_an_option_of_a_module_is_told_for_each_instance(path: Path) -> None:
    assert said(path, "ec_logger.mainlog") == [
        'ec_logger one mainlog = "first.ec"  # from ec_logger one, ecelerity.conf:10',
        'ec_logger two mainlog = "/var/log/ecelerity/mainlog.ec"  # default',
    ]
    assert said(path, "bounce_logger.bouncelog")[0].endswith("  # default")


def test_without_an_option_all_that_is_set_for_the_place_is_told(path: Path) -> None:
    assert said(path, "--domain", "a.example") == [
        "retry_interval = 60  # from domain a.example, ecelerity.conf:8"
    ]


def test_the_json_has_typed_values(path: Path) -> None:
    code, output = angarium(
        "config", "eval", "--json", path, "--domain", "a.example", "retry_interval", "use_ipv6",
        "gateway",
    )  # fmt: skip
    assert code == 0
    assert json.loads(output) == {
        "retry_interval": {
            "value": 60, "from": "domain a.example", "file": str(path), "line": 8,
        },
        "use_ipv6": {"value": False, "from": None, "file": None, "line": None},
        "gateway": {"value": None, "from": None, "file": None, "line": None},
    }  # fmt: skip


def test_nothing_is_told_as_nothing(path: Path) -> None:
    assert said(path, "gateway") == ["gateway = ( nothing )  # default"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("retry_intervall",), "there is no option retry_intervall; did you mean retry_interval?"),
        (("--binding", "bb", "retry_interval"), "there is no binding bb; did you mean b?"),
        (("--peer", "::1", "--host", "x", "idle_time"), "host is of mail on its way out, peer of"),
    ],
)
def test_a_wrong_name_is_wrong_usage(path: Path, words: tuple[str, ...], message: str) -> None:
    code, output = angarium("config", "eval", path, *words)
    assert code == 2
    assert output.startswith(message)


def test_a_faulty_file_is_told_and_nothing_else(tmp_path: Path) -> None:
    code, output = angarium("config", "eval", file(tmp_path, "x = 1"), "retry_interval")
    assert code == 1
    assert "there is no option x" in output
