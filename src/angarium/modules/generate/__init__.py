"""What is made here: messages of templates, links which are followed, HTTP, events for others."""
