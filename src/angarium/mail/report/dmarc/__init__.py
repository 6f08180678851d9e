"""Reports of DMARC: what was seen of a domain in a day, and single failures (RFC 7489, 6591)."""
