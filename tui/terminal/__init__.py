"""What is sent to the terminal: the cells that differ from what it shows, and never more at a time
than it takes."""
