"""A campaign is new once on a node, whoever asks first."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from angarium.modules.route.campaigns import LONGEST, Campaigns

WORKER = """
import sys
from pathlib import Path
from angarium.modules.route.campaigns import Campaigns
campaigns = Campaigns(Path(sys.argv[1]), 1000)
print(sum(campaigns.claim(f"c{number}") for number in range(100)))
"""


def process(path: Path) -> int:
    """Claim a hundred campaigns in a process; return how many were new."""
    command = [sys.executable, "-c", WORKER, str(path)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def thread(path: Path) -> int:
    campaigns = Campaigns(path, 1000)
    return sum(campaigns.claim(f"c{number}") for number in range(100))


def test_a_campaign_is_new_for_the_first_who_asks_only(tmp_path: Path) -> None:
    one, other = (Campaigns(tmp_path / "deep/file", 10) for _ in range(2))
    assert not one.knows("a")
    assert one.claim("a")
    assert one.knows("a")
    assert not one.claim("a")
    assert not other.claim("a")
    assert other.claim("b")
    assert not one.claim("b")


def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    assert Campaigns(tmp_path / "f", 10).claim("\udc80 \n é")
    assert not Campaigns(tmp_path / "f", 10).claim("\udc80 \n é")


def test_of_many_processes_and_threads_one_is_first(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with ThreadPoolExecutor(4) as pool:
        counts = [
            each.result()
            for each in [pool.submit(process, path) for _ in range(2)]
            + [pool.submit(thread, path) for _ in range(2)]
        ]
    assert sum(counts) == 100


def test_one_that_came_to_nothing_is_new_again(tmp_path: Path) -> None:
    one, other = (Campaigns(tmp_path / "f", 10) for _ in range(2))
    assert one.claim("a")
    other.release("a")
    other.release("never seen")
    assert one.claim("b")
    assert not one.knows("a")
    assert other.claim("a")


def test_the_oldest_are_forgotten_and_the_file_stays_small(tmp_path: Path) -> None:
    one, other = (Campaigns(tmp_path / "f", 5) for _ in range(2))
    assert other.claim("first")
    for number in range(30):
        assert one.claim(f"c{number}")
    assert len((tmp_path / "f").read_bytes().splitlines()) <= 11
    assert not other.claim("c29")
    assert other.claim("first")
    assert not one.claim("first")


def test_a_line_which_a_crash_cut_off_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert Campaigns(path, 10).claim("a")
    path.write_bytes(path.read_bytes() + b'+"half')
    later = Campaigns(path, 10)
    assert later.claim("b")
    assert not Campaigns(path, 10).claim("b")
    assert not Campaigns(path, 10).claim("a")
    for beginning in (b"", b"campa"):
        path.write_bytes(beginning)
        assert later.claim("a")
        assert not Campaigns(path, 10).claim("a")
    path.unlink()
    assert later.claim("a")


def test_a_campaign_of_any_length_takes_little(tmp_path: Path) -> None:
    campaigns = Campaigns(tmp_path / "f", 10)
    long = "x" * (100 * LONGEST)
    assert campaigns.claim(long)
    assert not campaigns.claim(long)
    assert campaigns.claim(long + "y")
    assert (tmp_path / "f").stat().st_size < 200
