"""What a domain demands of the TLS by which it is sent mail: MTA-STS and DANE.

Read `demand` first: what comes out. `sts` and `dane` are the grammars and the checks, pure.
"""
