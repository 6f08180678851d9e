"""ACME over HTTPS, and what it leaves on the disk: accounts, challenges, certificates."""
