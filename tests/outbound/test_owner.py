"""Who owns connections."""

from angarium.outbound.outlet import Outlet
from angarium.outbound.owner import Owner


def test_an_outlet_is_one() -> None:
    needed = {name for name in vars(Owner) if not name.startswith("_")}
    assert needed
    assert needed <= set(dir(Outlet))
