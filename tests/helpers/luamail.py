"""A message on its way through a script in Lua, in memory, with modules and keys beside it.

server = scripted(tmp_path, "core_final_validation", "return msys.validate.dk.sign(msg, vctx, {})")
mail, said = await server.leaves()          `said`: what the function returned, as texts
"""

from pathlib import Path

from angarium.policy import hooks
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, Signing

PACKAGES = ("core", "extended.message", "extended.vctx", "validate.dkim", "validate.opendkim",
            "validate.dk", "validate.openarc", "sign.dk")  # fmt: skip
SCRIPT = """
%s
local mod = {}
local function done(msg, ...)
  local said = {}
  for i = 1, select("#", ...) do said[i] = tostring((select(i, ...))) end
  msg:context_set(msys.core.ECMESS_CTX_MESS, "said", table.concat(said, "|"))
end
local function asked(msg, vctx)
  %s
end
function mod:%s(msg, ac, vctx)
  done(msg, asked(msg, vctx))
  return msys.core.VALIDATE_CONT
end
msys.registerModule("lua", mod)
"""


class Scripted(Signing):
    """A worker with a script, and keys as `Signing` has them."""

    async def leaves(self, letter: bytes = LETTER, **more: str) -> tuple[Mail, list[str]]:
        """Send a message; return it with what the script has said."""
        [mail] = await self.send(letter, variables=more)
        await self.way.ask(hooks.PostFinalValidation, mail, self.way.session)
        return mail, said(mail)


def script(folder: Path, hook: str, body: str) -> str:
    """Write a script; return the stanza which runs it."""
    requires = "\n".join(f'require("msys.{each}")' for each in PACKAGES)
    source = SCRIPT % (requires, body.replace("KEYS", str(folder)), hook)
    (folder / "lua.lua").write_text(f'require("opendkim.dkim")\n{source}')
    return f'scriptlet "scriptlet" {{ script "lua" {{ source = "{folder}/lua.lua" }} }}\n'


def scripted(folder: Path, hook: str, body: str, config: str = "", zone: str = "") -> Scripted:
    """Return a worker with a function for a hook, which gets `msg` and `vctx`."""
    made = Scripted(folder, script(folder, hook, body) + config, zone)
    for name in KEYS:
        made.keep(f"example.com/{name}.key", KEYS[name])
    return made


def receiving(folder: Path, hook: str, body: str, config: str = "", zone: str = "") -> Way:
    """Return a server which receives a message, with a function for a hook."""
    return Way(folder, script(folder, hook, body) + config, zone)


def said(mail: Mail) -> list[str]:
    """Return what a script has returned."""
    found = mail.get(Which.MESSAGE, "said")
    return found.split("|") if found is not None else []
