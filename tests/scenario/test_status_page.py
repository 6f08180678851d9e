"""/status in a browser: it is seen as it is meant, goes on by itself, and fetches nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.chromium import opened
from helpers.world import World, reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.peer]

ZONE = "example.com MX 10 mx.example.com\nmx.example.com A 127.0.0.1"
CONTENT = b"Subject: hello\r\n\r\nhi\r\n"
LATER = "at rcpt reply 451 4.2.1 not now"
# What stands on the page, by its label.
CARD = """[...document.querySelectorAll(".card")].find(
    each => each.querySelector("span").textContent == "in the queue"
)?.querySelector("b").textContent"""
# Words that can hardly be told from what is behind them: a contrast below 4.5 (WCAG 2, 1.4.3).
PALE = """(() => {
    const light = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(each => each / 255).map(
            each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = node => {
        for (; node; node = node.parentElement) {
            const color = getComputedStyle(node).backgroundColor;
            if (color != "rgba(0, 0, 0, 0)") return color;
        }
    };
    return [...document.querySelectorAll("main *")].filter(node =>
        [...node.childNodes].some(each => each.nodeType == 3 && each.data.trim())
    ).filter(node => {
        const [one, other] = [light(getComputedStyle(node).color), light(behind(node))];
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 4.5;
    }).map(node => node.textContent);
})()"""


async def test_it_is_readable_live_and_alone(tmp_path: Path, program: Callable[[str], str]) -> None:
    chromium = program("chromium")
    with reserved_port() as keeper:
        port = keeper.getsockname()[1]
        config = f'retry_interval = 3600\nhttp_listener {{ listen "127.0.0.1:{port}" {{ }} }}\n'
        async with (
            World(tmp_path, config, ZONE, sink=LATER) as world,
            opened(chromium, tmp_path / "profile") as page,
        ):
            await world.send("a@sender.test", ["b@example.com"], CONTENT)
            await world.logged("mainlog", "@T@example.com")
            await page.size(1280, 900)
            await page.command("Page.navigate", url=f"http://127.0.0.1:{port}/status")

            async def counted() -> bool:
                return bool(await page.value(CARD) == "1")

            # Nobody loads it anew but the page itself.
            await world.eventually(counted, "the message on the page")
            await page.until("Page.loadEventFired", len(page.those("Page.loadEventFired")) + 2)
            assert await page.value("document.title") == "mx.node.test: ready"
            assert "example.com" in await page.value("document.querySelector('main').innerText")
            # Its style is applied: its digest is in the policy.
            assert await page.value(
                "getComputedStyle(document.querySelector('.cards')).display"
            ) == ("grid")
            for width, dark in ((1280, False), (1280, True), (390, False)):
                await page.size(width, 900, dark=dark)
                assert await page.value("document.documentElement.scrollWidth") <= width
                assert await page.value(PALE) == []
            assert await page.value("document.querySelectorAll('script').length") == 0
            asked = {each["request"]["url"] for each in page.those("Network.requestWillBeSent")}
            assert {url for url in asked if not url.endswith("/favicon.ico")} == {
                f"http://127.0.0.1:{port}/status"
            }
            said = [each["entry"]["text"] for each in page.those("Log.entryAdded")]
            assert [text for text in said if "favicon" not in text and "404" not in text] == []
            assert page.those("Runtime.exceptionThrown") == []
