"""SPF (RFC 7208): may this host send for that domain? With Sender ID (RFC 4406, 4407) beside it."""
