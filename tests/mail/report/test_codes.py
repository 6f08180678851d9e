"""The tables hold what the reference says (reference/bounce_codes.json, brought in as names)."""

from angarium.mail.report.codes import CLASSES, STAGES

NAMES = {
    1: "Undetermined",
    10: "Invalid Recipient",
    20: "Soft Bounce",
    21: "DNS Failure",
    22: "Mailbox Full",
    23: "Too Large",
    24: "Timeout",
    25: "Admin Failure",
    30: "Generic Bounce: No RCPT",
    40: "Generic Bounce",
    50: "Mail Block",
    51: "Spam Block",
    52: "Spam Content",
    53: "Prohibited Attachment",
    54: "Relaying Denied",
    60: "Auto-Reply",
    70: "Transient Failure",
    80: "Subscribe",
    90: "Unsubscribe",
    100: "Challenge-Response",
}


def test_every_class_has_its_number_and_name() -> None:
    assert {code: each.name for code, each in CLASSES.items()} == NAMES
    assert {each.category for each in CLASSES.values()} == {
        "Undetermined",
        "Hard",
        "Soft",
        "Admin",
        "Block",
    }


def test_stages_are_numbered_as_in_the_logs() -> None:
    assert (len(STAGES), STAGES[0], STAGES[5], STAGES[9], STAGES[21]) == (
        23,
        "while not connected",
        "after RCPT TO",
        "reading confirmation",
        "out of band bounce",
    )


def test_scripts_know_the_classes_by_symbols() -> None:
    assert CLASSES[1].symbol == "BC_UNDETERMINED"
    assert CLASSES[24].symbol == "BC_SOFT_TIMEOUT"
    assert CLASSES[80].symbol == "BC_SUBSCRIBE"
    assert CLASSES[20].symbol == "BC_SOFT_BOUNCE"
    assert CLASSES[30].symbol == "BC_GENERIC_BOUNCE_NO_RCPT"
    assert len({each.symbol for each in CLASSES.values()}) == len(CLASSES)
