"""The rows of the rail: lanes, folded calls, and finding one's way in them."""
