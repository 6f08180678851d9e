"""Options of the module for chains of ARC; all but what every module has are ours."""

from angarium.config.kinds import Bool, Choice, Duration, List, Path, Text
from angarium.config.option import OURS, option
from angarium.config.places import DomainGlob, FieldName
from angarium.config.scope import Naming
from angarium.modules.options import PolicyModule


class OpenArc(
    PolicyModule,
    stanza="openarc",
    naming=Naming.MAYBE,
    direction="both",
    since="5.0",
):
    """Checks and seals chains of ARC, RFC 8617: by itself where told to, and for scripts."""

    verify = option(
        Bool(),
        False,
        since=OURS,
        doc="Check the chain of all that comes in, when the whole message is there. What is to be"
        " sealed is checked in any case.",
    )
    add_authentication_results = option(
        Bool(),
        True,
        since=OURS,
        doc="Add Authentication-Results with the result to messages with a chain.",
    )
    defer_on_trouble = option(
        Bool(),
        False,
        since=OURS,
        doc="Put off a message whose chain DNS cannot tell about, with 451, rather than take it.",
    )
    signing_domain = option(
        DomainGlob(),
        None,
        since=OURS,
        doc="Who seals what leaves; unset: nothing is sealed. `selector` and `key` belong to it.",
        example="example.com",
    )
    selector = option(
        Text(),
        None,
        since=OURS,
        doc="Under which name the public key is in DNS.",
        example="s2026",
    )
    key = option(
        Path(),
        None,
        since=OURS,
        doc="File of the private key; %{d} stands for the domain, %{s} for the selector.",
        example='"/etc/angarium/keys/%{d}/%{s}.key"',
    )
    sign_condition = option(
        Text(),
        None,
        since=OURS,
        doc="Context variable which a message must have to be sealed; unset: all are that have"
        " come in.",
        example="forwarded",
    )
    authservid = option(
        Text(),
        None,
        since=OURS,
        doc="Under which name the results stand in the set; unset: that of this host.",
        example="mx.example.com",
    )
    body_canon = option(
        Choice(("simple", "relaxed")),
        "relaxed",
        since=OURS,
        doc="How the body is made canonical.",
    )
    headerlist = option(
        List(FieldName()),
        (),
        since=OURS,
        doc="Fields which the set covers, beside From; unset: those RFC 6376 recommends, and the"
        " signatures of DKIM.",
        example="( From To Subject Date DKIM-Signature )",
    )
    oversign_headerlist = option(
        List(FieldName()),
        (),
        since=OURS,
        doc="Fields of which the set says, too, that there are no more.",
        example="( From Subject )",
    )
    pos_keycache_ttl = option(Duration(), 300.0, since=OURS, doc="Time for which the key is kept.")
    neg_keycache_ttl = option(
        Duration(),
        3600.0,
        since=OURS,
        doc="Time after which a key which was not there is looked for again.",
    )
