"""The debugging session: everything that can be said about a backward pass without a screen."""
