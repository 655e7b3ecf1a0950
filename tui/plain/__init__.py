"""The program line by line, without a screen: for screen readers, TERM=dumb, pipes and scripts."""
