"""The options of scanners: `antivirus` looks for viruses, `content` for what else is unwanted."""
