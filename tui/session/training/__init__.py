"""A training that is run, watched, stopped and taken back, without a screen."""
