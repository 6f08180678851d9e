"""Faults across options of AUTH: a mechanism is named in one option, and who checks it in another.

It is compared what stands in the file as a whole: who falls back to whom is `resolve`.
"""

from typing import Final

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.rules import report, rule

OPTIONS: Final = {
    "PLAIN": "authplainparameters",
    "LOGIN": "authloginparameters",
    "CRAM-MD5": "authcrammd5parameters",
    "DIGEST-MD5": "authdigestmd5parameters",
    "SCRAM-SHA-256": "authscramparameters",
    "SCRAM-SHA-256-PLUS": "authscramparameters",
    "XOAUTH2": "authoauthparameters",
    "OAUTHBEARER": "authoauthparameters",
    "EXTERNAL": "authexternalparameters",
}
HERE: Final = ("esmtp_listener", "pathway", "pathway_group")


def mechanisms(extension: str) -> list[str] | None:
    """Return what "AUTH PLAIN LOGIN" names, [] for all; None: it is no AUTH."""
    word, *names = extension.upper().replace("=", " ").split() or [""]
    return names if word == "AUTH" else None


@rule
def who_checks_a_mechanism_is_named(checked: Checked) -> None:
    allowed = checked.sections_with("always_allow") or checked.sections_with("always_deny")
    for section in checked.sections_with("smtp_extensions"):
        words = section.values["smtp_extensions"]
        assert isinstance(words, tuple)
        for name in [name for each in words for name in mechanisms(str(each)) or ()]:
            option = OPTIONS.get(name)
            if option is None:
                message = f"the mechanism {name} of AUTH is not known, and not offered"
                advice = f"known are {', '.join(OPTIONS)}"
            elif checked.sections_with(option) or allowed:
                continue
            else:
                message = f"AUTH {name} is not offered: nobody is named who checks it"
                advice = f'write such as {option} = [ uri = "passwd:///etc/angarium/users" ]'
            report(checked, section, "smtp_extensions", message, advice, Severity.WARNING)


@rule
def a_mechanism_which_somebody_checks_is_offered(checked: Checked) -> None:
    offered: set[str] = set()
    for section in checked.sections_with("smtp_extensions"):
        words = section.values["smtp_extensions"]
        assert isinstance(words, tuple)
        for names in (mechanisms(str(each)) for each in words):
            if names is not None:
                offered |= {OPTIONS[name] for name in names or OPTIONS if name in OPTIONS}
    for name, option in OPTIONS.items():
        for section in checked.sections_with(option):
            outer = section
            while outer.kind.key not in HERE and outer.parent is not None:
                outer = outer.parent
            if option in offered or outer.kind.key not in HERE or name.endswith("-PLUS"):
                continue
            message = f"{option} has no effect: AUTH {name} is not in smtp_extensions"
            advice = f'write smtp_extensions = ( "AUTH {name}" )'
            report(checked, section, option, message, advice, Severity.WARNING)
