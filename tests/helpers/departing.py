"""A message on its way out through the modules which sign, in memory.

server = Signing(tmp_path, 'opendkim { key = "KEYS/%{d}.key" selector = "s1" }')
server.keep("example.com.key", key())
[mail] = await server.send()
server.tags(mail)                       of its signatures, all of which hold
"""

from pathlib import Path

from angarium.core.body import Body, MemoryBody
from angarium.core.message import Message, Recipient
from angarium.mail.auth.asking import Ask, at_once
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.signature import Policy
from angarium.policy import hooks
from angarium.policy.mail import Mail
from helpers.authentic import Way
from helpers.signing import key
from helpers.zones import Records

LETTER = (
    b"From: Joe <joe@example.com>\r\nTo: b@mx.example\r\nSubject: a  b\r\n\r\n"
    b"Hello  you.\r\nMore.\r\n"
)
KEYS = {"s1": key(), "s2": key(number=2), "e1": key("ed25519")}
DOMAINS = ("example.com", "sub.example.com", "example.net")
POLICY = Policy(sha1=True, skew_seconds=1e12)  # clocks of tests stand anywhere


def ask() -> Ask:
    """Return what DNS has of all domains and selectors."""
    return Records(
        {
            f"{name}._domainkey.{domain}": [("TXT", which.record())]
            for name, which in KEYS.items()
            for domain in DOMAINS
        }
    )


class Signing:
    """A worker which signs, and the files of its keys; KEYS in its text is their folder."""

    def __init__(self, folder: Path, text: str, zone: str = "") -> None:
        self.folder = folder
        self._text = text.replace("KEYS", str(folder))
        self._zone = zone
        self._way: Way | None = None

    def keep(self, name: str, which: PrivateKey) -> None:
        """Put a key into a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(which.pem())

    @property
    def way(self) -> Way:
        if self._way is None:
            self._way = Way(self.folder, self._text, self._zone)
        return self._way

    @property
    def told(self) -> list[str]:
        """What stands in paniclog."""
        return [text for _, text in self.way.place.panics]

    async def send(
        self,
        letter: bytes | Body = LETTER,
        *,
        binding: str = "default",
        group: str = "default",
        domain: str = "mx.example",
        recipients: int = 1,
        variables: dict[str, str] | None = None,
    ) -> list[Mail]:
        """Return the message as each recipient gets it."""
        body = MemoryBody(letter) if isinstance(letter, bytes) else letter
        message = Message("joe@example.com", body, b"Received: by us\r\n")
        message.variables.update(variables or {})
        to = [
            Recipient(f"b{number}@{domain}", domain, group, binding) for number in range(recipients)
        ]
        mails = list(Mail(message, to, self.way.session).each())
        for each in mails:
            await self.way.ask(hooks.FinalValidation, each, self.way.session)
        return mails

    def tags(self, mail: Mail) -> list[dict[bytes, bytes]]:
        """Return the tags of a message's signatures, from the top; all of them must hold."""
        header, pieces = opened([mail.draft.whole()])
        verdicts = at_once(verify(Fields(header), pieces, ask(), 0.0, POLICY))
        faults = [each.reason for each in verdicts if not each.passed]
        assert not faults, faults
        return [each.signature.tags for each in verdicts if each.signature is not None]

    async def signed(
        self,
        letter: bytes = LETTER,
        *,
        binding: str = "default",
        domain: str = "mx.example",
        variables: dict[str, str] | None = None,
    ) -> list[dict[bytes, bytes]]:
        """Send a message to one recipient, and return the tags of its signatures."""
        mails = await self.send(letter, binding=binding, domain=domain, variables=variables)
        return self.tags(mails[0])

    async def console(self, words: str) -> str:
        """Return what the console says."""
        commands = self.way.policing.commands
        return await commands[words](words.split())
