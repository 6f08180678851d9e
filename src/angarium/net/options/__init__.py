"""The options of net, by subject: what sockets, names and TLS are told by the configuration."""
