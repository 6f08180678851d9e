"""What scripts of Lua may call: one file for each name space."""
