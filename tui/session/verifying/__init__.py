"""Backward functions against central differences, in the words of a page."""
