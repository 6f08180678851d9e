"""The supervisor of a new version, in the place of the old one (`run/replace`).

python -m angarium.run.resume HANDOVER        started by a supervisor, by nobody else

What the program before us knew comes with the handover; files, lock and privileges are as it left
them. It looked whether we can do this before it gave us its place (`run/rehearsal`).
"""

import asyncio
import faulthandler
import os
import sys

import setproctitle

from angarium.net.loop import RealClock
from angarium.run import log
from angarium.run.hose import panics_of
from angarium.run.options import Node
from angarium.run.plan import Plan
from angarium.run.programs.serve import announce
from angarium.run.replace import inherit
from angarium.run.sockets import Sockets
from angarium.run.supervisor import Supervisor


def main(descriptor: int) -> None:
    faulthandler.enable(2)
    setproctitle.setproctitle("angarium: supervisor")
    given = inherit(descriptor)
    plan = Plan.resumed(given)
    sockets = Sockets()
    sockets.resume((where for where, _ in plan.endpoints), given.listening)
    clock = RealClock()
    panics = panics_of(plan.configuration, plan.state, clock)
    logger = log.setup("supervisor", panics, "START", plan.configuration.top(Node))
    supervisor = Supervisor(plan, sockets, clock, logger, panics, lock=given.lock, given=given)
    asyncio.run(supervisor.run(lambda: announce(plan, sockets)))
    os.close(given.lock)


if __name__ == "__main__":
    main(int(sys.argv[1]))
