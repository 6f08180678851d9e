"""SASLprep (RFC 4013): names and passwords which look the same are the same."""

import stringprep
import unicodedata

from angarium.wire.sasl.errors import MalformedError

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepared(original: str) -> str:
    """Return the text as it is compared. Raises MalformedError: it may not be.

    >>> prepared("I\\u00adX")
    'IX'
    """
    if original.isascii() and original.isprintable():
        return original
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each
        for each in original
        if not stringprep.in_table_b1(each)
    )
    found = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(forbidden(each) for each in found for forbidden in _PROHIBITED):
        raise MalformedError("a character that may not be in a name or a password")
    # RFC 3454 section 6: what is written from right to left is so from end to end.
    if any(map(stringprep.in_table_d1, found)) and (
        any(map(stringprep.in_table_d2, found))
        or not (stringprep.in_table_d1(found[0]) and stringprep.in_table_d1(found[-1]))
    ):
        raise MalformedError("writing from right to left and from left to right")
    return found
