"""acctlog: a line for each command, which no command can break."""

from pathlib import Path

import pytest

from angarium.events.format import seconds
from angarium.modules.loggers.acctlog import AccountLog
from angarium.modules.loggers.options.logs import EcLogger
from angarium.modules.loggers.places import Places


def written(log: AccountLog, command: str = "summary") -> None:
    log.write(1242133558.5, "127.0.0.1:2025", "127.0.0.1:49440", "john", 1, command)


@pytest.mark.effect("ec_logger.acctlog")
def test_a_line_has_when_where_who_what_and_what_came_of_it(tmp_path: Path) -> None:
    log = AccountLog(EcLogger.make(acctlog="log/acct.ec"), Places(tmp_path), seconds)
    written(log)
    written(log, "config set a = x@y\\z\nevil@1")
    log.close()
    assert (tmp_path / "log" / "acct.ec").read_text().splitlines() == [
        "1242133558@Z@127.0.0.1:2025@127.0.0.1:49440@john@1@summary",
        r"1242133558@Z@127.0.0.1:2025@127.0.0.1:49440@john@1@config set a = x\@y\\z\nevil\@1",
    ]


@pytest.mark.effect("ec_logger.acctlog_log_mode")
def test_a_file_that_is_made_has_the_mode_of_the_option(tmp_path: Path) -> None:
    log = AccountLog(
        EcLogger.make(acctlog="acct.ec", acctlog_log_mode=0o606), Places(tmp_path), seconds
    )
    written(log)
    log.close()
    assert (tmp_path / "acct.ec").stat().st_mode & 0o777 == 0o606


def test_a_file_which_was_renamed_is_opened_anew(tmp_path: Path) -> None:
    log = AccountLog(EcLogger.make(acctlog="acct.ec"), Places(tmp_path), seconds)
    written(log)
    (tmp_path / "acct.ec").rename(tmp_path / "acct.1")
    log.close()
    written(log)
    log.close()
    assert (tmp_path / "acct.ec").read_text() == (tmp_path / "acct.1").read_text()


@pytest.mark.parametrize("options", [{"acctlog": None}, {"enabled": False, "acctlog": "a.ec"}])
def test_without_a_file_nothing_is_written(tmp_path: Path, options: dict[str, object]) -> None:
    written(AccountLog(EcLogger.make(**options), Places(tmp_path), seconds))
    assert list(tmp_path.iterdir()) == []
