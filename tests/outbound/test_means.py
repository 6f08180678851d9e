"""What connections of a line are made with: the options of its place, of this generation."""

import pytest

from angarium.net.options.tlspolicy import Dane, MtaSts
from angarium.outbound.demands import UNWANTED, Wanted
from helpers.sending import Configuration, Sending


def test_means_are_of_the_place_of_the_line() -> None:
    sending = Sending(transport={"connect_timeout": 7.0})
    line = sending.queues.put("a.test")
    means = sending.pool.means(line)
    assert (means.line, means.options.connect_timeout) == (line, 7.0)
    assert means.wanted is UNWANTED


@pytest.mark.effect("mta_sts_dns_cname_max_depth")
def test_demands_are_heard_where_an_option_says_so() -> None:
    sending = Sending()
    configuration = sending.queues.configuration
    assert isinstance(configuration, Configuration)
    configuration.dane = Dane.make(use_dane=True)
    configuration.sts = MtaSts.make(use_mta_sts=True, mta_sts_dns_cname_max_depth=3)
    means = sending.pool.means(sending.queues.put("a.test"))
    assert means.wanted == Wanted(dane=True, sts=True, depth=3)
