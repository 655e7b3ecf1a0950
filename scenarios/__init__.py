"""The scenarios that come with bp-tui: files that a user can open, read, copy and change."""
