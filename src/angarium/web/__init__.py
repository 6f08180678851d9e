"""HTTP for people and programs: how the server is, and what scripts answer."""
