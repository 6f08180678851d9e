"""A strict reader of what Prometheus scrapes: text format 0.0.4 and OpenMetrics 1.0.

It accepts what the formats allow and refuses what scrapers stumble over: samples without a type,
families in pieces, buckets which fall, labels twice, a missing end.
"""

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)")
PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {
    "histogram": ("_bucket", "_sum", "_count"),
    "counter": ("_total",),
    "info": ("_info",),
    "gauge": ("",),
}


@dataclass
class Family:
    """A family: its type and its samples."""

    name: str
    kind: str = ""
    doc: str = ""
    unit: str = ""
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def value(self, **labels: str) -> float:
        """Return the only sample with these labels."""
        wanted = tuple(sorted(labels.items()))
        [found] = [each for (_, known), each in self.samples.items() if known == wanted]
        return found


def families(text: str, *, openmetrics: bool) -> dict[str, Family]:
    """Return what stands in a text; AssertionError for what is not as it should be."""
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if openmetrics:
        assert lines.pop() == "# EOF"
    found: dict[str, Family] = {}
    now: Family | None = None
    for line in lines:
        if line.startswith("# "):
            _, word, name, *rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE", "UNIT"), line
            if now is None or now.name != name:
                assert name not in found, f"{name} in pieces"
                now = found[name] = Family(name)
            assert not now.samples, f"{line} after samples"
            _describe(now, word, rest[0] if rest else "", openmetrics=openmetrics)
        else:
            assert now is not None, line
            _sample(now, line, openmetrics=openmetrics)
    for each in found.values():
        _check(each)
    return found


def _describe(family: Family, word: str, text: str, *, openmetrics: bool) -> None:
    if word == "TYPE":
        assert not family.kind, f"{family.name} has two types"
        assert text in SUFFIXES, text
        assert openmetrics or text != "info"
        family.kind = text
    elif word == "HELP":
        assert not family.doc
        family.doc = text
    else:
        assert openmetrics
        assert family.name.endswith(f"_{text}")
        family.unit = text


def _sample(family: Family, line: str, *, openmetrics: bool) -> None:
    match = SAMPLE.fullmatch(line)
    assert match, line
    name, inside, value = match.groups()
    assert family.kind, f"{line} has no type"
    base = family.name
    if family.kind == "counter" and not openmetrics:
        assert base.endswith("_total")
        base = base.removesuffix("_total")
    assert name in [base + suffix for suffix in SUFFIXES[family.kind]], f"{name} in {family.name}"
    labels = _labels(inside or "")
    key = (name, labels)
    assert key not in family.samples, f"{line} twice"
    family.samples[key] = float(value)


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    at, labels = 0, {}
    while at < len(text):
        match = PAIR.match(text, at)
        assert match, text
        assert match[1] not in labels, text
        labels[match[1]] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
    return tuple(sorted(labels.items()))


def _check(family: Family) -> None:
    assert family.kind, family.name
    if family.kind in ("counter", "histogram"):
        assert all(value >= 0 for value in family.samples.values()), family.name
    if family.kind != "histogram":
        return
    buckets = [
        (float(dict(labels)["le"]), value)
        for (name, labels), value in family.samples.items()
        if name.endswith("_bucket")
    ]
    assert buckets == sorted(buckets), f"{family.name} falls"
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert buckets[-1][0] == float("inf")
    assert family.samples[(f"{family.name}_count", ())] == buckets[-1][1]
    assert (f"{family.name}_sum", ()) in family.samples
