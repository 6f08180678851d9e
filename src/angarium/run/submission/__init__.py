"""Mail from programs of this machine, as sendmail takes it: `run/programs/sendmail`."""
