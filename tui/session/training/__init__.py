"""A training that is run, watched, stopped and taken back, without a screen."""

BREAKS_PAGE = "Where the training stops"
"""The title of the page that lists them."""
