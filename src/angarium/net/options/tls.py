"""Options of TLS, both ways."""

from angarium.config.compound import Choices, Joined
from angarium.config.kinds import Bool, Choice, Duration, Path, Table, Text
from angarium.config.option import OURS, Options, accepted, option, planned
from angarium.config.scope import SESSION, SHAPING, Scope

NO_TLS = "There is no TLS yet, neither way; the console has it."
RECEIVING = ("esmtp_listener", "pathway", "pathway_group")
BEGUN = (*RECEIVING, "http_listener")  # there the connection begins with TLS, or has none
SENDING = ("", "binding_group", "binding", "domain")
WORKING = ("control_listener", *BEGUN, *SENDING)

# Listeners which can speak TLS, and what is inside them.
SECURED = SESSION | Scope.ECSTREAM_LISTENER | Scope.HTTP_LISTENER | Scope.XMPP_LISTENER
BOTH = SHAPING | SECURED
VERSIONS = ("ALL", "SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
SUITES = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
    "TLS_AES_128_CCM_SHA256",
)
ONE_LIBRARY = "Python's own TLS, which is OpenSSL's, will be used; there is nothing to choose."


class OutboundTls(Options, direction="sending"):
    """TLS of connections we open."""

    tls = option(
        Choice(("no", "ifavailable", "required")),
        "no",
        scopes=SHAPING,
        doc="""
        Whether mail is sent encrypted, by STARTTLS. `no`: only where MTA-STS or DANE demands it.
        `ifavailable`: where the host offers it. `required`: mail for a host which does not offer
        it, or with which it fails, stays in the queue until it expires. Set `required` for
        partners with whom you agreed on it, and `ifavailable` for all others.
        """,
    )
    tls_verify = option(
        Choice(("no", "ca", "host", "optional")),
        "no",
        scopes=SHAPING,
        doc="""
        What of the host's certificate is checked, wherever there is TLS. `no`: nothing.
        `optional`: all, but only to tell it in the log. `ca`: who signed it, by tls_ca. `host`:
        that, and that it was made out to the name of the host or of the domain. Mail for a host
        whose certificate fails waits, with tls = ifavailable too. Without a check TLS keeps out
        who listens, not who intercepts.
        """,
    )
    tls_ca = option(
        Path(),
        None,
        scopes=SHAPING,
        example="/etc/ssl/certs/ca-certificates.crt",
        doc="""
        File of the authorities, in PEM, whose signatures count for tls_verify and MTA-STS. Unset:
        those of the system.
        """,
    )
    tls_ifavailable_fallback = option(
        Bool(),
        True,
        scopes=SHAPING,
        since="4.1",
        doc="""
        With tls = ifavailable, whether mail is sent in clear to a host which offers TLS when the
        handshake with it fails. `false` lets it wait, so that nobody can force clear text by
        disturbing the handshake.
        """,
    )
    tls_fallback_always_new_connection = option(
        Bool(),
        True,
        scopes=SHAPING,
        since="4.2.40",
        doc="""
        Whether mail that goes on in clear after a refused STARTTLS does so on a new connection.
        `false` goes on with the one at hand, which some hosts do not like. After a handshake that
        failed there is always a new one.
        """,
    )

    tls_fallback_memory = option(
        Duration(),
        600.0,
        scopes=SHAPING,
        since=OURS,
        doc="""
        With tls = ifavailable, for how long a host with which TLS has failed is spoken to in clear
        without trying TLS first. 0: TLS is tried with each connection.
        """,
    )


class Certificates(Options, direction="both"):
    """Who we are, and what may be spoken, on connections of either direction."""

    tls_certificate = option(
        Path(),
        None,
        scopes=BOTH,
        example="/etc/ssl/mail.example.com.pem",
        reason=NO_TLS,
        doc="""
        File with our certificate and those between it and its authority, in PEM. A listener which
        has one offers STARTTLS; on connections we open it is shown to hosts which ask for it.
        `none` undoes what a scope around this one sets.
        """,
        only=WORKING,
    )
    tls_key = option(
        Path(),
        None,
        scopes=BOTH,
        example="/etc/ssl/private/mail.example.com.key",
        reason=NO_TLS,
        doc="""
        File with the private key of tls_certificate, in PEM, without a passphrase. Let nobody but
        the user of the server read it.
        """,
        only=WORKING,
    )
    tls_ciphers = option(
        Text(),
        "DEFAULT",
        scopes=BOTH,
        example="ECDHE+AESGCM:ECDHE+CHACHA20",
        reason=NO_TLS,
        doc="""
        Which ciphers may be used up to TLS 1.2, as OpenSSL writes lists of them. Too short a list
        leaves hosts with which there is no TLS at all.
        """,
        only=WORKING,
    )
    tls_protocols = option(
        Choices(words=VERSIONS),
        "+ALL",
        scopes=BOTH & ~Scope.XMPP_LISTENER,
        since="4.1.0.2",
        example="+ALL:-TLSv1.0:-TLSv1.1",
        reason=NO_TLS,
        doc="""
        Which versions of TLS may be used: each is added by + or taken away by -, in order. SSL,
        TLS 1.0 and 1.1 are understood and never used: ALL means 1.2 and 1.3.
        """,
        only=WORKING,
    )
    tlsv13_ciphersuites = option(
        Joined(Choice(SUITES), ":"),
        None,
        scopes=BOTH & ~Scope.XMPP_LISTENER & ~Scope.ECSTREAM_LISTENER,
        since="4.6",
        example="TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
        reason=NO_TLS,
        doc="Cipher suites of TLS 1.3, the preferred one first. Unset: OpenSSL's own list.",
        only=WORKING,
    )


class InboundTls(Options, direction="receiving"):
    """TLS of connections to our listeners."""

    use_ssl = option(
        Bool(),
        False,
        scopes=SECURED & ~Scope.XMPP_LISTENER,
        safe=(False,),
        reason="Let a program which ends TLS stand before the listener, such as stunnel.",
        doc="""
        Whether a connection begins with TLS, as on port 465, instead of with STARTTLS later. It
        needs tls_certificate. With HTTP there is no other way, so a certificate alone is nothing.
        """,
        only=BEGUN,
    )
    tls_sni_certificates = option(
        Table(Path()),
        {},
        scopes=SESSION | Scope.HTTP_LISTENER,
        since=OURS,
        doc="""
        Certificates for names by which a client may call the host (SNI), beside tls_certificate
        for all others: each a file with certificate and key in PEM. A name may begin with `*.`
        for any one label.
        """,
        example="[ mx.example.net = /etc/ssl/mx.example.net.pem ]",
    )
    tls_client_ca = option(
        Path(),
        None,
        scopes=SECURED | Scope.GLOBAL,
        example="/etc/ssl/clients.pem",
        reason=NO_TLS,
        doc="File of the authorities, in PEM, whose signatures count on certificates of clients.",
        only=BEGUN,
    )
    tls_verify_mode = option(
        Choice(("none", "require")),
        None,
        scopes=SECURED,
        safe=("none",),
        doc="""
        What is asked of clients once TLS has begun; it does not make them begin it. `none`: no
        certificate. `require`: one which tls_client_ca knows, else the handshake fails. Unset:
        where tls_client_ca is set one is asked for and checked, and nothing follows by itself;
        policy can look at the result.
        """,
        only=BEGUN,
    )
    tls_verified_peer_can_relay = option(
        Bool(),
        False,
        scopes=SECURED & ~Scope.HTTP_LISTENER & ~Scope.XMPP_LISTENER,
        reason="Name the clients in relay_hosts instead.",
        doc="Whether a client with a certificate that was checked may send to any domain.",
        only=RECEIVING,
    )
    tls_verified_peer_is_authorized = option(
        Bool(),
        False,
        scopes=Scope.HTTP_LISTENER | Scope.LISTEN | Scope.PATHWAY | Scope.PEER,
        direction="sending",
        doc="""
        Whether a client of HTTP whose certificate tls_client_ca knows has said by it who it is,
        where enable_authentication asks for that; others need a password.
        """,
        only=("http_listener",),
    )
    tls_allow_renegotiation = accepted(
        Bool(),
        True,
        scopes=SECURED,
        direction="both",
        reason="A client which asks for new keys is refused them, and the connection goes on.",
        doc="""
        Whether the keys of a connection may be negotiated again while it is open. TLS 1.3 has no
        such thing, and a client can cost us time with it.
        """,
    )
    starttls_injection_policy = option(
        Choice(("allow", "ignore", "reject")),
        "reject",
        scopes=SESSION,
        doc="""
        What happens to commands which a client sends after STARTTLS without waiting for it: they
        came in clear, so anybody can have put them there (CVE-2011-0411). `reject` ends the
        session, `ignore` forgets them. `allow` is understood and forgets them too: nothing that
        was sent in clear is obeyed.
        """,
    )


class TlsLibrary(Options, direction="both"):
    """How TLS is done, for the server."""

    fips_mode = planned(
        Bool(),
        None,
        scopes=Scope.GLOBAL,
        since="4.4.0",
        safe=(False,),
        reason="""
        TLS goes by the OpenSSL of the system, which may have a FIPS provider. Signatures, keys and
        certificates go by one which the package cryptography brings along, and that has none.
        """,
        doc="Whether only algorithms are used which FIPS 140 allows.",
    )
    tls_ec_curve_names = option(
        Joined(Text(), ":"),
        None,
        scopes=Scope.GLOBAL,
        since="4.2",
        example="X25519:P-256",
        doc="""
        Elliptic curves and other groups for the exchange of keys, the preferred one first, by
        OpenSSL's names. Unset: OpenSSL's own list.
        """,
    )
    tls_dhparams_file = option(
        Path(),
        None,
        scopes=Scope.GLOBAL,
        doc="File with parameters for Diffie-Hellman up to TLS 1.2, in PEM. Unset: built-in ones.",
        example="/etc/ssl/dhparams.pem",
    )
    tls_enable_dhe_ciphers = option(
        Bool(),
        True,
        scopes=Scope.GLOBAL,
        doc="""
        Whether keys may be exchanged by Diffie-Hellman without elliptic curves, which costs more
        time. Hosts which know nothing else are old.
        """,
    )
    tls_engine = accepted(
        Choice(("openssl", "gnutls")),
        "openssl",
        direction="sending",
        dynamic=False,
        reason=ONE_LIBRARY,
        doc="Library which does TLS.",
    )
    crypto_engine = accepted(
        Text(),
        None,
        direction="both",
        reason=ONE_LIBRARY,
        doc="Hardware which OpenSSL uses; 5.3 ignores it too with OpenSSL 3.",
        example="pkcs11",
    )
    crypto_lock_method = accepted(
        Choice(("EC_SSL_SPINLOCK", "EC_SSL_MUTEX", "EC_SSL_DEFAULTLOCK")),
        "EC_SSL_DEFAULTLOCK",
        direction="both",
        dynamic=False,
        reason="A worker has one thread for connections, so there is nothing to lock.",
        doc="How threads lock what TLS shares; ignored by 5.3 too.",
    )
    ssl_lock_method = accepted(
        Choice(("mutex", "spinlock", "default")),
        "mutex",
        direction="na",
        dynamic=False,
        reason="A worker has one thread for connections, so there is nothing to lock.",
        doc="How threads lock what TLS shares; ignored by 5.3 too.",
    )
