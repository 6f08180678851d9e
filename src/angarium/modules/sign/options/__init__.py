"""The options of signing, by subject: `dkim` has signatures, `spf` who may send for a domain."""
