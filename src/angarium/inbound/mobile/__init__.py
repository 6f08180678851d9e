"""Mail for and from telephones. There are options of it; what obeys them does not exist yet."""
