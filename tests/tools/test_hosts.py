from hosts import HOSTS, named


def test_a_registry_is_found_with_its_line() -> None:
    assert list(named(f"one\nhttps://{HOSTS[0]}/x")) == [(2, HOSTS[0])]


def test_an_index_line_is_found_whatever_its_host() -> None:
    assert [line for line, _ in named("a\n\n--index-" + "url https:" + "//x.test/y")] == [3]


def test_other_addresses_are_not_taken_for_registries() -> None:
    assert list(named("http://www.apache.org/licenses/LICENSE-2.0")) == []
