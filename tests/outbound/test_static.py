"""Items of the option routes."""

import pytest

from angarium.outbound.static import Step, steps


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("my.local.smart.host", Step("my.local.smart.host")),
        ("192.0.2.1", Step("192.0.2.1")),
        ("192.0.2.1:2525", Step("192.0.2.1", port=2525)),
        ("[2001:db8::1]:26", Step("2001:db8::1", port=26)),
        ("__mx__", Step("__mx__", by_mx=True)),
        ("smtp://1.2.3.4?pref=10&ttl=300&type=mx", Step("1.2.3.4", 10, 0, True, 300.0)),
        ("smtp://[2001:db8::1]?port=26&type=a", Step("2001:db8::1", port=26)),
        ("lmtp://box.example/", Step("box.example")),
    ],
)
def test_every_form_of_a_route(text: str, step: Step) -> None:
    assert steps([text]) == [step]


def test_items_are_tried_in_their_order_unless_they_say_otherwise() -> None:
    made = steps(["a", "smtp://b?pref=0", "c"])
    assert [(step.name, step.order) for step in made] == [("a", 0), ("b", 0), ("c", 2)]


@pytest.mark.parametrize("text", ["", "a b", "smtp://", "smtp://a?pref=x", "smtp://a?port=-1"])
def test_what_is_no_route_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"route|number"):
        steps([text])
