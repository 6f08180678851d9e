"""What is answered where."""

import json

from angarium.web.app import PATHS
from angarium.web.overview import Queue, Sample
from helpers.browser import WELL, Watched, ask, serving
from helpers.exposition import families


def changed(**values: float) -> Watched:
    rows = {name: dict(row) for name, row in WELL.rows.items()}
    rows["worker 0"] |= values
    return Watched(Sample.of(1000.0, rows))


async def test_a_server_which_works_is_alive_and_ready() -> None:
    async with serving(Watched(WELL)) as port:
        alive, ready = await ask(port, "/healthz"), await ask(port, "/readyz")
    assert (alive.status, ready.status, ready.text) == (200, 200, "ready\n")


async def test_one_which_takes_no_mail_is_alive_but_not_ready_and_says_why() -> None:
    async with serving(changed(intake_stopped=1, delivery_stopped=1)) as port:
        alive, ready = await ask(port, "/healthz"), await ask(port, "/readyz")
    assert alive.status == 200
    assert ready.status == 503
    assert ready.text == "1 workers take no mail\n1 workers deliver nothing\n"


async def test_what_only_worries_does_not_make_it_unready() -> None:
    async with serving(changed(hose_held=1)) as port:
        assert (await ask(port, "/readyz")).status == 200
        assert "text logs cannot be written" in (await ask(port, "/status")).text


async def test_workers_which_do_not_answer_are_counted() -> None:
    rows = {"supervisor": {"workers": 2}, "worker 0": {"queued": 0}, "hose": {"hose_held": 0}}
    async with serving(Watched(Sample.of(1.0, rows))) as port:
        assert (await ask(port, "/readyz")).text == "1 of 2 workers answer\n"
    async with serving(Watched(Sample.of(1.0, {}))) as port:
        assert "does not run" in (await ask(port, "/readyz")).text


async def test_metrics_come_in_the_format_that_is_asked_for() -> None:
    async with serving(Watched(WELL)) as port:
        plain = await ask(port, "/metrics")
        asked = "Accept: application/openmetrics-text;version=1.0.0\r\n"
        openmetrics = await ask(port, "/metrics", more=asked)
    assert plain.fields["content-type"].startswith("text/plain; version=0.0.4")
    assert "angarium_queued" in families(plain.text, openmetrics=False)
    assert openmetrics.fields["content-type"].startswith("application/openmetrics-text")
    assert "angarium_queued" in families(openmetrics.text, openmetrics=True)


async def test_the_page_and_the_json_say_the_same() -> None:
    watched = Watched(WELL, [Queue("default", "b1", "example.com", 5, 2, 1, 3)])
    async with serving(watched) as port:
        found = json.loads((await ask(port, "/status.json")).text)
        html = (await ask(port, "/status")).text
    assert found["queue"]["queued"] == 10
    assert found["destinations"][0]["domain"] == "example.com"
    assert "example.com" in html
    assert "mx.node.test" in html


async def test_who_asks_for_nothing_we_have_is_told_what_there_is() -> None:
    async with serving(Watched(WELL)) as port:
        lost = await ask(port, "/admin")
        home = await ask(port, "/")
    assert lost.status == 404
    assert all(path in lost.text for path in PATHS)
    assert (home.status, home.fields["location"]) == (302, "/status")


async def test_answers_are_not_kept_by_anybody() -> None:
    async with serving(Watched(WELL)) as port:
        for path in PATHS:
            fields = (await ask(port, path)).fields
            assert fields["cache-control"] == "no-store"
            assert fields["x-content-type-options"] == "nosniff"
