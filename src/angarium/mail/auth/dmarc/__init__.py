"""DMARC (RFC 7489, RFC 9091): does the author's domain stand behind a message, and if not, what?"""
