"""securecreds: passwords of datasources come from the store of `angarium credentials`.

A datasource whose uri names a user and no password has the one which is kept for the host, the user
and the kind (`pgsql`, `mysql`, `ldap`, `redis`). They are read when a generation is prepared.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.data.credentials import Keys, Login, Store
from angarium.data.uri import Uri
from angarium.modules.auth.options import SecureCreds

LOCAL: Final = "localhost"


def passwords(configuration: Configuration) -> Callable[[Uri], str]:
    """Return what finds the password of a uri: "" where it needs none from the store."""
    options = configuration.top(SecureCreds)
    if not (configuration.has("securecreds") and options.enabled):
        return lambda _uri: ""
    return _Kept(Path(options.credentials), Path(options.key))


class _Kept:
    """The passwords of a store, which is opened when the first one is wanted."""

    def __init__(self, database: Path, key: Path) -> None:
        self._database = database
        self._key = key
        self._store: Store | None = None

    def __call__(self, uri: Uri) -> str:
        """Return the password of a uri. Raises Error if it wants one that is not there."""
        if not uri.user or uri.has_password:
            return ""
        if self._store is None:
            self._store = Store(self._database, Keys.read(self._key))
        login = Login(uri.host or LOCAL, uri.user, uri.facility)
        found = self._store.get(login)
        if found is None:
            raise Error(
                "securecreds has no password for a datasource; angarium credentials set_cred",
                hostname=login.hostname, username=login.username, facility=login.facility,
            )  # fmt: skip
        return found
