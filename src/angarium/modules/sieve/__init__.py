"""Policy in Sieve."""
