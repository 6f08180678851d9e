"""The organisational domain of a name (RFC 7489 section 3.2), by the Public Suffix List.

The list is that of the package `publicsuffixlist`, 4 MB and 80 ms, so it is loaded once, when
somebody asks first. Both of its parts count, as the RFC has it.
"""

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=10_000)
def organisation(domain: str) -> str:
    """Return the organisational domain, in lower case; of a public suffix that is itself."""
    name = domain.lower().removesuffix(".")
    return _suffixes().privatesuffix(name) or name


def aligned(author: str, other: str, *, strict: bool) -> bool:
    """Say whether two domains are the same, or of one organisation (section 3.1)."""
    author, other = author.lower().removesuffix("."), other.lower().removesuffix(".")
    if author == other:
        return bool(author)
    return not strict and bool(other) and organisation(author) == organisation(other)
