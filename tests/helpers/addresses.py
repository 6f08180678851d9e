"""Loopback addresses of this process: who needs a certain port needs an address of his own for it.

Ports which are free are asked of the kernel (`world.reserved_port`). Some are written in an RFC,
443 for policies, or have to be low; several tests run at once, and several runs on one machine.
"""

import ipaddress
import os
from typing import Final

# Of 127.0.0.0/8, behind what tests write out; process ids have 22 bits.
_FIRST: Final = ipaddress.IPv4Address("127.64.0.0")


def own_address(process: int = 0) -> str:
    """Return an IPv4 address which no other process of tests binds.

    Args:
        process: its id; 0: ours.
    """
    return str(_FIRST + (process or os.getpid()))
