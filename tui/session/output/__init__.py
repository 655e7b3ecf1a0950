"""What is copied and saved of a session."""
