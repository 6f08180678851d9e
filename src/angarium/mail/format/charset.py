"""Charsets, as messages name them, to text and back.

Only what is on the list is looked up: a message names its charset, and Python's register has
codecs which unpack, is slow with some names, and remembers each unknown one for ever.
"""

import encodings.aliases
import functools
import re
from collections.abc import Mapping
from typing import Final

_CODECS: Final = frozenset(
    "ascii big5 big5hkscs cp037 cp1006 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255"
    " cp1256 cp1257 cp1258 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857"
    " cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950"
    " euc_jis_2004 euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hp_roman8 hz iso2022_jp"
    " iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859_1"
    " iso8859_10 iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 iso8859_2 iso8859_3"
    " iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 johab koi8_r koi8_t koi8_u"
    " kz1048 latin_1 mac_croatian mac_cyrillic mac_greek mac_iceland mac_latin2 mac_roman"
    " mac_turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis_620 utf_16 utf_16_be"
    " utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig".split()
)
# Seen in mail and not known to Python by that name.
_ALSO: Final = {
    "ansi_x3_110_1983": "latin_1",
    "cp_850": "cp850",
    "cp936": "gbk",
    "dos_874": "cp874",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_8_i": "iso8859_8",
    "koi8_ru": "koi8_u",
    "macintosh": "mac_roman",
    "unicode_1_1_utf_7": "utf_7",
    "unicode_1_1_utf_8": "utf_8",
    "utf8mb4": "utf_8",
    "x_cp1252": "cp1252",
    "x_euc_jp": "euc_jp",
    "x_gbk": "gbk",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_mac_roman": "mac_roman",
    "x_sjis": "shift_jis",
    "x_utf_8": "utf_8",
}
# What is named so is often more: those who wrote it had the larger one (WHATWG Encoding, 4.2).
_READ_AS: Final[Mapping[str, str]] = {
    "ascii": "utf_8",
    "cp949": "cp949",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "latin_1": "cp1252",
    "shift_jis": "cp932",
    "tis_620": "cp874",
}
_OTHER: Final = re.compile(r"[^0-9a-z]+")


def _known() -> Mapping[str, str]:
    names = {each: each for each in _CODECS} | {each.replace("_", ""): each for each in _CODECS}
    for alias, codec in encodings.aliases.aliases.items():
        if codec in _CODECS:
            names[alias] = codec
    return names | _ALSO


_KNOWN: Final = _known()


@functools.lru_cache(maxsize=128)
def codec_of(charset: str) -> str | None:
    """Return Python's name of a charset, None if it is none we know."""
    name = charset.strip().lower()
    return _KNOWN.get(name) or _KNOWN.get(_OTHER.sub("_", name).strip("_"))


def decoded(octets: bytes, charset: str = "") -> str:
    """Return octets as text; what is no text in that charset becomes U+FFFD.

    An unknown charset, or none, is read as UTF-8.
    """
    codec = codec_of(charset) or "utf_8"
    codec = _READ_AS.get(codec, codec)
    if codec != "cp1252":
        return octets.decode(codec, "replace")
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        # Five octets of it are undefined; they are the controls of ISO 8859-1.
        return octets.decode(codec, "surrogateescape").translate(_CONTROLS)


_CONTROLS: Final[Mapping[int, int]] = {
    0xDC00 + each: each for each in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def encoded(text: str, charset: str = "") -> bytes | None:
    """Return text in a charset, or None if that has no such characters or is not known.

    Nor is there a way to write what would be read as something else.
    """
    codec = codec_of(charset or "utf-8")
    if codec is None:
        return None
    try:
        octets = text.encode(codec)
    except UnicodeEncodeError:
        return None
    return octets if decoded(octets, charset) == text else None


def utf8(text: str) -> bytes:
    """Return text as UTF-8; surrogates which stand for octets become these again.

    Any other surrogate stands for nothing and becomes a question mark.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        known = "".join(each if not _NOTHING.match(each) else "?" for each in text)
        return known.encode("utf-8", "surrogateescape")


_NOTHING: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
