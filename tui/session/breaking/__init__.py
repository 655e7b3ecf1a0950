"""Where to stop: breakpoints, conditions, watches, and the language in which they are written."""

PAGE = "Breakpoints, conditions, watches"
"""The title of the page that lists them."""
