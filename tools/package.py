"""Build a package for Debian and Ubuntu: dist/angarium_VERSION_ARCHITECTURE.deb.

python tools/package.py             the version of pyproject.toml
python tools/package.py --version 0.1.0+local1

In it is an environment with exactly what requirements.lock names, made by the Python of this
machine's distribution, so the package is for its release. Installing it needs no network. Rule:
**units and configurations are those of etc/production**, and stand where these say they are.
"""

import argparse
import compileall
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PRODUCTION: Final = ROOT / "etc" / "production"
DEBIAN: Final = ROOT / "tools" / "debian"
HOME: Final = "opt/angarium"  # as the units have it
ENVIRONMENT: Final = f"{HOME}/.venv"
DOC: Final = "usr/share/doc/angarium"
PYTHON: Final = "/usr/bin/python3"
SCRIPTS: Final = ("postinst", "prerm", "postrm")
COMPLETIONS: Final = {
    "bash": "usr/share/bash-completion/completions/angarium",
    "zsh": "usr/share/zsh/vendor-completions/_angarium",
    "fish": "usr/share/fish/vendor_completions.d/angarium.fish",
}
# What an environment has and a package does not need: it installs nothing.
NEEDLESS: Final = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")
COPYRIGHT: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Angarium

Files: *
Copyright: the authors of Angarium
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.

Files: opt/angarium/.venv/lib/*
Copyright: the authors of each
License: other
 Each has its own licence beside it, in its .dist-info directory.
"""


def project() -> Mapping[str, object]:
    """Return what pyproject.toml says of the project."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def control(version: str, architecture: str, python: str, kilobytes: int) -> str:
    """Return the control file.

    Args:
        python: its version, as "3.11".
    """
    major, minor = map(int, python.split("."))
    needs = f"python3 (>= {python}~), python3 (<< {major}.{minor + 1}~), libc6 (>= 2.34), passwd"
    return (
        "Package: angarium\n"
        f"Version: {version}\n"
        f"Architecture: {architecture}\n"
        "Maintainer: the authors of Angarium <angarium@localhost>\n"
        f"Installed-Size: {kilobytes}\n"
        f"Depends: {needs}\n"
        "Section: mail\n"
        "Priority: optional\n"
        "Description: email infrastructure platform\n"
        " Takes mail in, keeps it safe, delivers it: a mail server for large senders which\n"
        " reads the configuration of Momentum.\n"
    )


def configurations() -> list[Path]:
    """Return the files which go to /etc/angarium."""
    return sorted(PRODUCTION.glob("*.conf"))


def units() -> list[Path]:
    return sorted([*PRODUCTION.glob("*.service"), *PRODUCTION.glob("*.timer")])


def programs() -> list[str]:
    """Return the names of the commands."""
    scripts = project()["scripts"]
    assert isinstance(scripts, dict)
    return sorted(scripts)


def lay_out(stage: Path) -> None:
    """Put everything but the environment where it goes."""
    for file in configurations():
        _copy(file, stage / "etc/angarium" / file.name)
    for file in units():
        _copy(file, stage / "usr/lib/systemd/system" / file.name)
    for name in programs():
        _link(stage / "usr/bin" / name, f"/{ENVIRONMENT}/bin/{name}")
    for folder in ("grafana", "prometheus"):
        shutil.copytree(ROOT / "etc" / folder, stage / DOC / "examples" / folder)
    for name in ("angarium.sysctl", "angarium.logrotate"):
        _copy(PRODUCTION / name, stage / DOC / "examples" / name)
    shutil.copytree(ROOT / "docs", stage / HOME / "docs")
    shutil.copytree(ROOT / "examples", stage / HOME / "examples", ignore=_caches)
    _write(stage / DOC / "copyright", COPYRIGHT)
    news = "".join(f"  * {text}" for text in _news())
    _write(stage / DOC / "NEWS", news)
    with gzip.GzipFile(stage / DOC / "NEWS.gz", "wb", mtime=0) as file_:
        file_.write(news.encode())
    (stage / DOC / "NEWS").unlink()


def _news() -> Iterator[str]:
    for path in sorted((ROOT / "news").glob("*.*.*.md")):
        yield path.read_text("utf-8")


def environment(stage: Path) -> None:
    """Make the environment, and put it to rights for where it will be."""
    made = stage / ENVIRONMENT
    _run(PYTHON, "-m", "venv", str(made))
    install = [str(made / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    install += ["install", "--no-compile", "--no-warn-script-location"]
    _run(*install, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    with tempfile.TemporaryDirectory() as folder:
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
        [wheel] = Path(folder).glob("*.whl")
        _run(*install, "--no-deps", str(wheel))
    for shell, path in COMPLETIONS.items():
        _write(stage / path, _run(str(made / "bin/angarium"), "completion", shell))
    [packages] = made.glob("lib/python3.*/site-packages")
    strip(made / "bin", packages)
    settle(made, stage)
    compileall.compile_dir(packages, quiet=2, stripdir=str(stage), prependdir="/", workers=0)


def strip(binaries: Path, packages: Path) -> None:
    """Take out what nobody runs."""
    for name in NEEDLESS:
        for found in packages.glob(f"{name}*"):
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink()
    kept = {*programs(), *(path.name for path in binaries.glob("python*"))}
    for path in binaries.iterdir():
        if path.name not in kept:
            path.unlink()
    for cache in list(packages.rglob("__pycache__")):
        shutil.rmtree(cache)


def settle(made: Path, stage: Path) -> None:
    """Let what is in an environment speak of the place where it will be."""
    for path in [*(made / "bin").iterdir(), made / "pyvenv.cfg"]:
        if path.is_symlink():
            continue
        text = path.read_text("utf-8")
        path.write_text(text.replace(f"{stage}/", "/"), "utf-8")


def scripts(stage: Path, kilobytes: int, version: str) -> None:
    """Write what dpkg reads."""
    folder = stage / "DEBIAN"
    folder.mkdir()
    architecture = _run("dpkg", "--print-architecture").strip()
    python = _run(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    _write(folder / "control", control(version, architecture, python, kilobytes))
    files = "".join(f"/etc/angarium/{path.name}\n" for path in configurations())
    _write(folder / "conffiles", files)
    for name in SCRIPTS:
        _copy(DEBIAN / name, folder / name)
        (folder / name).chmod(0o755)


def build(target: Path, version: str) -> Path:
    """Build the package; return its path."""
    with tempfile.TemporaryDirectory(prefix="deb-") as folder:
        stage = Path(folder)
        stage.chmod(0o755)
        lay_out(stage)
        environment(stage)
        kilobytes = (
            sum(path.lstat().st_size for path in stage.rglob("*") if not path.is_dir()) // 1024
        )
        scripts(stage, kilobytes, version)
        target.mkdir(exist_ok=True)
        _run("dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", str(stage), str(target))
    [made] = target.glob(f"angarium_{version}_*.deb")
    return made


def _caches(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _link(path: Path, to: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def _run(*words: str, cwd: Path | None = None) -> str:
    # Of this project's environment the other Python is to see nothing.
    ours = {name: each for name, each in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        words, check=True, text=True, stdout=subprocess.PIPE, cwd=cwd, env=ours | {"LC_ALL": "C"}
    )
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Build a package for Debian and Ubuntu.")
    parser.add_argument("--version", default=str(project()["version"]))
    parser.add_argument("--to", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    os.umask(0o022)
    print(build(given.to, given.version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
