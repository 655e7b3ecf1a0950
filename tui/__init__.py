"""The program bp-tui: command line, debugging session, screens."""

__version__ = "0.1.0"
