"""The modules by which nodes of a cluster talk; what a cluster is stands in `angarium.cluster`."""
