"""Options of the modules which check who may send for a domain."""

from typing import Final

from angarium.config.kinds import Bool, Text
from angarium.config.option import option
from angarium.config.scope import Naming
from angarium.modules.options import Module, needless, not_yet

CHECK_BEFORE: Final = "Let a host in front of this server check it."


class SenderPolicy(Module, template=True):
    """What the checks of both versions can be told."""

    default_rule = option(Text(), "?all", doc="What holds for a domain which publishes nothing.")
    add_headers = option(Bool(), True, doc="Add Received-SPF with the result.")
    add_authentication_results = option(
        Bool(), True, doc="Add Authentication-Results with the result."
    )
    fail_fallback_string = option(
        Text(),
        "SPF validation failure",
        doc="What is said of a failure where the domain publishes no words of its own.",
    )
    softfail_fallback_string = option(
        Text(), "SPF validation soft failure", doc="The same for a soft failure."
    )
    nxdomain_override_string = option(
        Text(),
        "Could not resolve sender's domain",
        doc="What is said where the sender's domain does not exist.",
    )
    delay_check = option(
        Bool(), False, since="5.0", doc="Check at RCPT instead of at MAIL, for each recipient."
    )


class Spf(
    SenderPolicy,
    stanza="spf_v1",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=not_yet(CHECK_BEFORE, "nobody checks whether a host may send for its sender"),
):
    """Checks the sender of the envelope by SPF, RFC 7208. It refuses nothing: policy does."""

    context_variable = option(Text(), "spf_status", doc="Context variable of the result.")
    temperror_override_string = option(
        Text(), "Temporary SPF failure", doc="What is said where DNS does not answer."
    )


class SenderId(
    SenderPolicy,
    stanza="senderid",
    naming=Naming.MAYBE,
    direction="receiving",
    standing=needless(
        "RFC 6686 found hardly anybody who used it; DMARC has taken its place.",
        "nobody checks the purported author of a message",
    ),
):
    """Checks the purported author of a message by Sender ID."""

    default_pra_rule = option(
        Text(), "?all", doc="What holds for an author's domain which publishes nothing."
    )
    context_variable = option(Text(), "spf_status", doc="Context variable of the sender's result.")
    context_pra_variable = option(
        Text(), "senderid_pra_status", doc="Context variable of the author's result."
    )


class SpfMacros(
    Module,
    stanza="spf_macros",
    direction="receiving",
    standing=needless("The macros belong to the check itself; there is nothing to load."),
):
    """Gives scripts and the checks of SPF its macros, such as %{spfv1:i}."""
