"""Configurations of other servers, read and written again as ecelerity.conf.

First `draft` (what is made, and what was left out), then one module for each server. They are pure:
what they read is handed in.
"""
