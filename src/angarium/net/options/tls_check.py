"""What is wrong with options of TLS and the files they name, where a configuration is checked.

Not where a process builds what was checked already: a file which has gone since ends nothing then.
"""

from collections.abc import Mapping
from typing import Any, Final

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.rules import report, rule, rule_of_files
from angarium.config.section import Section
from angarium.net.options.acme import is_coming
from angarium.net.options.acme_check import awaited_by

NO_FILE: Final = "none"
OPTIONS: Final = (
    "tls_certificate", "tls_sni_certificates", "tls_client_ca", "tls_ca", "tls_protocols",
    "tls_ciphers", "tlsv13_ciphersuites", "tls_ec_curve_names", "tls_dhparams_file",
)  # fmt: skip
LISTENERS: Final = ("esmtp_listener", "http_listener")
CONSOLE: Final = "control_listener"


# Options which name a file each.
FILES: Final = ("tls_certificate", "tls_key", "tls_client_ca", "tls_ca", "tls_dhparams_file")


def files_of(root: Section) -> list[str]:
    """Return the files which options of TLS name."""
    found: list[str] = []
    for section in root.walk():
        found += [path for name in FILES if (path := named(section.values.get(name))) is not None]
        names = section.values.get("tls_sni_certificates")
        found += names.values() if isinstance(names, Mapping) else ()
    return list(dict.fromkeys(found))


def inherited(section: Section, option: str) -> Any:
    """Return what is set here or in a stanza around this one."""
    place: Section | None = section
    while place is not None:
        if option in place.values:
            return place.values[option]
        place = place.parent
    return None


def is_within(section: Section, *kinds: str) -> bool:
    place: Section | None = section
    while place is not None:
        if place.kind.key in kinds:
            return True
        place = place.parent
    return False


def named(value: object) -> str | None:
    return value if isinstance(value, str) and value != NO_FILE else None


@rule
def tls_from_the_beginning_has_a_certificate(checked: Checked) -> None:
    for section in checked.sections_with("use_ssl"):
        if section.values["use_ssl"] is not True or not is_within(section, *LISTENERS):
            continue
        within = [each for each in section.walk() if named(each.values.get("tls_certificate"))]
        if not within and named(inherited(section, "tls_certificate")) is None:
            message = "use_ssl has no certificate: every connection would be closed"
            report(checked, section, "use_ssl", message, "set tls_certificate and tls_key")


@rule
def who_signs_certificates_that_are_required_is_known(checked: Checked) -> None:
    for section in checked.sections_with("tls_verify_mode"):
        if section.values["tls_verify_mode"] != "require" or not is_within(section, *LISTENERS):
            continue
        if named(inherited(section, "tls_client_ca")) is None:
            message = "certificates of clients are required, and none counts"
            report(checked, section, "tls_verify_mode", message, "set tls_client_ca")


@rule_of_files
def what_cannot_be_read_any_more_stays_as_it_was(checked: Checked) -> None:
    for option in (*FILES, "tls_sni_certificates"):
        for section in checked.sections_with(option):
            value = section.values[option]
            for path in value.values() if isinstance(value, Mapping) else (value,):
                if isinstance(path, str) and checked.held.stands_in(path):
                    message = f"{option}: what {path} held at the start counts until a restart"
                    advice = "let the user of the security stanza read it"
                    report(checked, section, option, message, advice, Severity.WARNING)


@rule_of_files
def what_the_library_says_to_options_of_tls(checked: Checked) -> None:
    found = {option: checked.sections_with(option) for option in OPTIONS}
    if not any(found.values()):
        return
    # Loaded here, as most configurations have no TLS, and its libraries some megabytes.
    from angarium.net.tls.contexts import ContextError  # noqa: PLC0415
    from angarium.net.tls.looks import LOOKS  # noqa: PLC0415

    expected = awaited_by(checked.root)
    for option, sections in found.items():
        for section in sections:
            value = section.values[option]
            if isinstance(value, str) and is_coming(value, expected):
                message = f"{value} is not there yet: no TLS before ACME has brought it"
                report(checked, section, option, message, "", Severity.WARNING)
                continue
            if isinstance(value, Mapping):
                value = {
                    name: path for name, path in value.items() if not is_coming(path, expected)
                }
            severity = Severity.WARNING if is_within(section, CONSOLE) else Severity.ERROR
            try:
                key = inherited(section, "tls_key")
                for warning in LOOKS[option](value, key, checked.held):
                    report(checked, section, option, warning, "", Severity.WARNING)
            except ContextError as error:
                # What is wrong with a key is told where the key is named, if it is here.
                blamed = error.option if error.option in section.values else option
                report(checked, section, blamed, error.message, "", severity)
