"""A stage is a worker without a server: sessions, queues and policy are those of one."""

from angarium.config.load import load_text
from angarium.run.stage.stage import Stage
from angarium.run.stage.virtual import VirtualLoop

TEXT = 'relay_hosts = ("0.0.0.0/0")\nesmtp_listener { listen "127.0.0.1:2525" { } }'


def test_mail_goes_into_the_queues() -> None:
    loop = VirtualLoop()

    async def run() -> None:
        stage = Stage(load_text(TEXT), loop)
        client = stage.connect("192.0.2.1")
        client.send(b"EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n")
        client.send(b"Subject: x\r\n\r\ny\r\n.\r\nQUIT\r\n")
        await stage.quiet()
        assert client.heard()[-2].startswith("250 2.0.0 OK")
        assert client.closed
        ((message, recipient),) = stage.spool.put_down
        assert (message.sender, recipient.address) == ("a@x.test", "b@y.test")
        assert ("default", "default", "y.test") in stage.board.lines
        stage.close()

    loop.run_until_complete(run())
    loop.close()


def test_a_stage_that_is_closed_ends_its_sessions() -> None:
    loop = VirtualLoop()

    async def run() -> None:
        stage = Stage(load_text(TEXT), loop)
        client = stage.connect("192.0.2.1")
        stage.close()
        assert client.closed
        client.send(b"EHLO x\r\n")
        assert client.heard()[-1].startswith("220")

    loop.run_until_complete(run())
    loop.close()
