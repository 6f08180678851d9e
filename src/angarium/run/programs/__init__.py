"""What can be run: `cli` is the command `angarium`, each other module one of its subcommands."""
