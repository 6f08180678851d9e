"""The options of routing: `routes` says where, `adaptive` how fast, `mobile` what is no mail."""
