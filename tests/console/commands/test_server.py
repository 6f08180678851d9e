"""The server as a whole."""

from pathlib import Path
from types import SimpleNamespace

from helpers.consoles import FakeServer, Talk

CONFIG = """
ec_logger "main" { paniclog = "panics" }
ec_logger "off" { enabled = false }
"""


async def test_modules_are_listed_with_what_they_are(tmp_path: Path) -> None:
    talk = Talk(FakeServer(tmp_path, CONFIG))
    first, second = await talk.plain("module list")
    assert (first["module"], first["api"], first["enabled"]) == (
        "ec_logger:main", "Logger", "enabled",
    )  # fmt: skip
    assert second["enabled"] == "disabled"
    assert "  Instance_Name: main" in await talk.say("module list")
    said = await talk.say("module hooks")
    assert "validate_rcptto(msg, str, accept, vctx)\n    SMTP reception: One RCPT" in said
    assert said.index("validate_connect(") < said.index("validate_set_binding(")
    assert "core_suspension\n    not asked yet: the module curfew" in said


async def test_the_end_and_new_logs_are_asked_of_the_node(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, CONFIG)
    talk = Talk(server)
    await talk.say("reopen logs")
    await talk.say("shutdown")
    assert server.node.told == ["reopen", "stop"]


async def test_the_last_lines_of_paniclog_are_printed(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, 'ec_logger "main" { paniclog = "panics" }')
    (tmp_path / "panics").write_text("".join(f"{n}:core: x\n" for n in range(20)))
    server.node.parts["worker 0"] = SimpleNamespace(
        configuration=server.live.configuration, state=tmp_path
    )
    assert (await Talk(server).say("paniclog")).splitlines() == [
        f"{n}:core: x" for n in range(10, 20)
    ]


async def test_the_configuration_is_printed_or_written(tmp_path: Path) -> None:
    talk = Talk(FakeServer(tmp_path, CONFIG))
    assert 'ec_logger "main"' in await talk.say("write config")
    await talk.say(f"write config {tmp_path}/copy")
    assert 'ec_logger "main"' in (tmp_path / "copy").read_text()
