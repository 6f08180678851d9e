"""The options of adaptive delivery: what it may change, and what makes it act."""
