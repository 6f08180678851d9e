"""Zones for code which asks by `mail/auth/asking`: in memory, from the words of the SPF suite.

    zone = Records({"example.com": [("TXT", b"v=spf1 a -all"), ("A", "192.0.2.1")],
                    "slow.example": [("TIMEOUT", "")]})
    await zone("example.com", "TXT")            (b"v=spf1 a -all",)

A record TIMEOUT stands for all types which the name has no records of. Aliases (CNAME) are
followed; a loop of them is trouble. What was asked stands in `asked`.
"""

from collections.abc import Mapping, Sequence

from angarium.mail.auth.asking import NameTrouble, NoSuchName, Record

Entry = tuple[str, Record]


class Records:
    """An `Ask`, and what it was asked."""

    def __init__(self, names: Mapping[str, Sequence[Entry]]) -> None:
        self.names = {name.lower(): list(entries) for name, entries in names.items()}
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, name: str, kind: str, /) -> tuple[Record, ...]:
        self.asked.append((name, kind))
        seen: set[str] = set()
        end = name.lower().removesuffix(".")
        while end not in seen:
            seen.add(end)
            if end not in self.names:
                raise NoSuchName("there is no such name", name=end)
            found = tuple(value for each, value in self.names[end] if each == kind)
            if found:
                return found
            alias = [value for each, value in self.names[end] if each == "CNAME"]
            if not alias:
                break
            end = str(alias[0]).lower().removesuffix(".")
        else:
            raise NameTrouble("the aliases go round", name=name)
        if any(each == "TIMEOUT" for each, _ in self.names[end]):
            raise NameTrouble("nobody answers", name=name)
        return ()
