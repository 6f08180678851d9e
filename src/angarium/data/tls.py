"""TLS to databases: `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of a uri.

disable         never; the default
require         always; who the server is nobody looks at
verify-full     always; its certificate must be for the host, of `sslrootcert` or the system
"""

import ssl
from collections.abc import Mapping

from angarium.data.errors import UnreachableError


def context(parameters: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what TLS is made by; None where there is to be none. Raises UnreachableError."""
    mode = parameters.get("sslmode", "disable")
    if mode == "disable":
        return None
    try:
        made = ssl.create_default_context(cafile=parameters.get("sslrootcert"))
        if "sslcert" in parameters:
            made.load_cert_chain(parameters["sslcert"], parameters.get("sslkey"))
    except (OSError, ssl.SSLError) as error:
        raise UnreachableError(f"a certificate or a key cannot be read: {error}") from None
    if mode == "require":
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
