"""One element of a contribution, worked through by hand."""

from tui.session.worked.element import WorkedElements

__all__ = ["WorkedElements"]
