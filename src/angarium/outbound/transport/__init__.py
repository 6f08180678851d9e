"""Ways to send besides plain SMTP. There are options of them; the ways do not exist yet."""
