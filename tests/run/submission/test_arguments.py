"""The command line of sendmail."""

import pytest

from angarium.run.submission.arguments import Mode, UsageError, parse


def test_options_and_recipients() -> None:
    request = parse(["-ti", "-fme@here.test", "-F", "My Name", "a@b.test", "-v", "--", "-t@b.test"])
    assert request.scan
    assert not request.dots
    assert request.verbose
    assert (request.sender, request.name) == ("me@here.test", "My Name")
    assert request.recipients == ["a@b.test", "-t@b.test"]


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        ("-bm", Mode.TAKE), ("-bs", Mode.SPEAK), ("-bp", Mode.LIST), ("-q", Mode.FLUSH),
        ("-bi", Mode.NOTHING), ("-I", Mode.NOTHING), ("-bv", Mode.VERIFY), ("-h", Mode.HELP),
    ],
)  # fmt: skip
def test_modes(word: str, mode: Mode) -> None:
    assert parse([word]).mode is mode


def test_how_many_servers_a_message_has_passed_is_no_call_for_help() -> None:
    for words in (["-h", "3", "a@b.test"], ["-h3", "a@b.test"], ["-ih3", "a@b.test"]):
        request = parse(words)
        assert request.mode is Mode.TAKE
        assert request.recipients == ["a@b.test"]
    assert parse(["-h", "a@b.test"]).mode is Mode.HELP


def test_dsn() -> None:
    request = parse(["-N", "success,failure", "-Rhdrs", "-V", "a b=c+d"])
    assert request.notify == "SUCCESS,FAILURE"
    assert request.returned == "HDRS"
    assert request.envid == "a+20b+3Dc+2Bd"
    assert parse(["-N", "never"]).notify == "NEVER"


@pytest.mark.parametrize(
    "words",
    [
        ["-oQ/tmp"], ["-oi", "-oQ/etc"], ["-C/etc/passwd"], ["-X/var/www/x.php"],
        ["-OQueueDirectory=/tmp"], ["-X", "/tmp/x"], ["-d99.1"], ["-odb"], ["-om"], ["-U"],
        ["-B8BITMIME"], ["-L", "tag"], ["-p", "x:y"],
    ],
)  # fmt: skip
def test_options_which_name_files_or_mean_nothing_here_have_no_effect(words: list[str]) -> None:
    plain = parse([])
    request = parse([*words, "a@b.test"])
    assert request.recipients == ["a@b.test"]
    request.recipients.clear()
    request.dots = plain.dots
    assert request == plain


@pytest.mark.parametrize(
    "words",
    [
        ["-z"], ["-f"], ["--settings=/tmp/x"], ["--server", "x"], ["-bd"], ["-bh"], ["-q30m"],
        ["-N", "maybe"], ["-N", "never,failure"], ["-R", "half"], ["-V", "a\nb"], ["-V", "x" * 101],
        ["-f", "a@b.test\r\nRCPT TO:<x@y>"], ["-F", "a\nBcc: x@y"], ["a@b.test\nDATA"], ["a\0b"],
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


def test_errors_may_be_quiet() -> None:
    assert parse(["-oeq"]).quiet
    assert parse(["-eq"]).quiet
    assert not parse(["-oem"]).quiet
    assert not parse(["-oep"]).quiet
