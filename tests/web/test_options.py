"""What may stand in the options of the web."""

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.web.options import Tracing


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4318/v1/traces",
        "https://collector.example/x",
        "http://[::1]:4318/v1/traces",
    ],
)
def test_a_collector_is_named_by_its_url(url: str) -> None:
    assert load_text(f'trace_endpoint = "{url}"').top(Tracing).trace_endpoint == url


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:4318", "ftp://a.example/", "http://", "http://a.example:0/", "http://a:99999/",
        "http://[::1/", "unix:/run/x",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="no URL"):
        load_text(f'trace_endpoint = "{url}"')


def test_a_password_in_it_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigError, match="not sent a password") as told:
        load_text('trace_endpoint = "http://me:secret@a.example/"')
    assert "an agent on this machine" in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("sample", ["1.5", "-0.1", "half"])
def test_a_part_is_between_0_and_1(sample: str) -> None:
    with pytest.raises(ConfigError):
        load_text(f"trace_sample = {sample}")
