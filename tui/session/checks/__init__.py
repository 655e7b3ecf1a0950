"""What is checked at every step without being asked for."""
