"""Who is kept out: loops, hosts which talk too early, senders and recipients who are not there."""
