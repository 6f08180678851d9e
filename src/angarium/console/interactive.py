"""The prompt of an interactive console: a line which can be edited, with history and completion.

It is imported when somebody sits there, and not before: prompt_toolkit takes a moment.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory

from angarium.console.completion import candidates

HISTORY: Final = "angarium/console_history"
HISTORY_MODE: Final = 0o600  # passwords are set by commands too
STATE: Final = ".local/state"  # of a user, where XDG_STATE_HOME says nothing


def history_file() -> Path | None:
    """Return the file of what was typed, made now for nobody else; None where none can be."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / STATE)
    path = Path(state) / HISTORY
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, HISTORY_MODE))
        path.chmod(HISTORY_MODE)
    except OSError:
        return None
    return path


def typed(
    prompt: Callable[[], str], commands: Iterable[str], history: Path | None = None
) -> Iterator[str]:
    """Yield what an operator types, until he has no more to say.

    Args:
        prompt: returns what stands before a line.
        commands: names of all commands of the server.
    """
    session = _session(list(commands), history)
    while True:
        try:
            yield session.prompt(prompt())
        except KeyboardInterrupt:
            continue  # That line is not meant.
        except EOFError:
            return


class Words(Completer):
    """Completes words of commands."""

    def __init__(self, commands: list[str]) -> None:
        self._commands = commands

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        begun, found = candidates(document.text_before_cursor, self._commands)
        for each in found:
            yield Completion(each, start_position=-len(begun))


def _session(commands: list[str], history: Path | None) -> PromptSession[str]:
    kept = InMemoryHistory() if history is None else FileHistory(str(history))
    return PromptSession(
        history=kept,
        completer=Words(commands),
        complete_while_typing=False,
        enable_history_search=True,
    )
