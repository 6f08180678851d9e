"""DNS of the worker, as the engines of authentication ask it (`mail/auth/asking`).

ask = Asked(means.resolver)
texts = await ask("example.com", "TXT")
"""

from angarium.mail.auth.asking import NameTrouble, NoSuchName, Record
from angarium.net.answer import Status
from angarium.net.dnscache import Resolver
from angarium.wire.dns import TYPES


class Asked:
    """An `Ask` over the resolver of a worker, with its cache."""

    __slots__ = ("_resolver",)

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def __call__(self, name: str, kind: str, /) -> tuple[Record, ...]:
        # A backslash escapes in names of the wire; here it is a character like others.
        if "\\" in name:
            name = name.replace("\\", "\\\\")
        if kind == "MX":
            found = await self._resolver.mx(name)
            records: tuple[Record, ...] = tuple(
                [(each.preference, each.host) for each in found.records]
            )
            status = found.status
        else:
            answer = await self._resolver.lookup(name, TYPES[kind])
            records = tuple([each for each in answer.records if isinstance(each, str | bytes)])
            status = answer.status
        if status is Status.NXDOMAIN:
            raise NoSuchName("there is no such name", name=name)
        if status not in (Status.NOERROR, Status.NODATA):
            raise NameTrouble(status.value, name=name)
        return records
