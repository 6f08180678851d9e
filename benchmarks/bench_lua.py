"""What a script of policy costs a message, without the server around it.

    python benchmarks/bench_lua.py [ROUNDS]

Goals: an empty callout 2 us, one with six calls of functions 10 us, what waits a task in all.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import Any, Final

from angarium.config.load import load_text
from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.events.metrics import Metrics
from angarium.inbound.counts import Counts
from angarium.modules.lua.bind import lua
from angarium.modules.lua.scriptlet import Scriptlet
from angarium.modules.means import Means
from angarium.net.loop import RealClock
from angarium.policy.context import Session
from angarium.policy.guard import Guard
from angarium.policy.hooks import Data, Hook
from angarium.policy.mail import Mail
from angarium.policy.shared.node import Shared
from angarium.policy.verdict import Verdict
from angarium.run.policing import prepared

SCRIPTS: Final = {
    "empty": "return msys.core.VALIDATE_CONT",
    "six calls": """
      local c = msys.core
      vctx:set(c.VCTX_CONN, "seen", "1")
      local from, to = msg:mailfrom(), msg:rcptto()
      msg:context_set(c.ECMESS_CTX_MESS, "from", from)
      if msg:context_get(c.ECMESS_CTX_MESS, "from") == to then vctx:set_code(550, "no") end
      if vctx:get(c.VCTX_CONN, "seen") == "" then return c.VALIDATE_DONE end
      return c.VALIDATE_CONT
    """,
    "a header field": 'msg:header("Subject") return msys.core.VALIDATE_CONT',
    "waits": "bench.wait() return msys.core.VALIDATE_CONT",
    "a loop of a million": "local n = 0 for i = 1, 1000000 do n = n + i % 7 end return 0",
}


@lua("bench.wait")
async def wait() -> None:
    """Give the loop its turn."""
    await asyncio.sleep(0)


def means(text: str) -> Means:
    nothing: Any = None
    clock = RealClock()
    shared = Shared(clock)
    shared.know()
    given: dict[str, Any] = dict.fromkeys(Means.__dataclass_fields__, nothing)
    given |= {
        "configuration": load_text(text), "loop": asyncio.get_running_loop(), "clock": clock,
        "random": Random(1), "metrics": Metrics(), "panic": print,
        "guard": Guard(print), "shared": shared,
        "counts": Counts(), "modules": {}, "tell": lambda level, line: None,
    }  # fmt: skip
    return Means(**given)


async def measured(body: str, rounds: int, options: str) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(
            f"local mod = {{}} function mod:validate_data(msg, ac, vctx) {body} end "
            "msys.registerModule('b', mod)"
        )
        file.flush()
        text = f'scriptlet "scriptlet" {{ {options} script "b" {{ source = "{file.name}" }} }}'
        policy = prepared(means(text)).policy
    chain = policy.chain(Data)
    assert chain is not None
    session = Session(peer=("192.0.2.1", 4711))
    message = Message("a@example.com", MemoryBody(b"Subject: x\r\n\r\n" + b"x" * 10_000))
    mail = Mail(message, [Recipient("b@example.org", "example.org")], session)
    event: Hook = Data(mail, session)
    began = perf_counter()
    for _ in range(rounds):
        answer = chain.ask(event)
        if not isinstance(answer, Verdict):
            await answer
    return (perf_counter() - began) / rounds * 1e6


def best(run: Callable[[], float]) -> float:
    return min(run() for _ in range(5))


def main(rounds: int) -> None:
    assert Scriptlet is not None
    for name, body in SCRIPTS.items():
        count = 3 if "million" in name else rounds
        for options in ("", "jit = true"):
            taken = best(lambda: asyncio.run(measured(body, count, options)))  # noqa: B023
            print(f"{name:24}{options or 'interpreted':14}{taken:10.2f} us")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
