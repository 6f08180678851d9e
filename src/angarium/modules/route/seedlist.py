"""seedlist: sends a copy of the first message of a campaign to addresses which watch delivery.

    seedlist "monitor" {
      seedlist_file = "seeds"
      match_verp = ( "bounces-(?P<campaignid>[0-9]+)-" )
    }

The first message which a node takes of a campaign is copied as it is, before anything is signed;
the copies go the way of all mail by themselves, by the binding of the message unless policy takes
another one. They are on the disk before the message goes on: until then its content is there.

Which campaigns were seen is known to the node (`campaigns`), and to several where `cache_name` is
a datasource. A database which fails makes nobody wait: then the node alone decides.
"""

import asyncio
import re
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from angarium.config.pcre import Regex
from angarium.config.section import Section
from angarium.core.address import routing_domain, split
from angarium.core.errors import Error
from angarium.core.message import Message, Recipient
from angarium.data.errors import DataError
from angarium.events.metrics import counter
from angarium.journal.errors import SpoolError
from angarium.mail.format.draft import Rest
from angarium.modules.means import Means
from angarium.modules.route.campaigns import Campaigns
from angarium.modules.route.options.routes import MatchHeader
from angarium.modules.route.options.routes import SeedList as Options
from angarium.outbound.bounce import INTERNAL
from angarium.policy.chain import NO_POLICY, Policy
from angarium.policy.context import Which
from angarium.policy.hooks import FinalValidation2, GenerateSeed, on
from angarium.policy.mail import Mail, traits_of
from angarium.policy.verdict import CONT, Verdict

STANZA: Final = "seedlist"
GROUP: Final = "campaignid"
ORIGIN: Final = "#seedlist-orig-from"
SEEDED: Final = counter("seedlist_campaigns", "Campaigns of which copies were sent to seeds.")
_SCHEMA: Final = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?")


class SeedList:
    """The module."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        section = means.configuration.root.get(STANZA, name)
        assert section is not None
        self._name = name or STANZA
        self._options = options
        self._means = means
        self._senders = [_with_group(each, self._name) for each in options.match_verp]
        self._fields = self._of_fields(section)
        if not (self._senders or self._fields):
            raise Error("seedlist has neither match_verp nor match_header", name=self._name)
        self._seeds = _seeds(options.seedlist_file, self._name)
        self._sender = _sender(options.mail_from, self._name)
        if not _SCHEMA.fullmatch(options.schema_name):
            raise Error("schema_name is no name of a schema", name=options.schema_name)
        self._table = ".".join(filter(None, (options.schema_name, "campaigns")))
        root = means.configuration.root
        self._asks_database = root.get("datasource", options.cache_name) is not None
        file = means.state / "policy" / STANZA / f"{quote(self._name, safe='')}.campaigns"
        self._campaigns = Campaigns(file, options.max_campaigns)
        self._policy = NO_POLICY
        self._looked = 0
        self._seeded = means.metrics.cell(SEEDED)

    def _of_fields(self, section: Section) -> list[tuple[str, list[Regex]]]:
        """Return the fields which tell a campaign, with their patterns."""
        at = self._means.configuration
        return [
            (field, [_with_group(each, field) for each in at.of(MatchHeader, inner).pattern])
            for field, inner in section.all("seedlist.match_header").items()
        ]

    def ruled(self, policy: Policy) -> None:
        self._policy = policy

    @on(FinalValidation2)
    def look(self, event: FinalValidation2) -> Verdict | Coroutine[Any, Any, Verdict]:
        """See whether the message is the first one of a campaign."""
        mail = event.mail
        batch = mail.message.batch
        # A report is no campaign, nor is what we send ourselves; of many recipients one counts.
        if not mail.sender or ORIGIN in mail.message.variables or (batch and batch == self._looked):
            return CONT
        self._looked = batch
        campaign = self.campaign(mail)
        if not campaign or self._campaigns.knows(campaign) or self._without(mail):
            return CONT
        return self._seed(mail, campaign)

    def campaign(self, mail: Mail) -> str:
        """Return which campaign a message belongs to; "" for none."""
        for pattern in self._senders:
            if found := _found(pattern, mail.sender):
                return found
        for field, patterns in self._fields:
            values = mail.draft.texts(field)
            for pattern in patterns:
                for value in values:
                    if found := _found(pattern, value):
                        return found
        return ""

    def _without(self, mail: Mail) -> bool:
        name = self._options.no_seed_condition or ""
        return bool(name) and any(mail.get(which, name) is not None for which in Which)

    async def _seed(self, mail: Mail, campaign: str) -> Verdict:
        try:
            first = await asyncio.to_thread(self._campaigns.claim, campaign)
        except OSError as error:
            self._means.tell("ERROR", f"{self._name}: campaigns cannot be kept: {error.strerror}")
            return CONT
        if not first or not await self._first_of_all(campaign):
            return CONT
        seed = self._copy(mail, campaign)
        chain = self._policy.chain(GenerateSeed)
        if chain is not None:
            asked = chain.ask(GenerateSeed(seed))
            if not isinstance(asked, Verdict):
                await asked
        refused = seed.reply is not None and not seed.reply.positive
        if seed.recipients and seed.discarded is None and not refused:
            await self._send(seed.finish(), seed.recipients, campaign)
        return CONT

    async def _first_of_all(self, campaign: str) -> bool:
        """Ask the database, if there is one, and tell it; say whether nobody did before."""
        if not self._asks_database:
            return True
        sources, name = self._means.datasources, self._options.cache_name
        about = [self._name, campaign]
        select = f"SELECT campaign FROM {self._table} WHERE seedlist = ? AND campaign = ?"
        insert = f"INSERT INTO {self._table} (seedlist, campaign) VALUES (?, ?)"
        try:
            if await sources.fetch_row(name, select, about, fresh=True) is not None:
                return False
            try:
                await sources.execute(name, insert, about)
            except DataError:
                # Another node may have been faster: its row is what ours failed for.
                if await sources.fetch_row(name, select, about, fresh=True) is not None:
                    return False
                raise
        except DataError as error:
            self._means.tell("ERROR", f"{self._name}: this node decides by itself: {error}")
        return True

    def _copy(self, mail: Mail, campaign: str) -> Mail:
        """Return the copy for the seeds."""
        before, to = mail.message, mail.recipients[0]
        draft = mail.draft.copy()
        if self._options.insert_campaign_header:
            shown = "".join(each if each.isprintable() else "?" for each in campaign)
            draft.prepend(self._options.insert_campaign_header, shown)
        content = draft.content()
        # The spool takes a file over from who gives it; this one belongs to the message.
        body = Rest(b"", content, 0)
        now = self._means.clock.time()
        message = Message(
            mail.sender if self._sender is None else self._sender,
            body,
            draft.front,
            traits=traits_of(body, before.traits),
            protocol=INTERNAL,
            received_at=now,
            priority=before.priority,
            fairness_key=before.fairness_key,
            variables={**mail.variables(Which.MESSAGE), ORIGIN: mail.sender},
            session_variables=dict(mail.variables(Which.CONNECTION)),
            batch=self._means.next_id(now),
        )
        seeds = [
            Recipient(each, "", binding_group=to.binding_group, binding=to.binding)
            for each in self._seeds
        ]
        return Mail(message, seeds)

    async def _send(self, message: Message, seeds: list[Recipient], campaign: str) -> None:
        stored: asyncio.Future[SpoolError | None] = self._means.loop.create_future()
        self._means.admit.inject(message, seeds, partial(_settle, stored))
        error = await stored
        if error is None:
            self._seeded.value += 1
            self._means.tell("INFO", f"{self._name}: copies of {campaign!r} go to the seeds")
            return
        self._means.tell("ERROR", f"{self._name}: copies of {campaign!r} are not taken: {error}")
        await asyncio.to_thread(self._campaigns.release, campaign)


def _settle(stored: "asyncio.Future[SpoolError | None]", error: SpoolError | None) -> None:
    if not stored.done():
        stored.set_result(error)


def _found(pattern: Regex, text: str) -> str:
    match = pattern.search(text)
    return "" if match is None else match[GROUP] or ""


def _with_group(pattern: Regex, name: str) -> Regex:
    if GROUP not in pattern.compiled.groupindex:
        raise Error(f"a pattern of seedlist has no group {GROUP}", name=name, pattern=str(pattern))
    return pattern


def _sender(text: str | None, name: str) -> str | None:
    if text is None:
        return None
    address = text.strip().strip("<>")
    if address and routing_domain(split(address)[1]) is None:
        raise Error("mail_from of seedlist is no address", name=name, address=text)
    return address


def _seeds(path: str | None, name: str) -> list[str]:
    """Return the addresses of the file, one a line; a line with # says nothing."""
    if not path:
        raise Error("seedlist has no seedlist_file", name=name)
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Error("the file of seeds cannot be read", file=path, reason=str(error)) from None
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        address = line.strip().strip("<>")
        if not address or address.startswith("#"):
            continue
        if not split(address)[0] or routing_domain(split(address)[1]) is None:
            raise Error("this is no address of a seed", file=path, line=number, address=address)
        found[address] = None
    if not found:
        raise Error("the file of seeds has no address", file=path)
    return list(found)
