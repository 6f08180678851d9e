import pytest

from helpers.snippets import run


@pytest.mark.parametrize(
    ("call", "meaning"),
    [
        ("httpclnt.http_status_classifier(200)", "SUCCESS"),
        ("httpclnt.http_status_classifier(404)", "PERMFAILED"),
        ("httpclnt.http_status_classifier(503)", "PERMFAILED"),
        ("gcm.gcm_classify_error(0)", "SUCCESS"),
        ("gcm.gcm_classify_error(msys.gcm.GCM_UNAVAILABLE)", "TEMPFAILED"),
        ("gcm.gcm_classify_error(msys.gcm.GCM_INTERNAL_SERVER_ERROR)", "TEMPFAILED"),
        ("gcm.gcm_classify_error(msys.gcm.GCM_NOT_REGISTERED)", "PERMFAILED"),
        ("gcm.gcm_classify_error(99)", "PERMFAILED"),
        ("apn.apn_status_classifier(0)", "SUCCESS"),
        ("apn.apn_status_classifier(1)", "TEMPFAILED"),
        ("apn.apn_status_classifier(10)", "TEMPFAILED"),
        ("apn.apn_status_classifier(255)", "TEMPFAILED"),
        ('apn.apn_status_classifier("8")', "PERMFAILED"),
    ],
)
def test_a_status_is_a_success_or_a_failure(call: str, meaning: str) -> None:
    assert run(f"return msys.{call} == msys.delivery.DELIVERY_{meaning}") is True


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("NotRegistered", "NOT_REGISTERED"),
        ("notregistered", "NOT_REGISTERED"),
        ("InvalidTtl", "INVALID_TTL"),
        ("", "NO_ERROR"),
        ("Whatever", "UNKNOW"),
        ("Whatever", "UNKNOWN"),
    ],
)
def test_words_of_googles_service_have_codes(word: str, name: str) -> None:
    source = f'return msys.gcm.gcm_get_result_error_code("{word}") == msys.gcm.GCM_{name}'
    assert run(source) is True


def test_numbers_are_those_of_the_modules_they_come_from() -> None:
    source = """
        local d, h, g = msys.delivery, msys.httpclnt, msys.gcm
        return d.DELIVERY_CONTINUE, d.DELIVERY_DONE, d.DELIVERY_PERMFAILED, h.HTTP_INTERNAL_DONE,
          h.HTTP_INTERNAL_FAIL, g.GCM_INVALID_PACKAGE_NAME
    """
    assert run(source) == [0, 1, 4, 1, -1, 10]
