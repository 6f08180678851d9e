"""Reports about our mail which come back by SMTP. There are options of it, and nothing else yet."""
