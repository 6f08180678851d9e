"""Options of the modules which check who may send for a domain."""

from typing import Final

from angarium.config.kinds import Bool, Text
from angarium.config.option import option
from angarium.config.scope import Naming
from angarium.modules.options import Module, PolicyModule, needless

TEXT: Final = " It stands in the variable of the result with `_text` behind its name."


class SenderPolicy(PolicyModule, template=True):
    """What the checks of both versions can be told."""

    default_rule = option(
        Text(),
        "?all",
        doc="Mechanisms which hold for a domain that publishes nothing. One which says neutral"
        " leaves the result none.",
        example='"a mx ?all"',
    )
    add_headers = option(Bool(), True, doc="Add Received-SPF with the result.")
    add_authentication_results = option(
        Bool(), True, doc="Add Authentication-Results with the result."
    )
    fail_fallback_string = option(
        Text(),
        "SPF validation failure",
        doc="What is said of a failure where the domain publishes no words of its own." + TEXT,
    )
    softfail_fallback_string = option(
        Text(), "SPF validation soft failure", doc="What is said of a soft failure." + TEXT
    )
    nxdomain_override_string = option(
        Text(),
        "Could not resolve sender's domain",
        doc="What is said where the sender's domain does not exist." + TEXT,
    )
    delay_check = option(
        Bool(), False, since="5.0", doc="Check at RCPT instead of at MAIL, for each recipient."
    )


class Spf(
    SenderPolicy,
    stanza="spf_v1",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Checks the sender of the envelope by SPF, RFC 7208. It refuses nothing: policy does."""

    context_variable = option(Text(), "spf_status", doc="Context variable of the result.")
    temperror_override_string = option(
        Text(), "Temporary SPF failure", doc="What is said where DNS does not answer." + TEXT
    )


class SenderId(
    SenderPolicy,
    stanza="senderid",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Checks sender and purported author of a message by Sender ID, RFC 4406, which is history.

    RFC 6686 found hardly anybody who used it, and DMARC has taken its place.
    """

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
