"""The modules of ecelerity.conf: each a thin adapter from hooks to what lies below."""
