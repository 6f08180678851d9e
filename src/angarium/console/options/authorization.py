"""Options of who may give which commands."""

from angarium.config.compound import Record
from angarium.config.kinds import Bool, List, Pattern, Text
from angarium.config.option import Options, planned
from angarium.config.scope import Naming, Scope, Standing, State

BY_SYSTEM = "Only the user of the server and root reach its socket: they may give every command."


class Authorization(Options, direction="receiving"):
    """Whether commands are asked for in the rules, and whose roles count."""

    enable_authorization = planned(
        Bool(),
        None,
        scopes=Scope.CONTROL_LISTENER | Scope.LISTEN | Scope.PEER,
        safe=(False,),
        reason=BY_SYSTEM,
        doc="""
        Whether a command is only carried out if a role stanza allows it to who gives it. Unset:
        everybody who may speak to the console may give every command.
        """,
    )
    authorizationparameters = planned(
        Record({"uri": Text()}, required=("uri",)),
        None,
        scopes=Scope.CONTROL_LISTENER | Scope.ESMTP_LISTENER | Scope.LISTEN,
        reason=BY_SYSTEM,
        example='[ uri = "groups:///etc/angarium/groups" ]',
        doc="Who knows the roles of a user, as an address: ecauth://, or groups:// with a file.",
    )


class Rules(
    Options,
    stanza="authorization",
    standing=Standing(State.PLANNED, BY_SYSTEM),
):
    """Which commands may be given, by user or role."""


class Role(Options, stanza="authorization.role", inside=("authorization",), naming=Naming.ALWAYS):
    """The commands of one user or role, by name; what no stanza of theirs allows is refused."""

    allow = planned(
        List(Pattern()),
        (),
        reason=BY_SYSTEM,
        example='( "^binding summary" "^message" )',
        doc="Patterns of commands which are allowed: one which is found in the command is enough.",
    )
