"""What replies, failures and complaints mean, and who is told."""
