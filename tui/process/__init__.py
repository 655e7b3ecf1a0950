"""Two processes: the screen's, and the one in which the scenario lives."""
