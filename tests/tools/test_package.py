"""What goes into the package for Debian; that it installs is tried by tools/package_try."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import package

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage")
    package.lay_out(folder)
    return folder


def test_units_start_what_the_package_has_where_it_has_it(stage: Path) -> None:
    for unit in (stage / "usr/lib/systemd/system").glob("*.service"):
        for path in re.findall(r"^(?:ExecStart|ExecReload)=(\S+)", unit.read_text(), re.MULTILINE):
            if not path.startswith("/bin/"):
                folder, _, name = path.rpartition("/")
                assert folder == f"/{package.ENVIRONMENT}/bin"
                assert name in package.programs()
        for path in re.findall(r"(/etc/angarium/[\w./-]+\w)", unit.read_text()):
            assert (stage / path[1:]).exists()
        for path in re.findall(r"file://([\w./-]+\w)", unit.read_text()):
            assert (stage / path[1:]).exists()


def test_every_program_is_in_the_path(stage: Path) -> None:
    for name in package.programs():
        link = stage / "usr/bin" / name
        assert str(link.readlink()) == f"/{package.ENVIRONMENT}/bin/{name}"


def test_configurations_are_those_of_production_and_dpkg_keeps_them(stage: Path) -> None:
    shipped = {path.name: path.read_bytes() for path in (ROOT / "etc/production").glob("*.conf")}
    there = {path.name: path.read_bytes() for path in (stage / "etc/angarium").iterdir()}
    assert there == shipped
    package.scripts(stage, 1, "1.2")
    conffiles = (stage / "DEBIAN/conffiles").read_text().splitlines()
    assert conffiles == [f"/etc/angarium/{name}" for name in sorted(shipped)]
    for name in package.SCRIPTS:
        assert (stage / "DEBIAN" / name).stat().st_mode & 0o777 == 0o755
    shutil.rmtree(stage / "DEBIAN")


@pytest.mark.parametrize("name", package.SCRIPTS)
def test_maintainer_scripts_can_be_read_and_name_what_there_is(name: str) -> None:
    path = package.DEBIAN / name
    subprocess.run(["sh", "-n", path], check=True)
    named = re.findall(r"angarium(?:-\w+)?\.(?:service|timer)", path.read_text())
    assert set(named) <= {unit.name for unit in package.units()}


def test_the_control_file_asks_for_the_python_it_was_made_with() -> None:
    text = package.control("1.2+a", "amd64", "3.11", 1000)
    fields = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    assert fields["Package"] == "angarium"
    assert fields["Version"] == "1.2+a"
    assert fields["Depends"].startswith("python3 (>= 3.11~), python3 (<< 3.12~), ")


def test_what_is_new_is_told(stage: Path) -> None:
    text = gzip.decompress((stage / package.DOC / "NEWS.gz").read_bytes()).decode()
    assert text.startswith("  * ")


def test_an_environment_speaks_of_where_it_will_be(tmp_path: Path) -> None:
    made = tmp_path / package.ENVIRONMENT
    (made / "bin").mkdir(parents=True)
    (made / "bin/angarium").write_text(f"#!{made}/bin/python\nimport x\n")
    (made / "bin/python").symlink_to("/usr/bin/python3")
    (made / "pyvenv.cfg").write_text(f"home = /usr/bin\ncommand = python3 -m venv {made}\n")
    package.settle(made, tmp_path)
    assert (made / "bin/angarium").read_text() == "#!/opt/angarium/.venv/bin/python\nimport x\n"
    assert str(tmp_path) not in (made / "pyvenv.cfg").read_text()


def test_what_nobody_runs_is_left_out(tmp_path: Path) -> None:
    binaries, packages = tmp_path / "bin", tmp_path / "site-packages"
    binaries.mkdir()
    for name in ("angarium", "python", "python3", "pip", "activate", "uvicorn"):
        (binaries / name).touch()
    for folder in ("pip/__pycache__", "pip-1.dist-info", "rich/__pycache__"):
        (packages / folder).mkdir(parents=True)
    (packages / "distutils-precedence.pth").touch()
    package.strip(binaries, packages)
    assert sorted(path.name for path in binaries.iterdir()) == ["angarium", "python", "python3"]
    assert [str(path.relative_to(packages)) for path in packages.rglob("*")] == ["rich"]


@pytest.mark.peer
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in package.units():
        # It looks for the programs, too.
        text = unit.read_text().replace(f"/{package.ENVIRONMENT}/bin/", "/bin/true ")
        (tmp_path / unit.name).write_text(text)
    for unit in package.units():
        done = subprocess.run(
            [verify, "verify", "--man=no", tmp_path / unit.name],
            check=False, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        # Units of other packages of this machine are looked at with it, and are not ours.
        others = re.compile(r"/(?:usr/)?lib/systemd/system/(?!angarium)")
        ours = [line for line in done.stderr.splitlines() if not others.match(line)]
        assert (done.returncode, ours) == (0, [])
