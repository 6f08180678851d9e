"""Who a message is from: DKIM, DomainKeys, ARC, SPF. Signing what leaves, checking what comes."""
