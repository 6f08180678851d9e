"""The options of what is made of replies, complaints and reports, by subject."""
