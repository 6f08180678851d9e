"""TLS under the sessions: the layer, its handshakes, and the contexts they are made by."""
