"""Options of reports about TLS; all of them are ours."""

from angarium.config.kinds import Duration, Text
from angarium.config.option import OURS, option
from angarium.config.scope import Naming
from angarium.modules.options import PolicyModule


class TlsReporting(
    PolicyModule,
    stanza="tls_reporting",
    naming=Naming.NEVER,
    direction="sending",
    since=OURS,
):
    """Tells domains once a day how connections to them fared by MTA-STS and DANE, RFC 8460.

    Only domains which ask for it are told, by TXT at `_smtp._tls`; only connections count for
    which a policy held, so `use_mta_sts` or `use_dane` has to be set.
    """

    report_sender = option(
        Text(),
        "",
        doc="Address in the From field of reports; empty: postmaster of this host.",
        example='"TLS reports <tls@example.com>"',
    )
    report_organization = option(
        Text(), "", doc="Who reports; empty: the name of this host.", example='"Example Mail"'
    )
    report_contact = option(
        Text(), "", doc="Where to ask about a report.", example='"postmaster@example.com"'
    )
    report_delay = option(
        Duration(),
        14400.0,
        doc="How long after the end of a day, in UTC, its reports are made. All who report at"
        " midnight flood who asks.",
    )
