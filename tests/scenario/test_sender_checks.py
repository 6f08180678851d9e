"""Where mail is from, on a real server: SPF and DMARC by the example, with scripts behind them."""

import time
import zlib
from pathlib import Path

import msgspec
import pytest

from angarium.mail.report.dmarc.aggregate import Row
from helpers.world import World

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parent.parent.parent / "examples/authentication/checks.conf"
STRANGERS = 'relay_hosts = ( "192.0.2.0/24" )\nrelay_domains = ( "example.com" )\n'
ZONE = """
example.com        MX 10 mx.example.com
mx.example.com     A 127.0.0.1
good.test          TXT v=spf1 ip4:127.0.0.1 -all
good.test          MX 10 mx.example.com
_dmarc.good.test   TXT v=DMARC1; p=reject; rua=mailto:reports@good.test
_dmarc.soft.test   TXT v=DMARC1; p=quarantine
forger.test        TXT v=spf1 +all
hard.test          TXT v=spf1 -all
slow.test          TIMEOUT
"""
SCRIPT = """
require("msys.core")
require("msys.extended.vctx")
local mod = {}
function mod:validate_mailfrom(str, accept, vctx)
  if vctx:get(msys.core.ECMESS_CTX_MESS, "spf_status") == "fail" then
    vctx:set_code(550, vctx:get(msys.core.ECMESS_CTX_MESS, "spf_status_text"))
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end
msys.registerModule("spfreject", mod)
"""


def content(author: str) -> bytes:
    return (
        f"From: joe@{author}\r\nAuthentication-Results: mx.node.test; dmarc=pass\r\n"
        f"Subject: x\r\n\r\nhello\r\n"
    ).encode()


async def test_mail_is_taken_marked_or_refused_as_its_authors_domain_wants(
    tmp_path: Path,
) -> None:
    config = STRANGERS + EXAMPLE.read_text()
    async with World(tmp_path, config, ZONE, workers=2) as world:
        assert (await world.send("a@good.test", ["b@example.com"], content("good.test")))[
            :3
        ] == "250"
        mail = await world.arrived("b@example.com")
        header = (mail.content or b"").partition(b"\r\n\r\n")[0]
        assert header.count(b"Authentication-Results:") == 2  # the forged one is gone
        assert header.index(b"dmarc=pass (p=reject dis=none)") < header.index(b"spf=pass")
        assert b"Received-SPF: pass" in header
        said = await world.send("a@forger.test", ["c@example.com"], content("good.test"))
        assert said == "550 5.7.1 the DMARC policy of good.test does not allow this message"
        assert (await world.send("a@forger.test", ["d@example.com"], content("soft.test")))[:3] == (
            "250"
        )
        mail = await world.arrived("d@example.com")
        assert b"X-Quarantine: DMARC: neither SPF nor DKIM proves soft.test" in (
            mail.content or b""
        )
        rejected = await world.logged("rejectlog", "E=550 M=dmarc")
        assert len(rejected) == 1
        assert await world.stop() == 0
    files = list((world.state / "dmarc").glob("*.rows"))
    assert files
    counts: dict[str, int] = {}
    decoder = msgspec.msgpack.Decoder(list[tuple[str, str, Row, int]])
    for file in files:
        for domain, _, row, count in decoder.decode(file.read_bytes()[8:]):
            key = f"{domain} {row.disposition}"
            counts[key] = counts.get(key, 0) + count
    assert counts == {"good.test none": 1, "good.test reject": 1, "soft.test quarantine": 1}


async def test_a_script_refuses_by_what_was_found(tmp_path: Path) -> None:
    script = tmp_path / "spf.lua"
    script.write_text(SCRIPT)
    config = STRANGERS + (
        f'spf_v1 {{ }}\nscriptlet "scriptlet" {{ script "spfreject" {{ source = "{script}" }} }}\n'
    )
    async with World(tmp_path, config, ZONE) as world, world.call() as caller:
        said = await caller.say("MAIL FROM:<a@hard.test>")
        assert said == "550 SPF validation failure"
        assert (await caller.say("MAIL FROM:<a@good.test>"))[:3] == "250"


async def test_reports_of_yesterday_go_out_when_the_server_runs_again(tmp_path: Path) -> None:
    """The file of a worker which is gone lies there; it is reported and removed."""
    folder = tmp_path / "state" / "dmarc"
    folder.mkdir(parents=True)
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    row = Row("192.0.2.1", "none", "fail", "pass", "good.test")
    octets = msgspec.msgpack.encode([("good.test", "v=DMARC1; p=reject", row, 5)])
    frame = len(octets).to_bytes(4, "big") + zlib.crc32(octets).to_bytes(4, "big") + octets
    (folder / f"{day}.7.rows").write_bytes(frame)
    config = STRANGERS + EXAMPLE.read_text()
    async with World(tmp_path, config, ZONE) as world:
        mail = await world.arrived("reports@good.test")
        assert b"Subject: Report Domain: good.test Submitter: " in (mail.content or b"")
        await world.until(lambda: not list(folder.glob("*.rows")), "the file is gone")
