import pytest

from angarium.core.errors import Error
from angarium.core.registry import Registry


def test_a_name_is_declared_once_and_both_places_are_named() -> None:
    registry: Registry[int] = Registry("option")
    registry.add("retry_interval", 1)
    with pytest.raises(Error, match=r"option declared twice.*test_registry\.py"):
        registry.add("retry_interval", 2)
    assert dict(registry) == {"retry_interval": 1}
    assert registry.place("retry_interval").file.endswith("test_registry.py")
