"""A disk which is soon full: a file system in memory of so many octets and inodes.

    with small_disk(tmp_path / "disk", octets=16 << 20) as disk:
        disk.fill(leave=1 << 20)       nobody else finds more room than that
        disk.free()

Mounting needs root; elsewhere the test is skipped by name.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"
        self._inodes = path / "inodes"

    @property
    def left(self) -> int:
        """Octets which are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all room but so many octets."""
        with self._ballast.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            size = self.left - leave
            if size > 0:
                os.posix_fallocate(file.fileno(), end, size)

    def fill_inodes(self, leave: int = 0) -> None:
        """Take all inodes but so many."""
        self._inodes.mkdir(exist_ok=True)
        for number in range(os.statvfs(self.path).f_favail - leave):
            (self._inodes / str(number)).touch()

    def free(self) -> None:
        """Give back what `fill` and `fill_inodes` took."""
        self._ballast.unlink(missing_ok=True)
        shutil.rmtree(self._inodes, ignore_errors=True)


@contextmanager
def small_disk(path: Path, octets: int, inodes: int = 1000) -> Iterator[SmallDisk]:
    """Mount it; unmounted at the end, whoever still has files there."""
    path.mkdir(parents=True)
    options = f"size={octets},nr_inodes={inodes},mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "angarium-test", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
