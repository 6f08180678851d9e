import pytest

from angarium.modules.lua.declare import CONSTANTS
from helpers.snippets import run


def test_verdicts_and_contexts_have_their_numbers() -> None:
    source = """
        local c = msys.core
        return c.VALIDATE_CONT, c.VALIDATE_AGAIN, c.VALIDATE_DONE, c.EC_HOOK_CONT, c.EC_HOOK_DONE,
          c.EC_HOOK_RETRY, c.VCTX_MESS == c.ECMESS_CTX_MESS, c.VCTX_CONN == c.ECMESS_CTX_CONN,
          c.VCTX_MESS ~= c.VCTX_CONN, c.P_ESMTP
    """
    assert run(source) == [0, 1, 2, 0, 1, 2, True, True, True, 2]


@pytest.mark.parametrize(
    "prefix",
    ["EC_MSG_ENV_", "EC_MIME_TE_", "EC_AUTH_", "P_", "SIEVEREQ_", "ECTP_COMPLETE_", "VALIDATE_"],
)
def test_constants_of_one_kind_differ(prefix: str) -> None:
    found = {
        name: value for name, value in CONSTANTS.items() if name.startswith(f"msys.core.{prefix}")
    }
    assert len(found) > 1
    assert len(set(found.values())) == len(found)


def test_flags_can_be_joined() -> None:
    flags = [value for name, value in CONSTANTS.items() if ".SIEVEREQ_" in name]
    assert all(isinstance(each, int) and each & (each - 1) == 0 for each in flags)
    assert run("return msys.core.O_CREAT | msys.core.O_WRONLY") != 0
