"""What is in a message: viruses, spam, pictures, and what is added to it."""
