import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.lab.script import Answer, Babble, Deed, End, Often, Rule, Script, Stage
from angarium.lab.script_grammar import ScriptError, parse

WORDS = st.sampled_from(
    [
        *"at rcpt dot body connect to from peer *@x probability 0.5 first every per".split(),
        *"connection 3 delay 2s trickle babble twice answer reply 250 then drop".split(),
        *'reset send "a\\r" with without SIZE #'.split(),
        "\n",
    ]
)


def only(text: str) -> Rule:
    ((rule,),) = parse(text).rules.values()
    return rule


def deed(text: str) -> Deed:
    return only(text).deed


def test_an_empty_script_is_a_good_server() -> None:
    assert parse("# nothing\n\n  # at all\n") == Script()


def test_a_reply_is_sent_as_written() -> None:
    rule = only("at rcpt to *@full.test reply 452 4.2.2 mailbox full")
    assert rule.stage is Stage.RCPT
    assert rule.recipient is not None
    assert rule.recipient.fullmatch("Bob@FULL.test")
    assert rule.deed.answer == Answer(452, b"452 4.2.2 mailbox full\r\n")


def test_a_reply_may_have_lines() -> None:
    assert deed(r"at dot reply 550 5.7.1 no\n5.7.1 never").answer == Answer(
        550, b"550-5.7.1 no\r\n550 5.7.1 never\r\n"
    )


def test_then_ends_a_reply_only_before_an_end() -> None:
    assert deed("at dot reply 250 now and then drop") == Deed(
        answer=Answer(250, b"250 now and\r\n"), end=End.DROP
    )
    assert deed("at dot reply 250 then drop it").answer == Answer(250, b"250 then drop it\r\n")
    assert deed("at dot reply 421 then reset").end is End.RESET


def test_the_octets_of_a_string_are_sent() -> None:
    assert deed(r'at banner send "220-\xff\r\n\"\0\\ü"').answer == Answer(
        220, b'220-\xff\r\n"\0\\' + "ü".encode()
    )
    assert deed('at banner send "hello" then reset') == Deed(
        answer=Answer(200, b"hello"), end=End.RESET
    )


def test_manners_come_before_the_answer() -> None:
    assert deed("at body past 10 sip 1s") == Deed(sip=1.0)
    assert deed("at dot delay 2s babble twice trickle 50ms answer then hang") == Deed(
        delay=2.0, babble=Babble.TWICE, trickle=0.05, end=End.HANG
    )
    assert deed("at dot delay 1m") == Deed(delay=60.0)
    assert deed("at dot delay 1s drop") == Deed(delay=1.0, answers=False, end=End.DROP)
    assert deed("at data deaf") == Deed(answers=False, end=End.DEAF)


def test_conditions_are_read_in_any_order() -> None:
    rule = only("at dot from a@* every 3 per connection peer ::1 probability 0.25 to *@b drop")
    assert (rule.often, rule.number, rule.per_connection) == (Often.EVERY, 3, True)
    assert rule.probability == 0.25
    assert all(isinstance(each, re.Pattern) for each in (rule.peer, rule.sender, rule.recipient))


def test_a_body_is_asked_about_after_octets() -> None:
    script = parse("at body past 10k drop\nat body delay 1s\nat body past 10k first 1 reset")
    assert script.thresholds == [0, 10240]


def test_settings_change_what_the_sink_says_of_itself() -> None:
    script = parse("name mx.test\nwithout pipelining DSN\nwith SIZE 10k\nwith AUTH PLAIN LOGIN\n")
    assert script.name == "mx.test"
    assert script.size_limit == 10240
    assert script.extensions["AUTH"] == "PLAIN LOGIN"
    assert not {"PIPELINING", "DSN"} & set(script.extensions)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("on rcpt drop", 1, 1),
        ("\n at rcp drop", 2, 5),
        ("at rcpt", 1, 8),
        ("at rcpt to", 1, 11),
        ("at mail to *@x drop", 1, 9),
        ("at banner from a drop", 1, 11),
        ("at dot past 10k drop", 1, 8),
        ("at connect reply 220 hi", 1, 12),
        ("at body answer", 1, 9),
        ("at body first 3", 1, 16),
        ("at body trickle 1s", 1, 19),
        ("at dot first 0 drop", 1, 14),
        ("at dot per connection drop", 1, 12),
        ("at dot probability 2 drop", 1, 20),
        ("at dot probability nan drop", 1, 20),
        ("at dot delay soon", 1, 14),
        ("at dot reply 25 ok", 1, 14),
        ("at dot drop now", 1, 13),
        ("at dot answer drop", 1, 15),
        ("at dot babble much answer", 1, 15),
        ("at dot send plain", 1, 13),
        (r'at dot send "\q"', 1, 13),
        ("without", 1, 8),
        ("without TIME", 1, 9),
        ("with S_IZE", 1, 6),
        ("with SIZE big", 1, 11),
        ("name", 1, 5),
        ("name a b", 1, 8),
    ],
)
def test_a_fault_has_its_line_and_column(text: str, line: int, column: int) -> None:
    with pytest.raises(ScriptError) as raised:
        parse(text)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert str(raised.value).startswith(f"{line}:{column}: ")


@given(st.text() | st.lists(WORDS).map(" ".join))
def test_whatever_is_written_is_a_script_or_a_fault_in_it(text: str) -> None:
    try:
        parse(text)
    except ScriptError as error:
        assert 1 <= error.line <= len(text.splitlines())
        assert 1 <= error.column <= len(text.splitlines()[error.line - 1]) + 1


def test_the_scripts_of_the_manual_are_scripts() -> None:
    manual = Path(__file__).parents[2] / "docs" / "reference" / "sink-script.md"
    shown = re.findall(r"```sink\n(.*?)```", manual.read_text(), re.DOTALL)
    rules = [parse(text).rules for text in shown]
    assert len(rules) == 3
    # The second has a rule for each stage, the third for that of TLS.
    assert set(rules[1]) == set(Stage) - {Stage.HELO, Stage.STARTTLS}
    assert set(rules[2]) == {Stage.STARTTLS}
