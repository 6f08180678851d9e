"""msys.registerAuth: a script says who a client is, by a scheme of its own.

msys.registerAuth("myscheme", { authenticate = function(self, filename, params, user, pass) })
AuthPlainParameters = [ uri = "myscheme://anything" ]
"""

from collections.abc import Callable
from typing import Final

from angarium.inbound.authenticators import PASSWORDS, Authenticator, Found, Visit
from angarium.inbound.errors import TroubleError
from angarium.modules.lua.api.constants import EC_AUTH_FAIL, EC_AUTH_OK
from angarium.modules.lua.bind import Function, Table
from angarium.modules.lua.errors import ScriptError
from angarium.wire.sasl.exchange import Claim
from angarium.wire.sasl.names import TOKENS

GROUPS: Final = "auth_groups"


class ScriptScheme(Authenticator):
    """One scheme.

    Args:
        table: as it was registered.
        panic: writes a line to paniclog.
    """

    mechanisms = PASSWORDS | TOKENS

    def __init__(self, name: str, table: Table, panic: Callable[[str], None]) -> None:
        self._name = name
        self._table = table
        self._panic = panic

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._checked(claim, visit)

    async def _checked(self, claim: Claim, visit: Visit) -> str | None:
        parameters = {"uri": visit.uri, "mechanism": claim.mechanism}
        answer = await self._called(
            "authenticate", visit.path, parameters, claim.user, claim.password
        )
        if answer == EC_AUTH_FAIL:
            return None
        if answer != EC_AUTH_OK or isinstance(answer, bool):
            raise TroubleError("the script cannot say who it is", scheme=self._name)
        if visit.session is not None and self._table.get("enumGroups") is not None:
            groups = await self._called("enumGroups", claim.user)
            found = groups.array() if isinstance(groups, Table) else []
            named = [each.decode("utf-8", "replace") for each in found if isinstance(each, bytes)]
            visit.session.variables[GROUPS] = ",".join(named)
        return claim.user

    async def _called(self, name: str, *arguments: object) -> object:
        function = self._table.get(name)
        assert isinstance(function, Function)
        try:
            came = await function(self._table, *arguments)
        except ScriptError as error:
            self._panic(f"{name} of the scheme '{self._name}': {error.message}")
            raise TroubleError("the script failed", scheme=self._name) from error
        return came[0] if came else None
