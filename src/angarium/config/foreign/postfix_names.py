"""Parameters of main.cf: the options they are here, and why others are none."""

from collections.abc import Mapping
from typing import Final

# Options of ours for times, with the unit Postfix takes where none is written.
TIMES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "smtp_connect_timeout": (("connect_timeout",), "s"),
    "smtp_helo_timeout": (("banner_timeout", "ehlo_timeout"), "s"),
    "smtp_mail_timeout": (("mailfrom_timeout",), "s"),
    "smtp_rcpt_timeout": (("rcptto_timeout",), "s"),
    # Of the three waits for the content ours is one; this is the longest, and at its end.
    "smtp_data_done_timeout": (("body_timeout",), "s"),
    "smtp_rset_timeout": (("rset_timeout",), "s"),
    "minimal_backoff_time": (("retry_interval",), "s"),
    "maximal_backoff_time": (("max_retry_interval",), "s"),
    "maximal_queue_lifetime": (("message_expiration",), "d"),
    "smtp_connection_cache_time_limit": (("idle_timeout",), "s"),
}
SESSION_TIMES: Final[Mapping[str, tuple[str, str]]] = {"smtpd_timeout": ("idle_time", "s")}
# Whole numbers, and words, which mean the same under another name.
PLAIN: Final[Mapping[str, str]] = {
    "myhostname": "hostname",
    "smtp_destination_recipient_limit": "max_recipients_per_batch",
    "default_destination_recipient_limit": "max_recipients_per_batch",
    "smtp_destination_concurrency_limit": "max_outbound_connections",
    "default_destination_concurrency_limit": "max_outbound_connections",
    "smtp_connection_reuse_count_limit": "max_deliveries_per_connection",
    "smtp_helo_name": "ehlo_hostname",
    "smtp_bind_address": "bind_address",
    "hopcount_limit": "received_header_limit",
    "bounce_size_limit": "bounce_size_limit",
    "smtp_tls_CAfile": "tls_ca",
    "smtp_tls_cert_file": "tls_certificate",
    "smtp_tls_key_file": "tls_key",
}
SESSION_PLAIN: Final[Mapping[str, str]] = {
    "message_size_limit": "max_message_size",
    "smtpd_recipient_limit": "max_recipients_per_message",
    "smtpd_client_connection_count_limit": "sessions_per_address",
    "smtpd_hard_error_limit": "max_errors_per_connection",
    "smtpd_junk_command_limit": "max_idle_commands",
    "smtpd_tls_cert_file": "tls_certificate",
    "smtpd_tls_key_file": "tls_key",
}
NO_LIMIT: Final[Mapping[str, str]] = {"max_outbound_connections": "-1"}  # what 0 is here
TLS_LEVELS: Final[Mapping[str, Mapping[str, str]]] = {
    "none": {"tls": "no"},
    "may": {"tls": "ifavailable"},
    "encrypt": {"tls": "required"},
    "verify": {"tls": "required", "tls_verify": "host"},
    "secure": {"tls": "required", "tls_verify": "host"},
    "fingerprint": {"tls": "required", "tls_verify": "host"},
    "dane": {"tls": "ifavailable", "use_dane": "true"},
    "dane-only": {"tls": "required", "use_dane": "true"},
}
AUTH: Final = "authplainparameters and those beside it name who checks passwords"
HOSTS_AUTH: Final = "outbound_smtp_auth_user and _pass stand in the stanza of a domain"
OFFERED: Final = "TLS is offered where there is a certificate; to ask for it is policy"
ONE_FILE: Final = "tls_certificate names one file, which may have the chain and the key"
MAILBOXES: Final = "there is no delivery to mailboxes"
REWRITING: Final = "rewriting addresses is policy"
CONTENT: Final = "checks of the content are policy"
MILTERS: Final = "there are no milters; what they do is policy"
BODY: Final = (
    "body_timeout is one for DATA, the content and its end; that of smtp_data_done_timeout is taken"
)
# Names whose absence here needs a better word than "no counterpart".
REASONS: Final[Mapping[str, str]] = {
    "mydestination": "there is no delivery to mailboxes; name a domain in relay_domains and give it"
    " a gateway, or delivery_method = LMTP",
    "local_recipient_maps": MAILBOXES,
    "home_mailbox": MAILBOXES,
    "mailbox_size_limit": MAILBOXES,
    "mailbox_command": MAILBOXES,
    "mailbox_transport": MAILBOXES,
    "virtual_mailbox_domains": MAILBOXES,
    "virtual_mailbox_maps": MAILBOXES,
    "virtual_mailbox_base": MAILBOXES,
    "virtual_transport": MAILBOXES,
    "recipient_delimiter": MAILBOXES,
    "alias_maps": "aliases need the module alias",
    "alias_database": "aliases need the module alias",
    "virtual_alias_maps": "aliases need the module alias",
    "virtual_alias_domains": "aliases need the module alias",
    "relay_recipient_maps": "whether a recipient exists is policy",
    "canonical_maps": REWRITING,
    "sender_canonical_maps": REWRITING,
    "recipient_canonical_maps": REWRITING,
    "smtp_generic_maps": REWRITING,
    "masquerade_domains": REWRITING,
    "header_checks": CONTENT,
    "body_checks": CONTENT,
    "mime_header_checks": CONTENT,
    "smtp_header_checks": CONTENT,
    "content_filter": "let the filter stand before this server, or behind it by gateway",
    "milter_protocol": MILTERS,
    "milter_default_action": MILTERS,
    "smtpd_milters": MILTERS,
    "non_smtpd_milters": MILTERS,
    "sender_dependent_default_transport_maps": "policy chooses the binding of a message",
    "sender_dependent_relayhost_maps": "policy chooses the binding of a message",
    "always_bcc": "copies are made by policy",
    "sender_bcc_maps": "copies are made by policy",
    "recipient_bcc_maps": "copies are made by policy",
    "smtpd_relay_restrictions": "relay_hosts and relay_domains say who may send",
    "smtpd_recipient_restrictions": "relay_hosts and relay_domains say who may send, the rest is"
    " policy",
    "smtpd_client_restrictions": "refusing clients is policy",
    "smtpd_helo_restrictions": "refusing clients is policy",
    "smtpd_sender_restrictions": "refusing senders is policy",
    "smtpd_data_restrictions": "refusing mail is policy",
    "smtpd_sasl_auth_enable": AUTH,
    "smtpd_sasl_path": AUTH,
    "smtpd_sasl_type": AUTH,
    "smtpd_tls_auth_only": "AUTH is offered with TLS only, unless auth_in_clear is set",
    "smtpd_tls_security_level": OFFERED,
    "smtpd_use_tls": OFFERED,
    "smtpd_enforce_tls": OFFERED,
    "smtpd_tls_chain_files": ONE_FILE,
    "smtpd_tls_wrappermode": "it is for all services; use_ssl is for each listen stanza",
    "smtp_sasl_auth_enable": HOSTS_AUTH,
    "smtp_sasl_password_maps": HOSTS_AUTH,
    "smtp_sasl_security_options": HOSTS_AUTH,
    "smtp_tls_policy_maps": "give each domain of it a stanza with tls and tls_verify",
    "smtp_tls_wrappermode": "to hosts TLS begins by STARTTLS only",
    "smtp_tls_CApath": "tls_ca is one file; without it the authorities of the system hold",
    "smtp_tls_chain_files": ONE_FILE,
    "smtp_tls_session_cache_database": "sessions are kept in memory",
    "default_transport": "write gateway or routes, and delivery_method",
    "relay_transport": "write gateway or routes into a stanza of each domain of relay_domains",
    "smtp_fallback_relay": "routes = ( __mx__ HOST ) tries a host after those of DNS",
    "soft_bounce": "what a host refuses for good fails; suspend_delivery keeps mail",
    "myorigin": "addresses without a domain get domain_for_unqualified_sender_address",
    "inet_protocols": "listen stanzas have their addresses; use_ipv6 lets mail go by IPv6",
    "smtp_address_preference": "use_ipv6 lets mail go by IPv6",
    "smtp_bind_address6": "use_ipv6 and, in a binding, bind_address_secondary do it",
    "smtp_mx_address_limit": "it counts addresses; max_mx_hosts counts hosts",
    "smtp_data_init_timeout": BODY,
    "smtp_data_xfer_timeout": BODY,
    "header_size_limit": "it cuts one long field; max_header_size refuses a long header",
    "line_length_limit": "content has lines of any length; command_line_limit is for commands",
    "queue_directory": "spoolbase is another form of spool; begin with an empty one",
    "queue_run_delay": "mail is tried when it is due, not in runs",
    "default_process_limit": "sessions are no processes; see max_sessions",
    "bounce_queue_lifetime": "reports live as long as other mail: message_expiration of a domain",
    "append_dot_mydomain": "addresses are not completed, but for those without a domain:"
    " domain_for_unqualified_sender_address",
    "default_destination_rate_delay": "it holds for each domain there, and would be one for all"
    " here; write outbound_throttle_messages for those which need it",
    "smtp_destination_rate_delay": "it holds for each domain there, and would be one for all"
    " here; write outbound_throttle_messages for those which need it",
}
SILENT: Final = frozenset(  # about programs and files of Postfix itself
    {
        "command_directory", "compatibility_level", "config_directory", "daemon_directory",
        "data_directory", "debug_peer_level", "debugger_command", "html_directory", "mail_owner",
        "mailq_path", "manpage_directory", "meta_directory", "newaliases_path", "readme_directory",
        "sample_directory", "sendmail_path", "setgid_group", "shlib_directory",
        "unknown_local_recipient_reject_code",
        "biff", "mydomain", "mail_name",
    }
)  # fmt: skip
