"""inbound_audit: how many connections, messages and refusals there were, by address, over time.

For each of its monitors it keeps three series (`policy/shared/series`), which scripts and the
console ask; it also lets sessions at once be counted by address, and keeps series in files.
"""

from collections.abc import Sequence
from functools import partial

from angarium.modules.guard.keeping import Keeping
from angarium.modules.guard.options import InboundAudit as Options
from angarium.modules.means import Means
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import KINDS, name_of
from angarium.policy.shared.presence import SMTP
from angarium.policy.shared.series import ADDRESS, Series


class InboundAudit:
    """The module; `inbound/counts` tells it of each connection, message and refusal."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        self._counts = means.counts
        self._shared = shared = means.shared
        self._enabled = options.enabled
        made: dict[str, list[Series]] = {kind: [] for kind in KINDS}
        for kind, each in made.items():
            for windows in options.monitors:
                # So many before that of now: "300,6" is half an hour back, and what is under way.
                name = name_of(kind, str(windows))
                each.append(shared.define_series(name, ADDRESS, windows.seconds, windows.count + 1))
        self._connections, self._receptions, self._rejections = made.values()
        self._keeping = Keeping(
            shared,
            means.state / options.log_dir,
            means.state / options.serialize_dir,
            options.maintenance_interval,
            partial(means.tell, "ERROR"),
        )

    def start(self) -> None:
        if self._enabled:
            self._shared.define_presence(SMTP)
            self._counts.watch = self
        self._keeping.start()

    def stop(self) -> None:
        if self._counts.watch is self:
            self._counts.watch = None
        self._keeping.stop()

    def connected(self, address: str) -> None:
        _add(self._connections, address)

    def received(self, address: str) -> None:
        _add(self._receptions, address)

    def rejected(self, address: str) -> None:
        _add(self._rejections, address)


def _add(several: Sequence[Series], address: str) -> None:
    if several:
        key = packed(address)
        for each in several:
            each.add(key)
