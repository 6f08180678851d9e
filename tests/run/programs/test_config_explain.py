"""`angarium config explain`: what it says."""

import json
from pathlib import Path

from angarium.config.option import OPTIONS, State
from helpers.tools import angarium, file

TEXT = """\
retry_interval = 1200
binding "b" { retry_interval = 600 }
ec_logger "one" { mainlog = "first.ec" }
ec_logger "two" { }
"""


def test_an_option_is_explained_without_a_file() -> None:
    code, output = angarium("config", "explain", "Retry_Interval")
    assert code == 0
    assert output.startswith("retry_interval: seconds, or with a unit such as '4 hours'\n")
    for line in (
        "  default    1200\n",
        "  stands in  global, binding_group, binding, domain",
        "  direction  sending\n",
        "  changes    while running\n",
        "  state      works\n",
        "read by:\n",
        " next_due\n",
    ):
        assert line in output
    assert "set " not in output.split("read by")[1]


def test_with_a_file_where_it_is_set_and_who_wins_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, TEXT)
    code, output = angarium(
        "config", "explain", "retry_interval", path, "--binding", "b", "--domain", "c.example"
    )
    assert code == 0
    assert (
        f"set at:\n  {path}:1:1: global: 1200\n  {path}:2:15: binding b: 600\n\n"
        "asked for binding_group default binding b domain c.example:\n"
        f"  wins     binding b: 600  ({path}:2)\n"
        f"  hidden   global: 1200  ({path}:1)\n"
    ) in output


def test_of_many_places_few_are_told(tmp_path: Path) -> None:
    many = "".join(f'domain "d{each}.example" {{ retry_interval = 5 }}\n' for each in range(30))
    path = file(tmp_path, many)
    code, output = angarium("config", "explain", "retry_interval", path, "--domain", "d29.example")
    assert code == 0
    assert output.count(": domain d") == 20
    assert "and 10 more places; --json has all" in output
    assert "wins     domain d29.example: 5" in output
    code, output = angarium("config", "explain", "retry_interval", path, "--json")
    assert len(json.loads(output)[0]["set"]) == 30


def test_what_is_set_nowhere_has_its_default(tmp_path: Path) -> None:
    code, output = angarium("config", "explain", "max_retry_interval", file(tmp_path, TEXT))
    assert code == 0
    assert "set nowhere\n\nasked for global:\n  not set  global\n  default  43200\n" in output


def test_an_option_of_a_module_is_told_for_each_instance(tmp_path: Path) -> None:
    path = file(tmp_path, TEXT)
    code, output = angarium("config", "explain", "ec_logger.mainlog", path)
    assert code == 0
    assert f'asked for ec_logger one:\n  wins     ec_logger one: "first.ec"  ({path}:3)\n' in output
    assert "asked for ec_logger two:\n  not set  ec_logger two\n  default  " in output
    assert "angarium." in output.partition("read by:\n")[2]


def test_an_allowance_says_who_is_counted_together(tmp_path: Path) -> None:
    path = file(tmp_path, "binding b { outbound_throttle_messages = 5 }")
    _, output = angarium("config", "explain", "outbound_throttle_messages", path, "--binding", "b")
    assert "  counted together for all which fall back to binding b\n" in output


def test_an_option_without_effect_says_why_and_is_read_by_nothing() -> None:
    idle = next(each for each in OPTIONS.values() if each.state is State.ACCEPTED)
    code, output = angarium("config", "explain", idle.key)
    assert code == 0
    assert "understood and without effect. " in output
    assert output.endswith("read by nothing\n")


def test_the_json_has_all_of_it(tmp_path: Path) -> None:
    path = file(tmp_path, TEXT)
    code, output = angarium("config", "explain", "--json", "retry_interval", path)
    [found] = json.loads(output)
    assert code == 0
    assert found["about"]["default"] == "1200"
    assert [each["line"] for each in found["set"]] == [1, 2]
    assert [each["verdict"] for each in found["asked"]] == ["wins"]


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    assert angarium("config", "explain", "retry_intervall")[0] == 2
    code, output = angarium("config", "explain", "retry_interval", "--binding", "b")
    assert (code, output) == (2, "a place is one of a FILE: name the file too\n")
    assert angarium("config", "explain", "retry_interval", file(tmp_path, "x"))[0] == 1
