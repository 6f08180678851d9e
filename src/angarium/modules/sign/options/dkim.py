"""Options of the modules which sign messages and check signatures; those of ARC are in `arc`."""

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Path, Text
from angarium.config.option import Options, accepted, option
from angarium.config.places import DomainGlob, FieldName
from angarium.config.scope import Naming, Scope
from angarium.modules.options import Module, PolicyModule, not_yet


class Key(Options, template=True):
    """Which key signs which messages."""

    key = option(
        Path(),
        None,
        doc="File of the private key; %{d} stands for the domain, %{s} for the selector.",
        example='"/etc/angarium/keys/%{d}/%{s}.key"',
    )
    selector = option(
        Text(), None, doc="Under which name the public key is in DNS.", example="dkim1024"
    )
    sign_condition = option(
        Text(),
        None,
        doc="Context variable which a message must have to be signed; unset: all are.",
        example="can_relay",
    )


class KeyCache(Options, template=True):
    """How keys are kept."""

    keycache_size = option(Int(), 2048, doc="Keys kept in memory.")
    pos_keycache_ttl = option(Duration(), 300.0, doc="Time for which a key is kept.")
    neg_keycache_ttl = option(
        Duration(), 3600.0, doc="Time after which a key which was not there is looked for again."
    )


class OpenDkim(
    Key,
    KeyCache,
    PolicyModule,
    stanza="opendkim",
    naming=Naming.MAYBE,
    direction="sending",
):
    """Signs with DKIM where `opendkim_sign` says so. Each stanza is a signature of its own."""

    body_canon = option(
        Choice(("simple", "relaxed")), "simple", doc="How the body is made canonical."
    )
    header_canon = option(
        Choice(("simple", "relaxed")), "simple", doc="How the header is made canonical."
    )
    digest = option(
        Choice(("rsa-sha1", "rsa-sha256")), "rsa-sha256", doc="Algorithms of the signature."
    )
    body_length_limit = option(Bool(), False, doc="Say how much of the body is signed (l=).")
    copy_headers = option(Bool(), False, doc="Put the signed fields into the signature (z=).")
    headerlist = option(
        List(FieldName()),
        (),
        doc="Fields which are signed. One list holds for the instance.",
        example="( From To Subject Date Message-ID )",
    )
    oversign_headerlist = option(
        List(FieldName()),
        (),
        doc="Fields of which the signature says, too, that there are no more.",
        example="( From Subject )",
    )
    skip_headerlist = option(
        List(FieldName()),
        (),
        doc="Fields which are never signed.",
        example="( Return-Path Received )",
    )
    lifetime = option(Int(unit="hours"), 0, doc="How long a signature holds; 0 has no end.")
    testing = option(
        Bool(),
        False,
        doc="""Compare each key with DNS when it is read from its file, and tell in paniclog where
        receivers would not find it. Mail is signed all the same.""",
    )
    identity = option(
        Text(), None, since="3.0", doc="Who signs (i=), in version 3.", example="@example.com"
    )


class OpenDkimDomain(
    Key,
    stanza="opendkim.dkim_domain",
    inside=("opendkim",),
    naming=Naming.ALWAYS,
    direction="sending",
):
    """How one domain is signed, where it differs from the others."""

    base_domain = option(
        DomainGlob(),
        None,
        doc="Sign as this domain, one above the domain's own.",
        example="example.com",
    )
    body_canon = option(
        Choice(("simple", "relaxed")),
        None,
        doc="How the body is made canonical.",
        example="relaxed",
    )
    header_canon = option(
        Choice(("simple", "relaxed")),
        None,
        doc="How the header is made canonical.",
        example="relaxed",
    )
    body_length_limit = option(
        Bool(), None, doc="Say how much of the body is signed (l=).", example="true"
    )
    digest = option(
        Choice(("rsa-sha1", "rsa-sha256")),
        None,
        doc="Algorithms of the signature.",
        example="rsa-sha256",
    )
    testing = option(
        Bool(), None, doc="Compare its key with DNS, and tell where it differs.", example="true"
    )
    keycache_size = option(
        Int(), None, name="key_cache_size", doc="Keys kept in memory.", example="64"
    )
    pos_keycache_ttl = option(Duration(), None, doc="Time for which a key is kept.", example="300")
    neg_keycache_ttl = option(
        Duration(),
        None,
        doc="Time after which a key which was not there is looked for again.",
        example="3600",
    )


class DkimSigning(Key, KeyCache, template=True):
    """What `dkim_sign` is told, for all domains or for one."""

    body_canon = option(
        Choice(("simple", "relaxed")),
        None,
        doc="How the body is made canonical.",
        example="relaxed",
    )
    header_canon = option(
        Choice(("simple", "relaxed")),
        None,
        doc="How the header is made canonical.",
        example="relaxed",
    )
    body_length_limit = option(
        Bool(), None, doc="Say how much of the body is signed (l=).", example="false"
    )
    copy_headers = option(
        Bool(), None, doc="Put the signed fields into the signature (z=).", example="false"
    )
    digest = option(
        Choice(("rsa-sha1", "rsa-sha256")),
        None,
        doc="Algorithms of the signature.",
        example="rsa-sha256",
    )
    headerlist = option(
        Text(),
        None,
        doc="""Fields which are signed, with colons between them. A field without a sign is signed
        once, with * as often as it is there; both say that there is no more of it. With ? it is
        signed once, with + as often as it is there, and more may be added.""",
        example='"From:Subject:Date:To:MIME-Version?:Content-Type?"',
    )
    identity = option(
        Text(), None, doc="Who signs (i=); unset: the signing domain.", example="@example.com"
    )
    lifetime = option(Int(unit="hours"), None, doc="How long a signature holds.", example="72")


class DkimSign(
    DkimSigning, PolicyModule, stanza="dkim_sign", naming=Naming.MAYBE, direction="sending"
):
    """Signs with DKIM, as version 3 did; `opendkim` has taken its place."""


class DkimSignDomain(
    DkimSigning,
    stanza="dkim_sign.dk_domain",
    inside=("dkim_sign",),
    naming=Naming.ALWAYS,
    direction="sending",
):
    """How one domain is signed."""

    base_domain = option(
        DomainGlob(),
        None,
        doc="Sign as this domain, one above the domain's own.",
        example="example.com",
    )


class DkimValidate(
    PolicyModule, stanza="dkim_validate", naming=Naming.MAYBE, direction="receiving"
):
    """Checks DKIM signatures and says in Authentication-Results what came out."""


class DomainKeysSigning(Key, KeyCache, template=True):
    """What `dk_sign` is told, for all domains or for one."""

    canon = option(
        Choice(("simple", "nofws")),
        None,
        doc="""How a message is made canonical. Unset it is nofws: simple does not survive a host
        which folds a line anew.""",
        example="nofws",
    )
    digest = accepted(
        Choice(("rsa-sha1",)),
        "rsa-sha1",
        scopes=Scope.OWN,
        reason="DomainKeys has no other algorithms.",
        doc="Algorithms of the signature.",
    )
    headerlist = option(
        List(FieldName()),
        (),
        doc="Fields which are signed; unset: all.",
        example="( From To Subject )",
    )


class DomainKeysSign(
    DomainKeysSigning,
    PolicyModule,
    stanza="dk_sign",
    naming=Naming.MAYBE,
    direction="sending",
):
    """Signs with DomainKeys, which came before DKIM. Only keys of RSA will do."""


class DomainKeysSignDomain(
    DomainKeysSigning,
    stanza="dk_sign.dk_domain",
    inside=("dk_sign",),
    naming=Naming.ALWAYS,
    direction="sending",
):
    """How one domain is signed."""

    base_domain = option(
        DomainGlob(),
        None,
        doc="Sign as this domain, one above the domain's own.",
        example="example.com",
    )


class DomainKeysValidate(
    PolicyModule,
    stanza="dk_validate",
    naming=Naming.MAYBE,
    direction="receiving",
):
    """Checks DomainKeys signatures; `dk_status` and the field DomainKey-Status say the outcome."""


class Dkim2(
    Module,
    stanza="dkim2",
    naming=Naming.MAYBE,
    direction="both",
    since="5.3",
    standing=not_yet(
        "Nothing is signed or checked but by Lua, which does not run.",
        "mail goes out without DKIM2 signatures, and none is checked",
    ),
):
    """Signs and checks with the draft of DKIM2, when Lua asks for it."""
