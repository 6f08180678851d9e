"""The hosts which the links of a text lead to, as whoever clicks them gets there.

    hosts('<a href="http&#58;//www.example.com/">', html=True)    ["www.example.com"]
    base_of("www.example.co.uk")                                  "example.co.uk"

Senders of spam hide hosts: behind references of HTML, percent signs, a user before an @, or the
number of an address. What a browser makes of these is made of them here, and nothing else: no
script is run and no redirection followed.
"""

import html as markup
import ipaddress
import re
from typing import Final
from urllib.parse import unquote

# With a scheme, or as programs recognize links without one.
_LINK: Final = re.compile(
    r"(?:\b(?:https?|ftp):[/\\]{2}|\b(?=www\.))([^\s/\\?#<>\"'()\[\],;]{1,500})",
    re.IGNORECASE,
)
# In HTML a link may leave the scheme of its page.
_BARE: Final = re.compile(
    r"(?:href|src|action|background)\s{0,9}=\s{0,9}[\"']?\s{0,9}//([^\s/?#<>\"']{1,500})",
    re.IGNORECASE,
)
_HOST: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
# Where people have their names below one of these, below a country: example.co.uk.
_SECOND: Final = frozenset(
    "ac co com edu go gob gov govt gouv gv ltd me mil ne net nom or org plc sch web".split()
)


def hosts(text: str, *, html: bool = False) -> list[str]:
    """Return the hosts of a text's links, names in lower case and addresses, each one once."""
    if html:
        text = markup.unescape(text)
    found = [match[1] for match in _LINK.finditer(text)]
    if html:
        found += [match[1] for match in _BARE.finditer(text)]
    return list(dict.fromkeys(name for each in found if (name := host_of(each))))


def host_of(authority: str) -> str:
    """Return the host of what stands between // and / in a link; "" if it is none."""
    name = unquote(authority).rpartition("@")[2].strip().lower()
    name = name.partition(":")[0].rstrip(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    if re.fullmatch(r"[0-9.]+|0x[0-9a-f]{1,8}", name):
        return _number(name)
    return name if len(name) < 254 and _HOST.fullmatch(name) else ""


def _number(text: str) -> str:
    """Return the address which digits mean; browsers take it whole, too."""
    try:
        if "." in text:
            return str(ipaddress.IPv4Address(text))
        return str(ipaddress.IPv4Address(int(text, 16 if text.startswith("0x") else 10)))
    except ValueError:
        return ""


def base_of(name: str) -> str:
    """Return the domain that somebody has registered, of a name below it.

    That is two labels, and three below a country which has the usual second ones. No list of all
    registries is asked: lists of domains in DNS go by the same rule of thumb.
    """
    labels = name.rstrip(".").split(".")
    country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND
    return ".".join(labels[-3 if country else -2 :])
