"""Authentication of mail: DKIM, SPF, DMARC, ARC. Pure; DNS comes in as a function."""
