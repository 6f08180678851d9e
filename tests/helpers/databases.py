"""Real database servers, each on a directory of its own; tools/peers installs the programs.

    with postgresql() as server:
        source(server.uri)

They listen on a Unix socket in their directory, slapd on a free port. PostgreSQL does not run as
root, so there it is nobody. `stop` ends a server, `start` brings it back with what it had.
"""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from angarium.data.source import Datasource, Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.net.loop import RealClock
from angarium.run.programs.certificate import make
from helpers.addresses import free_port

PLACES = [
    *os.environ.get("PATH", "").split(":"),
    "/usr/sbin",
    *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True),
]
UNPRIVILEGED = "nobody"
SCRIPTS = Path("/usr/share/mysql")
SCHEMAS = Path("/etc/ldap/schema")
READY_SECONDS = 60.0  # for a busy machine
SMALL = (
    "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--aria-log-file-size=8M",
    "--innodb-data-file-path=ibdata1:5M:autoextend", "--skip-innodb-doublewrite",
    "--innodb-temp-data-file-path=ibtmp1:5M:autoextend", "--innodb-flush-log-at-trx-commit=0",
)  # fmt: skip


@asynccontextmanager
async def asking(*uris: str, **settings: Any) -> AsyncIterator[Datasource]:
    """Yield a datasource for servers."""
    sources = Datasources(RealClock(), Random(5), Metrics())
    sources.configure([Settings(name="test", uris=uris, **settings)])
    try:
        yield sources.source("test")
    finally:
        await sources.close()


def needed(program: str) -> str:
    """Return the path of a program; without it the test is skipped by name, or fails under CI."""
    found = shutil.which(program, path=":".join(PLACES))
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed: run tools/peers")
        pytest.skip(f"{program} is not installed: run tools/peers")
    return found


class Server:
    """A running server.

    Attributes:
        uri: of a datasource.
        folder: what it may write in.
        port: 0, or where it listens for TLS.
    """

    port = 0

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        uri: str,
        ready: Callable[[], bool],
        user: str | None = None,
        ending: signal.Signals = signal.SIGKILL,
    ) -> None:
        self._command = command
        self._ready = ready
        self._user = user
        self._ending = ending
        self.folder = folder
        self.uri = uri
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                **_as(self._user),
            )
        until, pause = time.monotonic() + READY_SECONDS, threading.Event()
        while not self._ready():
            said = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
            assert self.process.poll() is None, f"{self._command[0]} ended: {said}"
            assert time.monotonic() < until, f"{self._command[0]} is not ready: {said}"
            pause.wait(0.02)

    def stop(self) -> None:
        """End it at once, as a crash does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
                self.process.send_signal(self._ending)
            self.process.wait()
            self.process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it do nothing for a while; its kernel takes connections all the same."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def _as(user: str | None) -> dict[str, Any]:
    return {"user": user, "group": "nogroup", "extra_groups": []} if user else {}


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    """Yield a directory with a short name, for sockets, that this user may write in."""
    path = Path(tempfile.mkdtemp(prefix="angarium-db-", dir="/tmp"))
    try:
        if user:
            shutil.chown(path, user, "nogroup")
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine; return the files of it and of its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    make(["localhost", "127.0.0.1"], certificate, key, kind="ec:p256")
    return certificate, key


@contextmanager
def postgresql(password: str = "") -> Iterator[Server]:
    """Run PostgreSQL; it believes whoever comes that they are the user they say.

    Args:
        password: it listens for TLS, too, and tim with this password logs in by SCRAM there.
    """
    initdb, postgres = needed("initdb"), needed("postgres")
    user = UNPRIVILEGED if os.getuid() == 0 else None
    with _folder(user) as folder:
        place, port = str(folder / "data"), "5432"
        made = subprocess.run(
            [initdb, "-D", place, "-A", "trust", "-U", "mail", "--no-sync", "--no-instructions",
             "-E", "UTF8", "--locale=C"],
            check=False, capture_output=True, cwd="/", **_as(user),
        )  # fmt: skip
        assert made.returncode == 0, made.stderr.decode()
        settings = ["fsync=off", "listen_addresses=", "shared_buffers=1MB", "max_connections=20",
                    "autovacuum=off", "wal_level=minimal", "max_wal_senders=0"]  # fmt: skip
        if password:
            port = str(free_port())
            settings += _with_tls(folder, user)
        command = [postgres, "-D", place, "-k", str(folder), "-p", port]
        command += [word for each in settings for word in ("-c", each)]
        pid = folder / "data" / "postmaster.pid"

        def ready() -> bool:
            lines = pid.read_text().splitlines() if pid.exists() else []
            return len(lines) > 7 and lines[7].strip() == "ready"

        uri = f"pgsql:host={folder};port={port};dbname=postgres;user=mail"
        # Killed, it would leave processes behind which answer for a moment more.
        server = Server(command, folder, uri, ready, user, signal.SIGQUIT)
        with _running(server):
            if password:
                server.port = int(port)
                role = f"create role tim login password '{password}'"
                psql = [needed("psql"), "-h", str(folder), "-p", port, "-U", "mail", "-c", role]
                subprocess.run([*psql, "postgres"], check=True, capture_output=True)
            yield server


def _with_tls(folder: Path, user: str | None) -> list[str]:
    """Let PostgreSQL have a certificate, and passwords where TLS is; return its settings."""
    certificate, key = _certificate(folder)
    if user is not None:
        shutil.chown(certificate, user)
        shutil.chown(key, user)
    hba = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
    (folder / "data" / "pg_hba.conf").write_text(hba)
    return [
        "listen_addresses=127.0.0.1", "ssl=on", f"ssl_cert_file={certificate}",
        f"ssl_key_file={key}",
    ]  # fmt: skip


@contextmanager
def mariadb() -> Iterator[Server]:
    """Run MariaDB with a database mail, its user mail, and the password s;cret."""
    mariadbd = needed("mariadbd")
    with _folder(None) as folder:
        place, link = folder / "data", folder / "socket"
        place.mkdir()
        # Of a directory for temporary files, such as /tmp, it takes away those of others.
        common = [mariadbd, "--no-defaults", f"--datadir={place}", f"--tmpdir={folder}", *SMALL]
        certificate, key = _certificate(folder)
        common += ["--user=root"] if os.getuid() == 0 else []
        first = ["create database mysql;", "use mysql;", "set @auth_root_socket = null;"]
        tables = [
            (SCRIPTS / f"mysql_system_tables{each}.sql").read_text("utf-8")
            for each in ("", "_data")
        ]
        last = [
            "flush privileges;",
            "create database mail character set utf8mb4;",
            "create user mail@localhost identified by 's;cret';",
            "grant all on mail.* to mail@localhost;",
        ]
        made = subprocess.run(
            [*common, "--bootstrap"],
            input="\n".join([*first, *tables, *last, ""]).encode(),
            check=False,
            capture_output=True,
        )
        assert made.returncode == 0, made.stderr.decode("utf-8", "replace")[-2000:]
        command = [
            *common,
            f"--ssl-cert={certificate}",
            f"--ssl-key={key}",
            f"--socket={link}",
            "--skip-networking",
            f"--pid-file={folder}/pid",
        ]
        uri = f"mysql:host={link};dbname=mail;user=mail;password='s;cret'"
        with _running(Server(command, folder, uri, lambda: _connects(link))) as server:
            yield server


@contextmanager
def redis(password: str = "secret") -> Iterator[Server]:
    """Run Redis, which keeps nothing on disk."""
    program = needed("redis-server")
    with _folder(None) as folder:
        link = folder / "socket"
        command = [program, "--port", "0", "--unixsocket", str(link), "--save", "",
                   "--dir", str(folder), "--requirepass", password]  # fmt: skip
        uri = f"redis:host={link};password={password};db=1"
        with _running(Server(command, folder, uri, lambda: _connects(link))) as server:
            yield server


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0


@contextmanager
def slapd(entries: str) -> Iterator[Server]:
    """Run OpenLDAP with these entries, LDIF, below dc=example,dc=com.

    Its root is cn=root with the password secret. It can StartTLS with `cert.pem` of its folder.
    """
    slapd_, slapadd = needed("slapd"), needed("slapadd")
    with _folder(None) as folder:
        port = free_port()
        (folder / "data").mkdir()
        certificate, key = _certificate(folder)
        schemas = ("core", "cosine", "inetorgperson")
        lines = [f"include {SCHEMAS}/{each}.schema" for each in schemas]
        lines += [
            "modulepath /usr/lib/ldap", "moduleload back_mdb",
            f"TLSCertificateFile {certificate}", f"TLSCertificateKeyFile {key}", "database mdb",
            'suffix "dc=example,dc=com"', 'rootdn "cn=root,dc=example,dc=com"', "rootpw secret",
            f"directory {folder}/data", "maxsize 10485760", "index objectClass eq",
            "access to attrs=userPassword by anonymous auth by * none", "access to * by * read",
        ]  # fmt: skip
        config, ldif = folder / "slapd.conf", folder / "entries.ldif"
        config.write_text("\n".join(lines) + "\n")
        ldif.write_text(entries)
        made = subprocess.run(
            [slapadd, "-f", str(config), "-l", str(ldif)], check=False, capture_output=True
        )
        assert made.returncode == 0, made.stderr.decode("utf-8", "replace")
        command = [slapd_, "-f", str(config), "-h", f"ldap://127.0.0.1:{port}/", "-d", "0"]

        def ready() -> bool:
            with socket.socket() as trial:
                return trial.connect_ex(("127.0.0.1", port)) == 0

        server = Server(command, folder, f"ldap://127.0.0.1:{port}/dc=example,dc=com", ready)
        with _running(server):
            yield server
