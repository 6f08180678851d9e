"""Who watches the server, is called by it, or gives it orders at set times."""
