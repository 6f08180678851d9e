import pytest

from angarium.modules.lua.api.absent import MISSING
from angarium.modules.lua.errors import ScriptError
from helpers.snippets import run, state

NAMES = [(name, missing) for missing, names in MISSING.items() for name in names.split()]


def test_a_function_without_its_engine_says_what_is_missing() -> None:
    lua = state()
    for name, missing in NAMES:
        with pytest.raises(ScriptError) as raised:
            run(f"return {name}(1, {{}}, 'x')", lua)
        assert f"'{name}' needs {missing}, which this server does not have" in str(raised.value)


def test_packages_of_engines_can_be_required() -> None:
    assert run('return require("msys.validate.opendkim") == msys.validate.opendkim') is True


def test_there_is_no_antivirus_engine() -> None:
    assert run("return #msys.av.engines(), msys.av.EC_AV_CLEAN ~= msys.av.EC_AV_INFECTED") == [
        0, True,
    ]  # fmt: skip
