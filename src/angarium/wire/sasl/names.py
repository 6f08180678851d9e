"""The names of the mechanisms, the best one first: as they are offered, and as a client chooses."""

from typing import Final

EXTERNAL: Final = "EXTERNAL"
SCRAM_PLUS: Final = "SCRAM-SHA-256-PLUS"
SCRAM: Final = "SCRAM-SHA-256"
OAUTHBEARER: Final = "OAUTHBEARER"
XOAUTH2: Final = "XOAUTH2"
DIGEST_MD5: Final = "DIGEST-MD5"
CRAM_MD5: Final = "CRAM-MD5"
PLAIN: Final = "PLAIN"
LOGIN: Final = "LOGIN"

ALL: Final = (
    EXTERNAL, SCRAM_PLUS, SCRAM, OAUTHBEARER, XOAUTH2, DIGEST_MD5, CRAM_MD5, PLAIN, LOGIN,
)  # fmt: skip
TOKENS: Final = frozenset({XOAUTH2, OAUTHBEARER})
# Those which send the password, or what is as good as it: only over TLS.
CLEAR: Final = frozenset({PLAIN, LOGIN}) | TOKENS
