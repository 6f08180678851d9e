"""A service log which is not printed: what was said can be looked at."""

from typing import Any


class Quiet:
    """Keeps the texts of its lines, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, text: str, **_fields: Any) -> None:
        self.said.append(text)

    warning = error = info
