"""Failures of sockets which are this machine's, not the peer's.

    AddressError
     +-- NotLocalError     suspends the binding with an alarm, fails no mail
     +-- NoRouteError      skips the address family
     +-- ShortageError     waits: descriptors, ports or memory are used up
     +-- ProxyError        waits, with an alarm: what our connections go through is out of order

What the peer or the network does (refused, reset, unreachable) is an OSError, as it comes.
"""

from angarium.core.errors import Error


class AddressError(Error):
    """A connection could not be tried."""


class NotLocalError(AddressError):
    """The source address is not on this machine."""


class NoRouteError(AddressError):
    """This machine, or the source address, has no way to addresses of that family."""


class ShortageError(AddressError):
    """The system has no descriptor, port or memory left for another connection."""


class ProxyError(AddressError):
    """The proxy through which connections go cannot be reached, or does not do its part."""
