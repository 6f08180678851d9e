"""The official suite of RFC 7208 (tests/vectors/spf), all of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from angarium.mail.auth.asking import at_once
from angarium.mail.auth.spf.check import check_host
from angarium.mail.auth.spf.client import Client, client_address
from helpers.zones import Entry, Records

SUITE = Path(__file__).parents[3] / "vectors" / "spf" / "rfc7208-tests.yml"
# Tests in which the RFC leaves a choice, and ours.
CHOSEN = {
    "multispf1": "permerror",
    "invalid-domain-empty-label": "fail",
    "invalid-domain-long": "fail",
    "invalid-domain-long-via-macro": "fail",
    "ptr-limit": "neutral",
    "p-macro-multiple": "pass",
}


def _entries(records: list[Any]) -> list[Entry]:
    """Return the records of a name; one of the old type SPF stands for a TXT record."""
    own = {key: value for each in records if isinstance(each, dict) for key, value in each.items()}
    entries: list[Entry] = []
    for each in records:
        if not isinstance(each, dict):
            entries.append((each, ""))
            continue
        for kind, value in each.items():
            if kind == "SPF" and "TXT" in own:
                continue
            if kind in ("SPF", "TXT"):
                if value != "NONE":
                    joined = value if isinstance(value, str) else "".join(value)
                    entries.append(("TXT", joined.encode("latin-1")))
            elif kind == "MX":
                entries.append((kind, (value[0], value[1])))
            else:
                entries.append((kind, value))
    return entries


def _scenarios() -> Iterator[Any]:
    for part in yaml.safe_load_all(SUITE.read_text()):
        zone = {name: _entries(records) for name, records in part["zonedata"].items()}
        for name, test in part["tests"].items():
            yield pytest.param(zone, test, id=name)


@pytest.mark.parametrize(("zone", "test"), list(_scenarios()))
def test_the_suite_of_the_rfc_is_passed(
    zone: dict[str, list[Entry]], test: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    client = Client(
        client_address(test["host"]), test["helo"], test["mailfrom"], host="receiver.example"
    )
    finding = at_once(check_host(Records(zone), client))
    name = request.node.callspec.id
    wanted = test["result"]
    assert finding.result == (wanted if isinstance(wanted, str) else CHOSEN[name])
    assert name not in CHOSEN or CHOSEN[name] in wanted
    if "explanation" in test:
        explanation = test["explanation"]
        assert finding.explanation == ("" if explanation == "DEFAULT" else explanation)
    assert finding.reason
