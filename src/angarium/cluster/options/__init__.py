"""The options of a cluster: its nodes, their addresses, what they count together, their logs."""
