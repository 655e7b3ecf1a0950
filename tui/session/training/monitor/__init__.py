"""What happens to each parameter while a network is trained, and whether that is healthy."""
