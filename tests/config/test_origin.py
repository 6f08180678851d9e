"""Where settings stand: the last one counts, whatever files and stanzas it came through."""

from angarium.config.check import Checked
from angarium.config.grammar import File
from angarium.config.load import declarations
from angarium.config.section import Section
from angarium.config.tree import Snapshot, read

declarations()


def checked(**files: str) -> Checked:
    octets = {f"/etc/{name}": text.encode() for name, text in files.items()}
    return Checked(read("/etc/main", Snapshot("/etc/main", (), octets, {}), ()))


def spot(where: tuple[File, int] | None) -> tuple[str, int] | None:
    """Return file and line."""
    return where and (where[0].path.removeprefix("/etc/"), where[0].place(where[1])[0])


def domain(found: Checked, name: str = "x.com") -> Section:
    section = found.root.get("domain", name)
    assert section is not None
    return section


def test_what_is_set_last_has_the_place() -> None:
    found = checked(
        main='domain x.com {\n max_retries = 1\n include "a"\n}\ndomain x.com { max_retries = 3 }',
        a="max_retries = 2\nretry_interval = 5",
    )
    section = domain(found)
    assert spot(found.place(section)) == ("main", 1)
    assert spot(found.place(section, "max_retries")) == ("main", 5)
    assert spot(found.place(section, "retry_interval")) == ("a", 2)
    assert found.place(section, "message_expiration") is None


def test_an_include_before_a_setting_does_not_win() -> None:
    found = checked(main='domain x.com {\n include "a"\n max_retries = 1\n}', a="max_retries = 2")
    assert spot(found.place(domain(found), "max_retries")) == ("main", 3)


def test_a_file_included_twice_is_part_of_both() -> None:
    found = checked(
        main='domain x.com { include "a" }\ndomain y.com { include "a" }', a="\nmax_retries = 2"
    )
    for name in ("x.com", "y.com"):
        assert spot(found.place(domain(found, name), "max_retries")) == ("a", 2)


def test_the_file_itself_has_places_and_no_beginning() -> None:
    found = checked(main='\nmax_retries = 1\ninclude "a"\n', a="max_retries = 2")
    assert spot(found.place(found.root, "max_retries")) == ("a", 1)
    assert found.place(found.root) is None


def test_twice_in_one_file_is_told_with_the_line_before() -> None:
    found = checked(
        main="max_retries = 1\nmax_retries = 2\ndomain x.com {\n max_retries = 3\n}\n"
        'domain x.com {\n max_retries = 4\n include "a"\n}\n',
        a="max_retries = 5",
    )
    told = [(each.line, each.message) for each in found.faults]
    assert told == [
        (2, "max_retries is set here again, after line 1"),
        (7, "max_retries is set here again, after line 4"),
    ]


def test_sections_with_an_option_are_found_by_it() -> None:
    found = checked(main="max_retries = 1\ndomain x.com { max_retries = 2 }\ndomain y.com { }")
    assert [each.path for each in found.sections_with("max_retries")] == ["", "domain x.com"]
    assert not found.sections_with("retry_interval")
    assert len(found.sections_with("")) == 2
