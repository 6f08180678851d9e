"""What makes no sense across options of who may ask a listener of HTTP, and of its TLS."""

from collections.abc import Mapping
from typing import Final

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.rules import report, rule
from angarium.config.section import Section
from angarium.net.options.tls_check import inherited, is_within, named

LISTENER: Final = "http_listener"
PASSWORDS: Final = "authplainparameters"
CERTIFICATE: Final = "tls_verified_peer_is_authorized"
SCHEMES: Final = ("file://", "digest://", "passwd://")  # of files of users


def _here(checked: Checked, option: str) -> list[Section]:
    return [each for each in checked.sections_with(option) if is_within(each, LISTENER)]


def _anywhere(section: Section, option: str) -> object:
    """Return what is set in a stanza, around it or in it."""
    within = (each.values.get(option) for each in section.walk())
    return inherited(section, option) or next(filter(None, within), None)


@rule
def who_may_ask_by_http_can_say_so(checked: Checked) -> None:
    for section in _here(checked, "enable_authentication"):
        if section.values["enable_authentication"] is not True:
            continue
        shown = _anywhere(section, CERTIFICATE) and _anywhere(section, "tls_client_ca")
        if not shown and not _anywhere(section, PASSWORDS):
            message = "nobody can say by HTTP who he is, so nothing would be answered"
            advice = (
                f'write {PASSWORDS} = [ uri = "passwd:///etc/angarium/users" ], or set '
                f"{CERTIFICATE} and tls_client_ca"
            )
            report(checked, section, "enable_authentication", message, advice)


@rule
def passwords_of_http_are_in_a_file(checked: Checked) -> None:
    for section in _here(checked, PASSWORDS):
        value = section.values[PASSWORDS]
        uri = str(value.get("uri", "")) if isinstance(value, Mapping) else ""
        if not uri.startswith(SCHEMES):
            message = f"{PASSWORDS}: nobody is known by {uri!r} to a listener of HTTP"
            report(checked, section, PASSWORDS, message, f"write {' or '.join(SCHEMES)}")
        if not inherited(section, "enable_authentication"):
            message = "everybody may ask here, whatever passwords there are"
            _pointless(checked, section, PASSWORDS, message, "set enable_authentication = true")
    for section in _here(checked, CERTIFICATE):
        if section.values[CERTIFICATE] and not _anywhere(section, "enable_authentication"):
            message = "everybody may ask here, whatever certificates they show"
            _pointless(checked, section, CERTIFICATE, message, "set enable_authentication = true")


@rule
def a_certificate_of_http_is_used(checked: Checked) -> None:
    for section in _here(checked, "tls_certificate"):
        if named(section.values["tls_certificate"]) and not _anywhere(section, "use_ssl"):
            message = "this listener speaks no TLS, whatever certificate it has"
            _pointless(checked, section, "tls_certificate", message, "set use_ssl = true")


def _pointless(checked: Checked, section: Section, option: str, message: str, advice: str) -> None:
    report(checked, section, option, message, advice, Severity.WARNING)
