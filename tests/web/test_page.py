"""The page: well formed, and nothing in it but text."""

from html.parser import HTMLParser

import pytest

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.web.overview import History, Queue, Sample, overview
from angarium.web.page import POLICY, page, size, span

EVIL = '"><script>alert(1)</script>&'
VOID = {"meta"}


class Elements(HTMLParser):
    """Reads a page; AssertionError if an element is not closed as it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(queues: list[Queue], **values: float) -> str:
    history = History()
    row: dict[str, float | list[int]] = {"queued": 10, **values}
    history.add(Sample.of(1.0, {"supervisor": {"workers": 1}, "worker 0": row}))
    return page(overview(history, queues, {"node": "mx.node.test", "version": "1.2.3"}))


def test_every_element_is_closed_and_no_script_is_among_them() -> None:
    found = Elements(seen([Queue("default", "b1", "example.com", 5, 2, 1, 3)], isolated=2))
    assert "script" not in found.seen
    assert not {"img", "link", "iframe", "form"} & set(found.seen)
    assert "example.com" in found.text
    assert "2 recipients are put aside" in found.text


def test_a_name_with_markup_is_text() -> None:
    html = seen([Queue(EVIL, EVIL, EVIL, 5, 2, 1, 3, EVIL)])
    found = Elements(html)
    assert "<script" not in html
    assert EVIL in found.text


def test_nothing_is_fetched_from_anywhere() -> None:
    html = seen([])
    assert "http:" not in html
    assert "https:" not in html
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY


def test_what_is_not_shown_by_name_is_added_up() -> None:
    queues = [
        Queue("default", "b", f"d{number}.test", 100 - number, 0, 0, 0) for number in range(30)
    ]
    text = Elements(seen(queues, queued=5000)).text
    assert "d19.test" in text
    assert "d20.test" not in text
    assert "all others" in text


def test_a_minute_is_drawn_and_its_highest_value_is_the_top() -> None:
    history = History()
    for at, queued in ((0.0, 0), (30.0, 10), (60.0, 5)):
        history.add(Sample.of(at, {"supervisor": {"workers": 1}, "worker 0": {"queued": queued}}))
    html = page(overview(history, [], {"node": "mx.node.test", "version": "1.2.3"}))
    assert '<polyline points="0.0,21.0 50.0,1.0 100.0,11.0">' in html
    assert "<polyline" not in seen([])  # Of one sample there is no line.


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2e-06, "2 µs"), (0.0051, "5.1 ms"), (1.5, "1.5 s"), (300.0, "5.0 min"),
        (7200.0, "2.0 h"), (864000.0, "10.0 d"),
    ],
)  # fmt: skip
def test_a_time_has_the_unit_which_suits_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(("octets", "words"), [(5, "5 B"), (2048, "2.0 kB"), (3 << 30, "3.0 GB")])
def test_so_has_an_amount(octets: int, words: str) -> None:
    assert size(octets) == words
