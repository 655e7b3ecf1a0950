"""A training that is run, watched, stopped and taken back, without a screen."""

BREAKS_PAGE = "Where the training stops"
"""The title of the page that lists them."""

MOVING = ("run", "pause", "toggle", "batch", "back", "go", "stop", "lr", "epochs", "restart")
"""The commands that change how the training is; they are not for one that is looked into."""
