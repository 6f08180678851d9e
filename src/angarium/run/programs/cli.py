"""The command `angarium`: a name for each program, imported only when it is run.

Exit codes, of every subcommand: 0 done; 1 the configuration is faulty, or a check failed; 2 wrong
usage; 3 it could not start, or not connect (address or state directory in use, no such server).
"""

import importlib
from collections.abc import Mapping
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

PROGRAMS: Final = {
    "serve": "start the platform in the foreground",
    "ctl": "start, stop and restart the server in the background",
    "config": "check, show, explain and compare configurations",
    "policy": "check, test and try scripts of policy",
    "sink": "a scripted receiving server",
    "console": "ask a running server, and change what it does",
    "send": "inject one message, or a load",
    "upgrade": "replace what runs by the program on the disk",
    "show": "print the messages of a spool",
    "log": "search text logs",
    "rotate": "rename the text logs, compress the old ones",
    "sendmail": "take a message from a program of this machine",
    "passwd": "make or change a line of a password file",
    "credentials": "keep passwords for other servers, encrypted",
    "certificate": "make a key with a certificate, or a request for one",
    "audit": "prove that nothing was lost",
    "spool": "verify, repair, export and import the mail on the disk",
    "jlog": "read logs which are queues, and look after them",
    "top": "watch a running server: rates, queues, limits, errors",
    "alert": "try who is told when something is wrong",
    "verify": "check a message: SPF, DKIM, DomainKeys, ARC, DMARC",
    "sign": "sign a message: DKIM, ARC, DomainKeys",
    "dkim": "make, check and exchange keys of DKIM",
    "spf": "ask what a domain says about a host, by SPF",
    "dmarc": "show the policy of a domain, and reports of DMARC",
    "tlscheck": "see what a domain demands of TLS, and try its hosts",
    "doctor": "find what keeps this machine from sending mail well",
    "completion": "print what a shell needs to complete our commands",
}


class Named(click.Group):
    """Subcommands by name, each `command` in a module which is imported when it is run.

    Args:
        names: what there is, and what for.
        modules: what stands before the name of the module.
    """

    def __init__(self, *, names: Mapping[str, str], modules: str, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.names = names
        self.modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.names:
            return None
        command: click.Command = importlib.import_module(f"{self.modules}{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.names.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # That of click imports all of them, at each press of a key.
        names = self.names.items()
        found = [CompletionItem(name, help=about) for name, about in names]
        matching = [each for each in found if each.value.startswith(incomplete)]
        return matching + (click.Command.shell_complete(self, ctx, incomplete))


@click.group(
    cls=Named,
    names=PROGRAMS,
    modules="angarium.run.programs.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="angarium")
def main() -> None:
    """Angarium, an open email infrastructure platform."""


if __name__ == "__main__":
    main()
