"""Where octets are kept: in the spool, files read through wrappers, mailboxes, programs."""
