"""Options of who may give which commands."""

from angarium.config.compound import Record
from angarium.config.kinds import Bool, List, Pattern, Text
from angarium.config.option import Options, option
from angarium.config.scope import Naming, Scope


class Authorization(Options, direction="receiving"):
    """Whether commands are asked for in the rules, and whose roles count."""

    enable_authorization = option(
        Bool(),
        None,
        scopes=Scope.CONTROL_LISTENER | Scope.LISTEN | Scope.PEER,
        doc="""
        Whether a command is only carried out if a role stanza allows it to who gives it. Unset:
        only where authorizationparameters say who knows the roles; else everybody who may speak
        to the console may give every command.
        """,
    )
    authorizationparameters = option(
        Record({"uri": Text()}, required=("uri",)),
        None,
        scopes=Scope.CONTROL_LISTENER | Scope.ESMTP_LISTENER | Scope.LISTEN,
        only=("control_listener",),
        reason="There is no authentication on that listener yet.",
        example='[ uri = "groups:///etc/angarium/groups" ]',
        doc="""
        Who knows the roles of a user, as an address: groups:// with a file of lines
        `group:user,user`. The name of a user is a role of his own.
        """,
    )


class Rules(Options, stanza="authorization"):
    """Which commands may be given, by user or role."""


class Role(Options, stanza="authorization.role", inside=("authorization",), naming=Naming.ALWAYS):
    """The commands of one user or role, by name; what no stanza of theirs allows is refused."""

    allow = option(
        List(Pattern()),
        (),
        example='( "^binding summary" "^message" )',
        doc="Patterns of commands which are allowed: one which is found in the command is enough.",
    )
