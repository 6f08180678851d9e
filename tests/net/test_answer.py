"""Reading a response: CNAMEs, and what is kept for how long."""

from angarium.net.answer import MAX_RECORDS, Answer, Mx, MxAnswer, Status, read
from angarium.wire import dns as wire
from angarium.wire.dns import Record, Response, Soa


def response(*answers: Record, rcode: int = 0, authority: tuple[Record, ...] = ()) -> Response:
    return Response(1, 0x8180, rcode, None, list(answers), list(authority))


def a(name: str, ttl: int = 300, value: str = "192.0.2.1") -> Record:
    return Record(name, wire.A, ttl, value)


def cname(name: str, target: str, ttl: int = 300) -> Record:
    return Record(name, wire.CNAME, ttl, target)


SOA = Record("test", wire.SOA, 900, Soa("ns.test", "h.test", 1, 2, 3, 4, 60))


def test_records_of_another_name_are_not_the_answer() -> None:
    found = read(response(a("evil.test")), "good.test", wire.A)
    assert (found.status, found.values) == (Status.NODATA, [])


def test_the_least_ttl_on_the_way_holds() -> None:
    found = read(response(cname("a.test", "b.test", 10), a("b.test", 300)), "a.test", wire.A)
    assert (found.name, found.ttl, found.aliases) == ("b.test", 10, 1)


def test_the_order_of_records_does_not_matter() -> None:
    found = read(response(a("b.test"), cname("a.test", "b.test")), "a.test", wire.A)
    assert found.values == ["192.0.2.1"]


def test_an_alias_whose_target_is_not_told_is_asked_for() -> None:
    found = read(response(cname("a.test", "b.test")), "a.test", wire.A)
    assert (found.open, found.name) == (True, "b.test")


def test_an_alias_whose_target_has_none_is_not() -> None:
    told = response(cname("a.test", "b.test"), authority=(SOA,))
    assert not read(told, "a.test", wire.A).open


def test_nothing_is_kept_as_the_soa_says() -> None:
    assert read(response(authority=(SOA,)), "a.test", wire.A).ttl == 60
    brief = SOA._replace(ttl=7)
    assert read(response(rcode=3, authority=(brief,)), "a.test", wire.A).ttl == 7
    assert read(response(rcode=3), "a.test", wire.A).ttl is None


def test_a_loop_of_aliases_ends() -> None:
    loop = response(cname("a.test", "b.test"), cname("b.test", "a.test"))
    assert read(loop, "a.test", wire.A).status is Status.SERVFAIL


def test_an_answer_without_end_is_cut() -> None:
    many = response(*(a("a.test", value=str(n)) for n in range(MAX_RECORDS + 9)))
    assert len(read(many, "a.test", wire.A).values) == MAX_RECORDS


def test_only_a_lone_root_is_a_null_mx() -> None:
    assert MxAnswer(Status.NOERROR, (Mx(0, "."),)).null
    assert not MxAnswer(Status.NOERROR, (Mx(0, "."), Mx(5, "mx.test"))).null
    assert not MxAnswer(Status.NXDOMAIN).null


def test_a_ttl_is_never_negative() -> None:
    assert Answer(Status.NODATA, expires=5.0).ttl(7.0) == 0.0
