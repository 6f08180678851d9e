"""Where mail goes: aliases, routes, what DNS says of a host, when a queue rests, other channels."""
