"""Statements, and how values are bound to their placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.data.errors import StatementError
from angarium.data.statement import bound, dollars, identity, sql


@pytest.mark.parametrize("dialect", ["sqlite", "pgsql", "mysql"])
@pytest.mark.parametrize(
    ("text", "names", "joined"),
    [
        ("SELECT ? + ?", (1, 2), "SELECT @ + @"),
        ("SELECT :a, :b_1 , :a", ("a", "b_1", "a"), "SELECT @, @ , @"),
        ("SELECT ':a ?', x FROM t -- :b ?\nWHERE y = ?", (1,),
         "SELECT ':a ?', x FROM t -- :b ?\nWHERE y = @"),
        ("SELECT 'it''s ?' /* ? \n :b */ , :c", ("c",), "SELECT 'it''s ?' /* ? \n :b */ , @"),
        ("SELECT a ?? b", (), "SELECT a ? b"),
        ("SELECT 5:5", (), "SELECT 5:5"),
        ("SELECT 1", (), "SELECT 1"),
    ],
)  # fmt: skip
def test_placeholders_are_found_where_they_are_some(
    dialect: str, text: str, names: tuple[object, ...], joined: str
) -> None:
    template = sql(text, dialect)
    assert template.names == names
    assert template.joined(["@"] * len(names)) == joined


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("pgsql", "SELECT x::int, $$ ? :a $$, $q$ ? $$ :a $q$, E'\\' ?', \":a\""),
        ("mysql", "SELECT `:a ?`, \"\\\" ?\", '\\' :a' # ? :b"),
        ("sqlite", 'SELECT `:a ?`, ":b"'),
    ],
)
def test_each_dialect_has_places_of_its_own_where_there_are_none(dialect: str, text: str) -> None:
    assert sql(text, dialect).names == ()
    assert sql(text, dialect).joined([]) == text


def test_kinds_are_not_mixed() -> None:
    with pytest.raises(StatementError, match="both"):
        sql("SELECT ?, :a", "sqlite")


def test_values_come_by_place_or_by_name() -> None:
    by_place, by_name = sql("SELECT ?, ?", "sqlite"), sql("SELECT :b, :a, :b", "sqlite")
    assert bound(by_place, [1, None]) == (1, None)
    assert bound(by_place, {1: "x", 2: b"y"}) == ("x", b"y")
    assert bound(by_name, {"a": 1, "b": 2, "c": 3}) == (2, 1, 2)
    assert bound(dollars("(mail=$m)"), {"m": "x"}) == ("x",)


def test_what_does_not_fit_is_said() -> None:
    by_place, by_name = sql("SELECT ?, ?", "sqlite"), sql("SELECT :a", "sqlite")
    with pytest.raises(StatementError, match=r"wrong number.*asked=2 given=1"):
        bound(by_place, [1])
    with pytest.raises(StatementError, match=r"wrong number.*asked=0 given=1"):
        bound(sql("SELECT 1", "sqlite"), [1])
    with pytest.raises(StatementError, match=r"missing.*'a'"):
        bound(by_name, {"b": 1})
    with pytest.raises(StatementError, match=r"missing.*2"):
        bound(by_place, {1: 1})
    with pytest.raises(StatementError, match="have none"):
        bound(by_name, [1])
    with pytest.raises(StatementError, match="cannot be a parameter"):
        bound(by_place, [1, [2]])
    with pytest.raises(StatementError, match="not one text"):
        bound(by_place, "ab")


def test_values_which_a_database_tells_apart_have_different_keys() -> None:
    keys = {identity([each]) for each in (1, 1.0, True, "1", b"1", None)}
    assert len(keys) == 6


@given(st.text(alphabet="'\"`?:a-/*#$\\\n eE[]"), st.sampled_from(["sqlite", "pgsql", "mysql"]))
def test_nothing_but_placeholders_is_taken_out_of_a_text(text: str, dialect: str) -> None:
    try:
        template = sql(text, dialect)
    except StatementError:
        return
    marks = ["?" if isinstance(name, int) else f":{name}" for name in template.names]
    assert template.joined(marks).replace("??", "?") == text.replace("??", "?")
