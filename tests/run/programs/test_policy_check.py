"""angarium policy check: what is wrong with a script, with file and line."""

from pathlib import Path

from click.testing import CliRunner, Result

from angarium.run.programs.policy_check import command


def run(path: Path, text: str) -> Result:
    path.write_text(text)
    path.chmod(0o644)
    return CliRunner().invoke(command, [str(path)])


def test_a_script_which_is_well_says_what_it_handles(tmp_path: Path) -> None:
    text = "from angarium.policy.script import on\n@on.connect\ndef look() -> None: ...\n"
    result = run(tmp_path / "p.py", text)
    assert result.exit_code == 0
    assert result.output == f"{tmp_path}/p.py: validate_connect p look\n"


def test_a_faulty_script_is_told_with_its_line(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", "x = 1\ndef (\n")
    assert result.exit_code == 1
    assert f"{tmp_path}/p.py:2: script p: invalid syntax" in result.output


def test_a_script_which_handles_nothing_is_told(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", "x = 1\n")
    assert result.exit_code == 1
    assert "it handles no hook" in result.output


LUA = """require("msys.core")
local mod = {}
function mod:validate_connect(ac, vctx)
  %s
  return msys.core.VALIDATE_CONT
end
msys.registerModule("its own name", mod)
"""


def test_a_script_in_lua_is_asked_by_the_name_it_registers(tmp_path: Path) -> None:
    result = run(tmp_path / "p.lua", LUA % "vctx:set_code(550, 'no')")
    assert result.exit_code == 0
    hook = "validate_connect script its own name validate_connect"
    assert result.output == f"{tmp_path}/p.lua: {hook}\n"


def test_a_function_nobody_knows_is_wrong_although_the_script_loads(tmp_path: Path) -> None:
    result = run(tmp_path / "p.lua", LUA % "msys.pcre.mtach('a', 'b')")
    assert result.exit_code == 1
    assert f"{tmp_path}/p.lua:4: there is no function msys.pcre.mtach\n" in result.output


def test_what_is_not_there_here_is_told_and_does_no_harm(tmp_path: Path) -> None:
    result = run(tmp_path / "p.lua", LUA % "msys.validate.dkim2.sign(nil, nil, {})")
    assert result.exit_code == 0
    assert f"{tmp_path}/p.lua:4: note: msys.validate.dkim2.sign needs" in result.output


def test_a_long_name_is_told_in_full(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 20) / "p.lua"
    path.parent.mkdir()
    result = run(path, "x = 1\ny =\n")
    assert result.exit_code == 1
    assert f"{path}:2: script" in result.output or f"{path}:3: script" in result.output


def test_a_module_for_others_is_looked_for_as_they_would(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    run(tmp_path / "in" / "a.lua", 'module("in.a", package.seeall) x = 1')
    result = run(tmp_path / "in" / "b.lua", 'module("in.b", package.seeall) require("in.a")')
    assert result.exit_code == 0, result.output
    assert "it is for others to require" in result.output


def test_a_script_which_registers_nothing_is_told(tmp_path: Path) -> None:
    result = run(tmp_path / "p.lua", "x = 1\n")
    assert result.exit_code == 1
    assert "it handles no hook" in result.output


def test_a_global_nobody_sets_is_told_with_its_line(tmp_path: Path) -> None:
    result = run(tmp_path / "p.lua", LUA % "nosuch.thing(ac) return conut")
    assert result.exit_code == 1
    assert f"{tmp_path}/p.lua:4: nothing sets nosuch\n" in result.output
    assert f"{tmp_path}/p.lua:4: note: nothing sets conut\n" in result.output


def test_what_a_required_script_sets_is_there_and_what_cannot_be_found_is_a_doubt(
    tmp_path: Path,
) -> None:
    run(tmp_path / "shared.lua", "function helper() end return true")
    head = 'require("shared")\n'
    assert run(tmp_path / "p.lua", head + LUA % "helper()").exit_code == 0
    other = head + 'pcall(require, "x") package.preload.mine = print require("mine")\n'
    result = run(tmp_path / "p.lua", other + LUA % "helper() made_by_mine()")
    assert result.exit_code == 0
    assert "p.lua:6: note: there is no function made_by_mine" in result.output


def test_scripts_which_are_checked_together_share_their_globals(tmp_path: Path) -> None:
    first, second = tmp_path / "a.lua", tmp_path / "b.lua"
    run(first, "function helper() end\n" + LUA % "")
    assert run(second, LUA % "helper()").exit_code == 1
    assert CliRunner().invoke(command, [str(first), str(second)]).exit_code == 0


HANDLER = "from angarium.policy.script import Message, Session, on\n@on.%s\ndef f(%s):\n    %s\n"


def test_a_hook_nobody_knows_is_told_in_python(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", HANDLER % ("rcpt", "", "pass"))
    assert result.exit_code == 1
    assert f"{tmp_path}/p.py:2: script p: there is no hook on.rcpt; there are " in result.output
    result = run(tmp_path / "p.py", HANDLER % ("__call__('validate_rcpt')", "", "pass"))
    assert result.exit_code == 1
    assert ":2: script p: ValueError: there is no hook 'validate_rcpt'; known are" in result.output


def test_a_signature_a_hook_cannot_serve_is_told_in_python(tmp_path: Path) -> None:
    for parameters in ("message: Message, what: int", "what"):
        result = run(tmp_path / "p.py", HANDLER % ("recipient", parameters, "pass"))
        assert result.exit_code == 1
        said = f"{tmp_path}/p.py:2: f: its parameter what is of no type which validate_rcptto can"
        assert said in result.output


def test_a_name_nobody_sets_is_told_in_python(tmp_path: Path) -> None:
    result = run(tmp_path / "p.py", HANDLER % ("connect", "session: Session", "nosuch(session)"))
    assert result.exit_code == 1
    assert f"{tmp_path}/p.py:4: nothing sets nosuch\n" in result.output
