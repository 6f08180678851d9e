"""`ec_log_trace` with the options of Momentum."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from angarium.run.programs.log_trace import command

MAIN = """\
1123456780@one@b@c@R@bob@x.test@me@a.test@10.0.0.1@5@esmtp@g@b
1123456781@two@b@c@R@eve@sub.y.test@@@10.0.0.2@5@esmtp@g@b
1123456782@one@b@c@T@x.test@0@g@b@15@0@1.00@192.0.2.1@421 later
1123456783@two@b@c@P@sub.y.test@5@g@other@0@1@1.00@192.0.2.2@550 no
1123456784@one@b@c@D@x.test@5@g@b@1@2.00@192.0.2.3
"""
REJECTED = (
    '1123456785: R="ip" L="ip" C="c1" PATH="d" PATH_GRP="d" P="p" E=550 M=core'
    ' CTXCONN=[rdnsbl=yes] CTXMESS=[somehdr="failed it",empty=] no\n'
)

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    main, old, reject = tmp_path / "mainlog.ec", tmp_path / "old.bz2", tmp_path / "rejectlog.ec.gz"
    rows = MAIN.splitlines(keepends=True)
    old.write_bytes(bz2.compress("".join(rows[:2]).encode()))
    main.write_text("".join(rows[2:]))
    reject.write_bytes(gzip.compress(REJECTED.encode()))

    def run(*words: str, said: str = "", files: bool = True, code: int = 0) -> str:
        logs = [str(old), str(main), str(reject)] if files else []
        result = CliRunner().invoke(command, [*words, *logs], input=said)
        assert result.exit_code == code, result.output
        return result.output

    return run


def stamps(told: str) -> str:
    """Return the last digits of the times of what was printed with --lines."""
    return "".join(each[9] for each in told.splitlines())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], "012345"),
        (["--in"], "01"), (["--reception"], "01"), (["--out"], "4"), (["--delivery"], "4"),
        (["--perm"], "3"), (["--transient"], "2"), (["--in", "--tran"], "012"),
        (["--from=me@a.test"], "0"), (["--from=<>"], "1"), (["--from-domain", "A.TEST"], "0"),
        (["--from-regex=^m.*test$"], "0"), (["--from-domain-regex", "a"], "0"),
        (["--to", "bob@x.test"], "0"), (["--to-regex=eve"], "1"),
        (["--to-domain=x.test"], "024"),
        (["--to-domain=x.test", "--to-domain=sub.y.test"], "01234"),
        (["--to-domain-regex=.?y.test$"], "13"),
        (["--src-ip=10.0.0.2"], "1"), (["--src-ip-regex=^10[.]"], "01"),
        (["--dst-ip=192.0.2.1"], "2"), (["--dst-ip-regex=192.0.2.[12]"], "23"),
        (["--binding=other"], "3"), (["--binding-regex=o"], "3"),
        (["--binding=b", "--binding-group=g"], "24"),
        (["--id=one"], "024"), (["--id=one", "--id=two"], "01234"),
        (["--start=1123456783"], "345"), (["--end", "1123456781"], "01"),
        (["--main"], "01234"), (["--regex", "--from=.*a[.]test"], "0"),
        (["--vctx-conn=rdnsbl"], "5"), (["--vctx-conn=rdnsbl=no"], ""),
        (["--vctx-mess-regex=somehdr=^failed "], "5"), (["--vctx-mess=empty=''"], "5"),
        (["--from=<>", "--dst-ip=192.0.2.2"], "3"),
    ],
)  # fmt: skip
def test_tests_of_records(run: Run, words: list[str], found: str) -> None:
    assert stamps(run("--lines", *words)) == found


def test_counts(run: Run) -> None:
    assert run("--count").splitlines() == [
        "Receptions: 2", "Deliveries: 1", "Transfers: 0", "Transient failures: 1",
        "Permanent failures: 1", "Rejections: 1",
    ]  # fmt: skip
    assert "Deliveries: 1\n" in run("--count", "--from-domain=a.test")
    assert "Deliveries: 0\n" in run("--count", "--from=<>")


def test_the_history_of_messages(run: Run) -> None:
    told = run("-v", "--dst-ip=192.0.2.1")
    assert [each.split()[1] for each in told.splitlines()] == [
        "one", "reception", "transient", "delivery",
    ]  # fmt: skip
    assert "  connection rdnsbl: yes" in run("-v", "--vctx-conn=rdnsbl")


def test_dates_and_xml(run: Run) -> None:
    root = ET.fromstring(run("--xml", "--date"))
    assert [each.tag for each in root] == [
        "reception", "reception", "transient", "permanent", "delivery", "rejection",
    ]  # fmt: skip
    assert root[0].get("time", "").endswith(" 2005")
    assert root[0].findtext("to") == "<bob@x.test>"
    assert stamps(run("--lines", "--start=Aug 06 23:59:59 2005", "--end=08 08 23:59:59 2005"))


def test_standard_input(run: Run) -> None:
    assert stamps(run("--lines", "--in", "-", said=MAIN, files=False)) == "01"
    assert run("-v", "--from=<>", "-", said=MAIN, files=False).startswith("message two\n")


def test_into_a_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("--lines", "--perm", f"--output={out}") == ""
    assert run("--lines", "--out", f"--output={out}", "--append") == ""
    assert stamps(out.read_text()) == "34"


@pytest.mark.parametrize(
    "words", [["--from-regex=("], ["--from-regex=(a+)+$"], ["--start=yesterday"], ["-", "-"]]
)
def test_wrong_usage(run: Run, words: list[str]) -> None:
    run(*words, code=2)


def test_a_log_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    assert "missing" in run(str(tmp_path / "missing"), code=1)


def test_without_a_log_it_is_that_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFFILE", str(tmp_path / "missing"))
    assert CliRunner().invoke(command, []).exit_code == 2
    (tmp_path / "c").write_text(
        f'spoolbase = "{tmp_path}"\n'
        'ec_logger "ec_logger" { mainlog = "main.ec" rejectlog = "" }\n'
    )
    monkeypatch.setenv("CONFFILE", str(tmp_path / "c"))
    rows = MAIN.splitlines(keepends=True)
    for name, row in (("main.ec", 4), ("main.ec.1", 3), ("main.ec.2", 2), ("main.ec.10", 0)):
        (tmp_path / name).write_text(rows[row])
    (tmp_path / "main.ec.old").write_text(rows[1])
    result = CliRunner().invoke(command, ["--lines"])
    assert stamps(result.output) == "0234"
