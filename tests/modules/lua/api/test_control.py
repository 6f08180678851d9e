import pytest

from angarium.modules.lua.api.control import MOST, added, commands_of, shown
from angarium.modules.lua.errors import ScriptError
from helpers.lua import services
from helpers.snippets import run, running, state


async def test_a_command_gets_its_words_and_prints_to_who_gave_it() -> None:
    log: list[str] = []
    lua = state(services(show=shown(log.append)))
    source = """
        msys.registerControl("my  command", function(cc)
          print(cc.argc, cc.argv[0], cc.argv[1], cc.argv[9])
          print("and more")
        end)
        print("loaded")
    """
    await running(source, lua)
    printed = await commands_of(lua)["my command"](["my command", "a b"])
    assert printed == "2\tmy command\ta b\tnil\nand more"
    assert log == ["loaded"]


async def test_a_command_may_wait() -> None:
    lua = state(services(show=shown(lambda _text: None)))
    source = """
        msys.registerControl("read", function(cc)
          print(msys.readfile("/nowhere"))
        end)
    """
    await running(source, lua)
    assert "No such file" in await commands_of(lua)["read"](["read"])


async def test_a_command_which_fails_says_where() -> None:
    lua = state()
    await running('msys.registerControl("bad", function(cc) error("no") end)', lua)
    with pytest.raises(ScriptError, match="test:1: no"):
        await commands_of(lua)["bad"](["bad"])


async def test_what_a_command_prints_is_bounded() -> None:
    lua = state(services(show=shown(lambda _text: None)))
    source = """
        msys.registerControl("long", function(cc)
          for i = 1, 30 do print(string.rep("x", 100000)) end
        end)
    """
    await running(source, lua)
    assert len(await commands_of(lua)["long"](["long"])) <= MOST


def test_a_scheme_of_authentication_is_kept() -> None:
    lua = state()
    source = """
        local auth = {}
        function auth:authenticate(file, params, user, password) return msys.core.EC_AUTH_OK end
        function auth:queryGroups() return { "a" } end
        msys.registerAuth("mine", auth)
    """
    run(source, lua)
    assert list(added(lua).schemes) == ["mine"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('msys.registerControl(" ", print)', "a command has a name"),
        ('msys.registerControl("x", 1)', "function expected"),
        ('msys.registerAuth("", { authenticate = print })', "a scheme has a name"),
        ('msys.registerAuth("x", {})', "no function 'authenticate'"),
        ('msys.registerAuth("x", { authenticate = 1 })', "is no function"),
    ],
)
def test_what_cannot_be_added_is_an_error(call: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        run(call)
