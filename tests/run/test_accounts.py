"""Who gave which command is noted in the acctlog of each ec_logger."""

from pathlib import Path
from typing import Any

from angarium.config.load import load_text
from angarium.run.accounts import Accounts
from helpers.clock import FakeClock
from helpers.consoles import OPERATOR


class Log(list[str]):
    def error(self, event: str, **fields: Any) -> None:
        self.append(f"{event}: {fields['command']}")


def test_each_logger_gets_a_line_until_another_generation_has_others(tmp_path: Path) -> None:
    accounts = Accounts(FakeClock(), Log())
    accounts.use(
        load_text('ec_logger "a" { acctlog = "a.ec" }\nec_logger "b" { acctlog = "b.ec" }'),
        tmp_path,
    )
    accounts.write(OPERATOR, "one", 1)
    accounts.use(load_text('ec_logger "b" { acctlog = "b.ec" }'), tmp_path)
    accounts.write(OPERATOR, "two", -1)
    accounts.close()
    assert [line[-12:] for line in (tmp_path / "a.ec").read_text().splitlines()] == ["@alice@1@one"]
    assert len((tmp_path / "b.ec").read_text().splitlines()) == 2


def test_what_cannot_be_written_is_in_the_service_log(tmp_path: Path) -> None:
    log = Log()
    accounts = Accounts(FakeClock(), log)
    (tmp_path / "a.ec").mkdir()
    accounts.use(load_text('ec_logger { acctlog = "a.ec" }'), tmp_path)
    accounts.write(OPERATOR, "config commit", 1)
    assert log == ["acctlog cannot be written: config commit"]
