"""Kinds of datasources, one file each; `data/uri` knows which, `data/driver` what they bring."""
