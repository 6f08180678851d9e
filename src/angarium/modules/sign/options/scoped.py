"""Options which say, for a binding or a domain, whether its mail is signed."""

from angarium.config.kinds import Bool
from angarium.config.option import Options, option
from angarium.config.scope import SHAPING


class Signing(Options, direction="sending"):
    """Whether the modules which sign do so here."""

    opendkim_sign = option(
        Bool(),
        True,
        scopes=SHAPING,
        dynamic=False,
        doc="""
        Whether the module opendkim signs the mail. `false` for a binding or a domain leaves its
        mail as it is.
        """,
    )
    dkim = option(
        Bool(),
        None,
        scopes=SHAPING,
        since="3",
        doc="Whether the module dkim_sign signs the mail. Unset: it does.",
    )
    domainkeys = option(
        Bool(),
        None,
        scopes=SHAPING,
        doc="Whether the module dk_sign signs the mail. Unset: it does.",
    )
