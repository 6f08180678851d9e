"""Options of what a domain demands of us: DANE (RFC 7672) and MTA-STS (RFC 8461)."""

from typing import Final

from angarium.config.kinds import Bool, Duration, Int, Path
from angarium.config.option import Options, accepted, option
from angarium.config.scope import DESTINATION, SHAPING, Scope

STORE: Final = "/var/spool/ecelerity/mtasts"


class Dane(Options, direction="sending"):
    """Certificates which DNS names."""

    use_dane = option(
        Bool(),
        False,
        scopes=DESTINATION,
        since="4.8",
        doc="""
        Whether the TLSA records of a domain's hosts are asked for. It needs a resolver which
        checks DNSSEC; without it records are not to be trusted and do not count.
        """,
    )
    enable_dane = option(
        Bool(),
        True,
        scopes=SHAPING,
        since="4.8",
        doc="""
        Whether TLSA records which were found are obeyed: TLS then has to begin, with one of the
        certificates they name, or mail waits. They count more than tls, tls_verify and MTA-STS.
        Only with use_dane.
        """,
    )
    tlsa_expire_interval = accepted(
        Duration(minimum=1.0),
        3600.0,
        scopes=Scope.GLOBAL,
        since="4.8",
        reason="They are in the cache of DNS like all records; dns_cache_purge_interval does it.",
        doc="Time between two removals of TLSA records which are over.",
    )


class MtaSts(Options, direction="sending"):
    """Policies which a domain publishes by HTTPS."""

    use_mta_sts = option(
        Bool(),
        False,
        scopes=DESTINATION,
        since="4.8",
        doc="""
        Whether the policy of a domain is fetched: its TXT record says whether there is one, its
        web server what it is. It is kept as long as it says, and fetched again each day.
        """,
    )
    enable_mta_sts = option(
        Bool(),
        True,
        scopes=SHAPING,
        since="4.8",
        doc="""
        Whether a policy which was fetched is obeyed. `enforce` in it asks for TLS with a
        certificate in the name of the host, and for hosts which it names; `testing` only has the
        failures told. Only with use_mta_sts.
        """,
    )
    mta_sts_dns_cname_max_depth = option(
        Int(minimum=1, maximum=100),
        5,
        scopes=DESTINATION,
        since="4.8",
        doc="""
        CNAMEs which are followed one after the other from _mta-sts of a domain; with more there
        is no policy.
        """,
    )
    mta_sts_policy_store = option(
        Path(),
        STORE,
        scopes=Scope.GLOBAL,
        since="4.8",
        dynamic=False,
        doc="""
        Directory in which policies are kept over a restart, one file for each domain. Unset, it
        is `mtasts` in the state directory.
        """,
    )
