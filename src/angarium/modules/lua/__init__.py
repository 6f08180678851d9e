"""Policy in Lua."""
