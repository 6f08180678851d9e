"""Starting and stopping: what is said, what is touched, who the processes are, how they end."""

import asyncio
import grp
import os
import pwd
import shlex
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.addresses import own_address
from helpers.caller import calling
from helpers.served import PATIENCE, python_for, serving
from helpers.world import World

pytestmark = pytest.mark.slow

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
PLAIN = 'esmtp_listener {{ listen "127.0.0.1:{port}" {{ }} }}\neventloop {{ concurrency = 1 }}\n'
# Ports nobody may open but root, where nobody else has them.
OURS = own_address()
LOW = PLAIN.replace("127.0.0.1", OURS)


@pytest.fixture
def free() -> Iterator[int]:
    """A port which stays ours though nobody listens on it."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


async def serve(*words: str, python: str = sys.executable) -> tuple[int, str]:
    """Run `angarium serve` until it ends; return exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", "angarium.run.programs.cli", "serve", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode()


# What is faulty.


async def test_a_faulty_configuration_names_every_fault_and_touches_nothing(
    tmp_path: Path, free: int
) -> None:
    config, state = tmp_path / "ecelerity.conf", tmp_path / "state"
    config.write_text(PLAIN.format(port=free) + "hostnam = x.test\nretry_interval = soon\n")
    code, said = await serve("--config", str(config), "--state", str(state))
    assert code == 1
    lines = said.splitlines()
    assert lines[0].startswith(f"{config}:3:1: ")
    assert "hostname" in lines[0]  # the nearest name is the advice
    assert lines[1].startswith(f"{config}:4:")
    assert not state.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free)) != 0


async def test_a_configuration_that_is_not_there_is_exit_code_1(tmp_path: Path) -> None:
    code, said = await serve("--config", str(tmp_path / "none.conf"), "--state", str(tmp_path))
    assert code == 1
    assert "none.conf" in said


async def test_wrong_usage_is_exit_code_2() -> None:
    assert (await serve("--stat", "x"))[0] == 2


async def test_an_address_in_use_is_exit_code_3(tmp_path: Path) -> None:
    config = tmp_path / "ecelerity.conf"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(PLAIN.format(port=taken.getsockname()[1]))
        code, said = await serve("--config", str(config), "--state", str(tmp_path / "state"))
    assert code == 3
    assert "another server has it" in said
    assert not (tmp_path / "state").exists()


async def test_a_state_directory_has_one_server(tmp_path: Path, free: int) -> None:
    async with World(tmp_path) as world:
        config = tmp_path / "other.conf"
        config.write_text(PLAIN.format(port=free))
        code, said = await serve("--config", str(config), "--state", str(world.state))
        assert code == 3
        assert "another server works on this state directory" in said
        assert (await world.send("a@b.test", ["c@d.test"], b"x: y\r\n\r\n")).startswith("250")


# Who the processes are.


@ROOT
async def test_an_unknown_user_is_a_fault_of_the_configuration(tmp_path: Path, free: int) -> None:
    config, state = tmp_path / "ecelerity.conf", tmp_path / "state"
    config.write_text(PLAIN.format(port=free) + 'security { user = "no-such-user" }\n')
    code, said = await serve("--config", str(config), "--state", str(state))
    assert code == 1
    assert "unknown user" in said
    assert not state.exists()


@ROOT
async def test_root_without_a_security_stanza_stays_root_and_says_so(tmp_path: Path) -> None:
    async with World(tmp_path) as world:
        assert any("running as root" in line for line in world.output)
        assert os.stat(f"/proc/{world.worker_pids()[0]}").st_uid == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return one which everybody may go into; into that of the tests only its owner may."""
    with tempfile.TemporaryDirectory(prefix="angarium-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@ROOT
@pytest.mark.effect("security.user", "security.group", "security.supplemental_groups")
async def test_root_becomes_the_user_of_the_security_stanza(folder: Path) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    nobody = pwd.getpwnam("nobody")
    gid = grp.getgrnam("daemon").gr_gid
    config = folder / "ecelerity.conf"
    config.write_text(
        LOW.format(port=911)
        + 'security { user = "nobody" group = "daemon" supplemental_groups = ( "mail" ) }\n'
        'ec_logger { mainlog = "log/mainlog.ec" }\n'
    )
    config.chmod(0o644)  # The umask of whoever runs the tests may keep it from others.
    words = ("--config", str(config), "--state", str(folder / "state"))
    async with serving(*words, python=python, **environment) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(children) == 2
        for pid in (server.pid, *children):
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
            assert f"Gid:\t{gid}\t{gid}\t{gid}" in status
            assert f"Groups:\t{grp.getgrnam('mail').gr_gid} \n" in status
            assert "CapEff:\t0000000000000000" in status
        assert (folder / "state" / "spool").stat().st_uid == nobody.pw_uid
        assert not any("as root" in line for line in server.said)
        async with calling(911, to=OURS) as caller:
            assert caller.banner.startswith("220")
        # A new low port cannot be had any more; the rest of the reload is in force.
        both = f'listen "{OURS}:911" {{ }} listen "{OURS}:912" {{ }}'
        config.write_text(
            f"esmtp_listener {{ {both} }}\neventloop {{ concurrency = 1 }}\n"
            'security { user = "nobody" group = "daemon" supplemental_groups = ( "mail" ) }\n'
            'hostname = "new.name.test"\n'
        )
        os.kill(server.pid, signal.SIGHUP)
        try:
            await until_banner(911, "220 new.name.test", OURS)
        except TimeoutError as error:
            os.kill(server.pid, signal.SIGTERM)
            await server.ended()
            raise AssertionError("".join(server.said)) from error
        os.kill(server.pid, signal.SIGTERM)
        assert await server.ended() == 0
        assert any("needs restart" in line and f"{OURS}:912" in line for line in server.said)


@ROOT
@pytest.mark.effect("security.capabilities")
async def test_with_its_capability_a_reload_may_listen_on_a_low_port(folder: Path) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    config = folder / "ecelerity.conf"
    security = (
        'security { user = "nobody" group = "nogroup" '
        'capabilities = "cap_net_admin+ep cap_net_bind_service+ep" }\n'
    )
    config.write_text(LOW.format(port=913) + security)
    config.chmod(0o644)
    words = ("--config", str(config), "--state", str(folder / "state"))
    async with serving(*words, python=python, **environment) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        for pid in children:
            assert "CapPrm:\t0000000000000000" in Path(f"/proc/{pid}/status").read_text()
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "CapPrm:\t0000000000000400" in status
        assert "CapEff:\t0000000000000400" in status
        both = f'listen "{OURS}:913" {{ }} listen "{OURS}:914" {{ }}'
        config.write_text(
            f"esmtp_listener {{ {both} }}\neventloop {{ concurrency = 1 }}\n"
            f'{security}hostname = "new.name.test"\n'
        )
        os.kill(server.pid, signal.SIGHUP)
        await until_banner(913, "220 new.name.test", OURS)
        async with calling(914, to=OURS) as caller:
            assert caller.banner.startswith("220 new.name.test")
        os.kill(server.pid, signal.SIGTERM)
        assert await server.ended() == 0


# Whatever is mounted goes with the processes: nothing is left behind which a test could delete.
INSIDE = 'mount --rbind / "$0" && mount -t tmpfs tmpfs "$0/mnt" && exec "$@"'


@ROOT
@pytest.mark.effect("security.chroot")
async def test_in_a_chroot_everything_is_inside_of_it(tmp_path: Path, free: int) -> None:
    jail, config = tmp_path / "jail", tmp_path / "ecelerity.conf"
    jail.mkdir()
    before = ("unshare", "--mount", "sh", "-c", INSIDE, str(jail))
    trial = await asyncio.create_subprocess_exec(*before, "true")
    if await trial.wait() != 0:
        pytest.skip("nothing can be mounted here")
    config.write_text(
        PLAIN.format(port=free)
        + f'security {{ user = "root" group = "root" chroot = "{jail}" }}\n'
        + 'ec_logger { mainlog = "log/mainlog.ec" }\n'
    )
    words = ("--config", str(config), "--state", "/mnt/angarium-state")
    async with serving(*words, before=shlex.join(before)) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(children) == 2
        for pid in (server.pid, *children):
            assert (Path(f"/proc/{pid}/root/mnt/angarium-state/spool/000")).is_dir()
            # A root which is the jail has no jail in it that is not empty.
            assert not list(Path(f"/proc/{pid}/root{jail}").iterdir())
        assert not Path("/mnt/angarium-state").exists()
        async with calling(free) as caller:
            assert caller.banner.startswith("220")
        config.write_text(config.read_text() + 'hostname = "new.name.test"\n')
        os.kill(server.pid, signal.SIGHUP)
        await until_banner(free, "220 new.name.test")
        os.kill(server.pid, signal.SIGTERM)
        assert await server.ended() == 0


@ROOT
async def test_who_may_not_confine_itself_does_not_start(tmp_path: Path, free: int) -> None:
    config = tmp_path / "ecelerity.conf"
    config.write_text(PLAIN.format(port=free) + f'security {{ chroot = "{tmp_path / "no"}" }}\n')
    config.write_text(
        config.read_text().replace("{ chroot", '{ user = "root" group = "root" chroot')
    )
    code, said = await serve("--config", str(config), "--state", str(tmp_path / "state"))
    assert code == 3
    assert "chroot of the security stanza failed" in said


async def until_banner(port: int, beginning: str, address: str = "127.0.0.1") -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        async with calling(port, to=address) as caller:
            if caller.banner.startswith(beginning):
                return
        await asyncio.sleep(0.02)
    raise TimeoutError(beginning)


# What is said, and where it runs.


@pytest.mark.effect("spoolbase", "pidfile")
async def test_without_a_state_the_spoolbase_is_it_and_the_pid_file_is_written(
    tmp_path: Path, free: int
) -> None:
    config, pidfile = tmp_path / "ecelerity.conf", tmp_path / "angarium.pid"
    config.write_text(
        PLAIN.format(port=free) + f'spoolbase = "{tmp_path / "base"}"\npidfile = "{pidfile}"\n'
    )
    async with serving("--config", str(config)) as server:
        assert pidfile.read_text() == f"{server.pid}\n"
        assert (tmp_path / "base" / "spool" / "000").is_dir()
        os.kill(server.pid, signal.SIGTERM)
        assert await server.ended() == 0


async def test_with_a_state_no_pid_file_is_written(tmp_path: Path, free: int) -> None:
    config, pidfile = tmp_path / "ecelerity.conf", tmp_path / "angarium.pid"
    config.write_text(PLAIN.format(port=free) + f'pidfile = "{pidfile}"\n')
    async with serving("--config", str(config), "--state", str(tmp_path / "state")):
        assert not pidfile.exists()


async def test_notes_are_told_at_the_start(tmp_path: Path) -> None:
    async with World(tmp_path, 'license = "/nowhere"\n') as world:
        [note] = [line for line in world.output if "license" in line]
        assert "ecelerity.conf:" in note


# How it ends.


async def test_sigterm_lets_what_is_under_way_end(tmp_path: Path) -> None:
    zone = "d.test MX 10 mx.d.test\nmx.d.test A 127.0.0.1\n"
    async with World(tmp_path, zone=zone) as world:
        async with world.call() as caller, world.call() as idle:
            await caller.envelope("a@b.test", "c@d.test")
            assert (await caller.say("DATA")).startswith("354")
            world.signal(signal.SIGTERM)
            assert (await idle.line()).startswith("421")
            assert (await caller.finish(b"Subject: last\r\n\r\nx\r\n.\r\n")).startswith("250")
            assert (await caller.say("MAIL FROM:<a@b.test>")).startswith("421")
        assert await world.ended() == 0
        found = await world.audit()
        assert found["sound"]
        assert found["sum"]["accepted"] == 1
        await world.start()
        await world.arrived("c@d.test")


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with World(tmp_path, "shutdown_timeout = 3600\n") as world, world.call() as caller:
        await caller.envelope("a@b.test", "c@d.test")
        assert (await caller.say("DATA")).startswith("354")
        world.signal(signal.SIGTERM)
        await world.until(lambda: any("stopping" in line for line in world.output), "the stop")
        world.signal(signal.SIGTERM)
        assert await world.ended() == 0
        assert (await caller.rest()).startswith(b"421 ")


async def test_ctrl_c_ends_it_as_sigterm_does(tmp_path: Path) -> None:
    """A terminal sends it to every process of the group; the supervisor decides."""
    held = 'domain "d.test" { suspend_delivery = true }'
    async with World(tmp_path, held, workers=2) as world:
        assert (await world.send("a@b.test", ["c@d.test"], b"x: y\r\n\r\n")).startswith("250")
        world.signal_all(signal.SIGINT)
        assert await world.ended() == 0
        assert not any("died" in line for line in world.output)
        assert (await world.audit())["sum"]["accepted"] == 1


@ROOT
async def test_who_cannot_read_the_configuration_again_is_told_at_the_start(folder: Path) -> None:
    ours = [each for each in sys.path if each.endswith(("site-packages", "src"))]
    environment = {"PYTHONPATH": ":".join(ours)}
    python = python_for("nobody", environment)
    config = folder / "ecelerity.conf"
    config.write_text(LOW.format(port=912) + 'security { user = "nobody" group = "nogroup" }\n')
    config.chmod(0o600)
    words = ("--config", str(config), "--state", str(folder / "state"))
    async with serving(*words, python=python, **environment) as server:
        told = [line for line in server.said if "a reload will be refused" in line]
        assert len(told) == 1
        assert f"{config}: cannot be read" in told[0]
        os.kill(server.pid, signal.SIGTERM)
        assert await server.ended() == 0
