"""A Control_Listener of a real server: who may come, what he may do, and what he cannot spoil."""

import asyncio
import os
import pty
import resource
import select
import signal
import socket
import sys
import termios
from contextlib import ExitStack
from pathlib import Path

import pytest

from angarium.wire.sasl.digest import stored
from helpers.operators import connected, operator
from helpers.world import World, reserved_port

pytestmark = pytest.mark.slow

REALM = "Momentum Console"
EXAMPLES = Path(__file__).parents[2] / "examples" / "console"
# What a login does: Ctrl-C is for who has the terminal.
ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
RULES = """
control_listener {
  authdigestmd5parameters = [ uri = "digest://FOLDER/users" ]
  listen "FOLDER/2025" { file_mode = 0600 }
  listen "127.0.0.1:PORT" {
    enable_authorization = true
    authorizationparameters = [ uri = "groups://FOLDER/groups" ]
  }
}
authorization {
  role "looking" { allow = ( "^pid$" "^version$" "^memory" "^help" ) }
}
"""


def rules(folder: Path, port: int) -> str:
    (folder / "users").write_text(f"john:{REALM}:{stored('john', REALM, 'secret')}\n")
    (folder / "groups").write_text("looking:john\n")
    return RULES.replace("FOLDER", str(folder)).replace("PORT", str(port))


def readable(terminal: int) -> bool:
    return bool(select.select([terminal], [], [], 1.0)[0])


async def console(*words: str, password: str = "") -> tuple[int, str, str]:
    """Run ec_console; return its exit code, what it says, and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "angarium.run.programs.ec_console", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | ({"EC_CONSOLE_PASSWORD": password} if password else {}),
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, out.decode(), err.decode()


async def test_roles_and_passwords_decide_and_all_of_it_is_noted(tmp_path: Path) -> None:
    with reserved_port() as keeper:
        port = keeper.getsockname()[1]
        async with World(tmp_path, rules(tmp_path, port), workers=2) as world:
            where = f"john@127.0.0.1:{port}"
            code, out, _ = await console(where, "pid", password="secret")
            assert (code, out) == (0, f"{world.pid}\n")
            code, out, _ = await console("--json", where, "memory", "worker", password="secret")
            assert code == 0
            assert out.count('"resident"') == 3  # two workers, and both
            code, out, err = await console(where, "config", "get", "hostname", password="secret")
            assert (code, out, err) == (1, "", "Not Authorized for this command\n")
            code, _, err = await console(where, "pid", password="guess")
            assert (code, err) == (3, "console: wrong user or password\n")
            code, _, err = await console(where, "pid")
            assert (code, "asks for a password" in err) == (3, True)
            # The kernel knows us by the socket in the file system, where nothing is asked.
            code, out, _ = await console(str(tmp_path / "2025"), "xml version")
            assert (code, "<product>Angarium</product>" in out) == (0, True)
            lines = (world.logs / "acctlog.ec").read_text().splitlines()
            assert any(f"@127.0.0.1:{port}@127.0.0.1:" in each and
                       each.endswith("@john@0@config get hostname") for each in lines)  # fmt: skip
            # A reload changes the roles, and closes what is not listened on any more.
            await world.reload(rules(tmp_path, port).replace('"^pid$"', '"^authz"'))
            assert (await console(where, "pid", password="secret"))[0] == 1
            await world.reload("")
            code, _, err = await console(where, "pid", password="secret")
            assert (code, "no server answers" in err) == (3, True)


async def test_a_stuck_worker_is_named_in_the_answer(tmp_path: Path) -> None:
    world = World(tmp_path, "command_timeout = 3", workers=2)
    async with world, operator(world.state) as admin:
        stuck = world.worker_pids()[0]
        os.kill(stuck, signal.SIGSTOP)
        try:
            said = await admin.say("memory")
        finally:
            os.kill(stuck, signal.SIGCONT)
        assert said.count("worker ") == 2
        assert "does not answer: it is left out" in said.splitlines()[-1]
        assert "does not answer" not in await admin.say("memory")


async def test_strangers_cannot_keep_operators_or_mail_out(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with reserved_port() as keeper, ExitStack() as stack:
        port = keeper.getsockname()[1]
        async with World(tmp_path, rules(tmp_path, port)) as world:
            for number in range(1000):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                if number < 300:  # Some talk nonsense, some are slow, some say nothing.
                    one.sendall(os.urandom(50) + b"\n")
                elif number % 2:
                    one.sendall(b'{"is":"lo')
            async with operator(world.state) as admin:
                assert await admin.say("pid") == str(world.pid)
            code, _, err = await console(f"john@127.0.0.1:{port}", "pid", password="secret")
            assert (code, "too many are logging in" in err) == (3, True)
            async with world.call() as caller:
                assert caller.banner.startswith("220")
            stack.close()

            async def let_in() -> bool:
                return (await console(f"john@127.0.0.1:{port}", "pid", password="secret"))[0] == 0

            await world.eventually(let_in, "the end of the strangers")
            assert not any("session failed" in each for each in world.output)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_an_operator_sits_at_a_terminal(tmp_path: Path) -> None:
    async with World(tmp_path, rules(tmp_path, 1)) as world:
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (50, 300))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ON_TERMINAL, sys.executable, "-m",
            "angarium.run.programs.cli", "console", "--state", str(world.state),
            stdin=its, stdout=its, stderr=its,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"},
        )  # fmt: skip
        os.close(its)
        shown = ""

        async def until(text: str) -> None:
            nonlocal shown
            async with asyncio.timeout(90):
                while text not in shown:
                    if await asyncio.to_thread(readable, ours):
                        shown += os.read(ours, 65536).decode("utf-8", "replace")
                        if "\x1b[6n" in shown:  # It asks where the cursor is.
                            os.write(ours, b"\x1b[1;1R")
                            shown = shown.replace("\x1b[6n", "")

        await until(f"{world.state}/run/control>")
        assert "# Angarium version: " in shown
        os.write(ours, b"vers\t")
        await until("ersion")
        os.write(ours, b"\r")
        await until("Angarium version: ")
        shown = ""
        os.write(ours, b"watch 0.1 pid\r")
        await until(f"{world.pid}\r\n")
        shown = ""
        os.write(ours, b"\x03")
        await until("control>")
        os.write(ours, b"nothing\r")
        await until("there is no such command")
        os.write(ours, b"quit\r")
        assert await asyncio.wait_for(process.wait(), 90) == 1  # One command has failed.
        os.close(ours)
        history = tmp_path / "angarium" / "console_history"
        assert "+watch 0.1 pid" in history.read_text()
        assert history.stat().st_mode & 0o777 == 0o600


async def test_an_upgrade_keeps_the_listener(tmp_path: Path) -> None:
    with reserved_port() as keeper:
        port = keeper.getsockname()[1]
        async with World(tmp_path, rules(tmp_path, port)) as world:
            before = world.worker_pids()
            world.signal(signal.SIGUSR2)
            await world.until(lambda: world.worker_pids() != before, "new workers")
            code, out, _ = await console(f"john@127.0.0.1:{port}", "pid", password="secret")
            assert (code, out) == (0, f"{world.pid}\n")
            async with connected(world.state / "run") as caller:
                await caller.next()
                assert await caller.say("pid") == str(world.pid)


async def test_the_example_lets_its_users_in(tmp_path: Path) -> None:
    shown = (EXAMPLES / "ecelerity.conf").read_text("utf-8")
    (tmp_path / "state").mkdir()
    users = f"john:{REALM}:{stored('john', REALM, 'secret')}\n"
    (tmp_path / "state" / "console_passwd").write_text(users)
    groups = (EXAMPLES / "console_groups").read_text("utf-8")
    (tmp_path / "state" / "console_groups").write_text(groups)
    with reserved_port() as keeper:
        port = keeper.getsockname()[1]
        own = shown[shown.index("control_listener {") : shown.index("ec_logger")]
        own = own.replace(":2025", f":{port}").replace("/tmp/", f"{tmp_path}/")
        async with World(tmp_path, own):
            where = f"john@127.0.0.1:{port}"
            assert (await console(where, "authz id", password="secret"))[1] == (
                "User: john\nRoles: john, looking\n"
            )
            assert (await console(where, "config eval hostname", password="secret"))[0] == 0
            assert (await console(where, "config set hostname x", password="secret"))[0] == 1
            code, out, _ = await console(f"{tmp_path}/angarium-console", "authz id")
            if os.getuid() == 0:  # By the socket the system says so.
                assert (code, out) == (0, "User: root\nRoles: root, admin\n")
