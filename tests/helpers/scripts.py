"""A worker with scripts of Lua, in memory: each is a file, and registers itself by its name."""

from pathlib import Path
from typing import Any

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.modules.lua.scriptlet import STANZA, Scriptlet
from angarium.policy.chain import Asked
from angarium.policy.context import Session
from angarium.policy.hooks import Hook
from angarium.policy.mail import Mail
from helpers.guards import Place, session

CONTENT = b"Subject: One\r\nFrom: <a@example.com>\r\n\r\nText\r\n"


class Scripts:
    """A worker with scripts."""

    def __init__(self, folder: Path, texts: dict[str, str], options: str = "") -> None:
        stanzas = []
        for name, text in texts.items():
            file = folder / f"{name}.lua"
            file.write_text(text)
            stanzas.append(f'script "{name}" {{ source = "{file}" }}')
        inside = "\n".join([options, *stanzas])
        self.place = Place(folder, f'scriptlet "scriptlet" {{\n{inside}\n}}')
        self.module = self.place.module(Scriptlet)
        self.session = session()

    @property
    def panics(self) -> list[str]:
        return [text for stanza, text in self.place.panics if stanza == STANZA]

    def ask(self, event: Hook) -> Asked:
        chain = self.place.policing.policy.chain(type(event))
        assert chain is not None
        return chain.ask(event)

    def mail(self, *to: str, content: bytes = CONTENT, session: Session | None = None) -> Mail:
        body = MemoryBody(content)
        message = Message("a@example.com", body, source="192.0.2.1:4711", connection=7)
        return Mail(message, [Recipient(each, "") for each in to or ("b@example.org",)], session)

    def global_of(self, name: str) -> Any:
        state = self.module.state
        return state.run_now(state.load(f"return {name}".encode(), "test"))[0]
