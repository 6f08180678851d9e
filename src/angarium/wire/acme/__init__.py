"""ACME: how an authority is asked for a certificate (RFC 8555), without input and output."""
