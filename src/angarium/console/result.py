"""What a command answers: a text for people, and the same as JSON.

A handler returns one of these; how it goes to whoever asked is not its concern.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol


class Result(Protocol):
    """The answer to a command."""

    def __str__(self) -> str:
        """Return it as the console prints it, without a line end at the end; "" prints nothing."""
        ...

    def plain(self) -> Any:
        """Return it as JSON has it: dictionaries, lists, texts and numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and what it says in fields."""

    text: str = ""
    fields: Any = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    def plain(self) -> Any:
        return self.fields
