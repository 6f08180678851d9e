"""Who may relay through a Postfix: mynetworks, relay_domains, and the restrictions which use them.

The rule: nobody may do more here than there. What is not understood gives no right.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from angarium.config.foreign.postfix_files import words_of

# In the order in which they are asked; one which lets nobody by refuses, whatever the others say.
RESTRICTIONS: Final = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
)
PERMITS: Final = "permit_mynetworks"
REFUSALS: Final = ("reject", "defer", "reject_unauth_destination", "defer_unauth_destination")


def networks_may_relay(texts: Mapping[str, str]) -> bool:
    """Say whether clients in mynetworks may send to any domain.

    Args:
        texts: the restrictions which are set.
    """
    asked = texts.get("smtpd_relay_restrictions", PERMITS)  # its default begins with it
    asked = asked or texts.get("smtpd_recipient_restrictions", "")
    if PERMITS not in words_of(asked):
        return False
    return not any(_refuses(words_of(texts.get(name, ""))) for name in RESTRICTIONS)


def _refuses(words: list[str]) -> bool:
    """Say whether a list comes to a refusal before it lets mynetworks by."""
    at = next((place for place, word in enumerate(words) if word in REFUSALS), len(words))
    return at < len(words) and PERMITS not in words[:at]


def networks(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the networks of a list, as relay_hosts has them, and what is none."""
    known, others = [], []
    for word in words:
        plain = re.sub(r"[\[\]]", "", word)
        try:
            ipaddress.ip_network(plain, strict=False)
        except ValueError:
            others.append(word)
        else:
            known.append(plain)
    return known, others


def domains(words: list[str], parents: str | None) -> tuple[list[str], list[str]]:
    """Return the names of relay_domains, as the option has them, and what is none.

    Args:
        parents: the value of parent_domain_matches_subdomains, if it is set.
    """
    known, others = [], []
    below = parents is None or "relay_domains" in words_of(parents)
    for word in words:
        if re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", word) is None:
            others.append(word)
        elif word.startswith("."):
            known.append(f"*{word}")
        else:
            known += [word, f"*.{word}"] if below else [word]
    return known, others
