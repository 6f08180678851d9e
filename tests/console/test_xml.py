"""XML is made of the plain data of an answer, whatever is in it."""

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.console.xml import xml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("plain", "inside"),
    [
        ({"pid": 12}, "<pid>12</pid>"),
        ({"on": True, "why": None}, '<on>true</on>|<why nil="true"/>'),
        ({"worker 0": 1}, '<item name="worker 0">1</item>'),
        ([{"a": "<&>"}, []], "<item>|  <a>&lt;&amp;&gt;</a>|</item>|<item/>"),
    ],
)
def test_each_kind_of_value_has_its_element(plain: Any, inside: str) -> None:
    lines = "".join(f"  {each}\n" for each in inside.split("|"))
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<answer command="a &lt; b">\n'
    assert xml("a  < b", plain) == f"{head}{lines}</answer>\n"


@given(st.text(), PLAIN)
def test_whatever_is_in_it_can_be_read(command: str, plain: Any) -> None:
    root = ElementTree.fromstring(xml(command, plain).encode("utf-8", "replace"))
    assert root.tag == "answer"
    if isinstance(plain, dict | list):
        assert len(root) == len(plain)
