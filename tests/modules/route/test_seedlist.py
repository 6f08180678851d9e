"""seedlist: the first message of a campaign goes to the seeds, and no other one."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from angarium.core.message import Message, Recipient
from angarium.journal.errors import SpoolError
from angarium.modules.route.campaigns import Campaigns
from angarium.queue.admit import Admit, Done
from angarium.run.stage.play import Outcome, play
from angarium.run.stage.transcript import parse

SAID = "connect 192.0.2.1\n< 220\n> EHLO x\n< 250\n"
VERP = 'match_verp = ( "bounces-(?P<campaignid>[0-9]+)-" )'
SEEDS = "seed1@seeds.test\n\n# a comment\n<seed2@watch.test>\nseed1@seeds.test\n"


def mail(sender: str, *header: str, to: str = "b@y.test") -> str:
    lines = "".join(f"    {line}\n" for line in header)
    return (
        f"> MAIL FROM:<{sender}>\n< 250\n> RCPT TO:<{to}>\n< 250\n"
        f"message\n{lines}    Subject: x\n\n    text\n< 250\nexpect to {to}\n"
    )


class Seeded:
    """Plays what comes to a server which has the module."""

    def __init__(self, folder: Path, options: str = VERP, *more: str) -> None:
        self.seeds = folder / "seeds"
        self.seeds.write_text(SEEDS)
        self._folder = folder
        self._head = f'config seedlist "s" {{\n    seedlist_file = "{self.seeds}"\n    {options}\n'
        self._head += "    }\n" + "".join(f"{each}\n" for each in more)

    def play(self, *talk: str) -> Outcome:
        text = self._head + SAID + "".join(talk) + "expect nothing\n"
        return play(parse(text, self._folder / "x.test"))

    def holds(self, *talk: str) -> Outcome:
        outcome = self.play(*talk)
        assert outcome.why == "", (outcome.line, outcome.panics)
        return outcome


def seeds(*inner: str) -> str:
    lines = "".join(f"    {each}\n" for each in inner)
    return f"expect to seed1@seeds.test\n{lines}expect to seed2@watch.test\n{lines}"


@pytest.mark.effect("seedlist.seedlist_file", "seedlist.match_verp")
def test_the_first_message_of_each_campaign_is_copied_to_the_seeds(tmp_path: Path) -> None:
    same = seeds("sender bounces-7-b@x.test", "header Subject: x", "body text")
    Seeded(tmp_path).holds(
        mail("bounces-7-b@x.test"),
        same,
        mail("bounces-7-c@x.test"),
        mail("a@x.test"),
        mail("bounces-8-b@x.test"),
        seeds("sender bounces-8-b@x.test"),
    )


@pytest.mark.effect("seedlist.match_header.pattern")
def test_a_field_may_tell_the_campaign_and_its_first_pattern_counts(tmp_path: Path) -> None:
    options = (
        'match_header "X-Job" { pattern = ( "a-(?P<campaignid>[0-9]+)" "(?P<campaignid>[a-z]+)" ) }'
        ' insert_campaign_header = "X-Campaign"'
    )
    Seeded(tmp_path, options).holds(
        mail("a@x.test", "X-Job: b-5 a-9"),
        seeds("header X-Campaign: 9"),
        mail("a@x.test", "x-job: a-9"),
        mail("a@x.test", "X-Job: spring"),
        seeds("header X-Campaign: spring"),
        mail("a@x.test", "Subject: a-10"),
    )


@pytest.mark.effect("seedlist.insert_campaign_header")
def test_copies_have_the_campaign_in_their_header_and_the_message_has_not(tmp_path: Path) -> None:
    first = mail("bounces-7-b@x.test") + "    no header X-Campaign\n"
    shown = Seeded(tmp_path, VERP + ' insert_campaign_header = "X-Campaign"')
    shown.holds(first, seeds("header X-Campaign: 7"))
    Seeded(tmp_path).holds(first, seeds("no header X-Campaign"))


@pytest.mark.effect("seedlist.mail_from")
def test_copies_may_have_a_sender_of_their_own(tmp_path: Path) -> None:
    seeded = Seeded(tmp_path, VERP + ' mail_from = "<watch@x.test>"')
    origin = "variable #seedlist-orig-from = bounces-7-b@x.test"
    seeded.holds(
        mail("bounces-7-b@x.test") + "    sender bounces-7-b@x.test\n",
        seeds("sender watch@x.test", origin),
    )


@pytest.mark.effect("seedlist.no_seed_condition")
def test_a_message_with_the_variable_belongs_to_no_campaign(tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text(
        'require("msys.core")\nlocal mod = {}\n'
        "function mod:validate_mailfrom(str, accept, vctx)\n"
        '  vctx:set(msys.core.VCTX_MESS, "quiet", "")\n  return msys.core.VALIDATE_CONT\nend\n'
        'msys.registerModule("p", mod)\n'
    )
    talk = mail("bounces-7-b@x.test")
    Seeded(tmp_path, VERP + " no_seed_condition = quiet", "policy p.lua").holds(talk)
    Seeded(tmp_path, VERP + " no_seed_condition = other", "policy p.lua").holds(talk, seeds())


def test_a_script_may_change_the_copy_or_drop_it(tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text(
        'require("msys.core")\nrequire("msys.extended.message")\nlocal mod = {}\n'
        "function mod:seedlist_generate_seed(msg)\n"
        '  local from = msg:context_get(msys.core.ECMESS_CTX_MESS, "#seedlist-orig-from")\n'
        '  if from:find("bounces-8", 1, true) then msg:discard("not this one") end\n'
        '  msg:mailfrom("hook@example.com")\n'
        '  msg:header("X-From", from)\n  return msys.core.VALIDATE_CONT\nend\n'
        'msys.registerModule("p", mod)\n'
    )
    Seeded(tmp_path, VERP, "policy p.lua").holds(
        mail("bounces-7-b@x.test") + "    no header X-From\n    sender bounces-7-b@x.test\n",
        seeds("sender hook@example.com", "header X-From: bounces-7-b@x.test"),
        mail("bounces-8-b@x.test"),
    )


def test_copies_leave_by_the_binding_of_the_message(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(
        "from angarium.policy.script import Message, Server, on\n\n\n"
        "@on.binding\ndef bind(message: Message, server: Server) -> None:\n"
        '    if message.recipient.endswith("y.test"):\n        server.bind(message, "b1")\n'
    )
    config = 'config binding "b1" { bind_address = "127.0.0.1" }'
    outcome = Seeded(tmp_path, VERP, config, "policy p.py").play(
        mail("bounces-7-b@x.test") + "    binding b1\n", seeds("binding b1")
    )
    assert outcome.why == "", outcome.panics


def test_of_a_message_with_many_recipients_the_seeds_get_one_copy(tmp_path: Path) -> None:
    Seeded(tmp_path).holds(
        "> MAIL FROM:<bounces-1-@x.test>\n< 250\n> RCPT TO:<b@y.test>\n< 250\n",
        "> RCPT TO:<c@z.test>\n< 250\nmessage\n    A: b\n\n    c\n< 250\n",
        "expect to b@y.test\nexpect to c@z.test\n",
        seeds(),
    )


SELECT = 'query {} "SELECT campaign FROM {}campaigns WHERE seedlist = ? AND campaign = ?" '
INSERT = 'query {} "INSERT INTO {}campaigns (seedlist, campaign) VALUES (?, ?)" '
SOURCE = 'config datasource "{}" {{ uri = ( "sqlite:/nowhere" ) }}'


@pytest.mark.effect("seedlist.cache_name", "seedlist.schema_name")
@pytest.mark.parametrize(
    ("options", "source", "schema"),
    [("", "ecdb", "seedlist."), (' cache_name = "db" schema_name = ""', "db", "")],
)
def test_a_database_knows_the_campaigns_of_several_nodes(
    tmp_path: Path, options: str, source: str, schema: str
) -> None:
    lines = [
        SOURCE.format(source),
        SELECT.format(source, schema) + '["s", "1"] -> ["1"]',
        SELECT.format(source, schema) + '["s", "2"] -> []',
        INSERT.format(source, schema) + '["s", "2"] -> []',
    ]
    outcome = Seeded(tmp_path, VERP + options, *lines).holds(
        mail("bounces-1-b@x.test"), mail("bounces-2-b@x.test"), seeds()
    )
    assert outcome.panics == []


def test_where_the_database_fails_the_node_decides_and_tells(tmp_path: Path) -> None:
    outcome = Seeded(tmp_path, VERP, SOURCE.format("ecdb")).holds(
        mail("bounces-1-b@x.test"), seeds(), mail("bounces-1-c@x.test")
    )
    assert "this node decides by itself" in outcome.panics[0]
    assert len(outcome.panics) == 1


def test_copies_which_are_not_taken_are_sent_with_the_next_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, full = Admit.inject, [SpoolError("the disk is full")]

    def inject(self: Admit, message: Message, recipients: Sequence[Recipient], done: Done) -> None:
        if full:
            done(full.pop())
        else:
            whole(self, message, recipients, done)

    monkeypatch.setattr(Admit, "inject", inject)
    outcome = Seeded(tmp_path).holds(
        mail("bounces-1-b@x.test"), mail("bounces-1-c@x.test"), seeds(), mail("bounces-1-d@x.test")
    )
    assert "are not taken: the disk is full" in outcome.panics[0]


def test_where_campaigns_cannot_be_kept_none_is_copied_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(_self: Campaigns, _campaign: str) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Campaigns, "claim", claim)
    outcome = Seeded(tmp_path).holds(mail("bounces-1-b@x.test"))
    assert "No space left on device" in outcome.panics[0]


@pytest.mark.effect("seedlist.max_campaigns")
def test_the_oldest_campaigns_are_forgotten(tmp_path: Path) -> None:
    several = [mail(f"bounces-{each}-@x.test") + seeds() for each in (1, 2, 3)]
    Seeded(tmp_path, VERP + " max_campaigns = 1").holds(*several, several[0])
    Seeded(tmp_path).holds(*several, mail("bounces-1-@x.test"))


@pytest.mark.effect("seedlist.enabled")
def test_a_module_which_is_off_copies_nothing(tmp_path: Path) -> None:
    Seeded(tmp_path, VERP + " enabled = false").holds(mail("bounces-7-b@x.test"))


@pytest.mark.effect("seedlist.debug_level")
def test_who_wants_to_know_is_told_of_each_campaign(tmp_path: Path) -> None:
    talk = mail("bounces-7-b@x.test"), seeds()
    assert Seeded(tmp_path).holds(*talk).panics == []
    told = Seeded(tmp_path, VERP + " debug_level = INFO").holds(*talk).panics
    assert told == ["seedlist: s: copies of '7' go to the seeds"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "neither match_verp nor match_header"),
        ('match_verp = ( "bounces-([0-9]+)" )', "no group campaignid"),
        (VERP + ' mail_from = "nobody"', "is no address"),
        (VERP + ' schema_name = "a; drop"', "is no name of a schema"),
        (VERP + ' seedlist_file = "/nowhere/seeds"', "cannot be read"),
    ],
)
def test_what_cannot_work_refuses_the_configuration(
    tmp_path: Path, options: str, said: str
) -> None:
    assert said in Seeded(tmp_path, options).play().why


@pytest.mark.parametrize(
    ("content", "said"), [("# none\n", "has no address"), ("a@b.test\nx@\n", "no address of a")]
)
def test_a_file_of_seeds_which_is_wrong_refuses_the_configuration(
    tmp_path: Path, content: str, said: str
) -> None:
    seeded = Seeded(tmp_path)
    seeded.seeds.write_text(content)
    assert said in seeded.play().why
