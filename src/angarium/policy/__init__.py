"""Where policy is asked and what it may answer. There are options of it; nothing is asked yet."""
