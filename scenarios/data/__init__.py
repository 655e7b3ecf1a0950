"""MNIST from every source: embedded, the cache, IDX files, torchvision.

    from scenarios.data import mnist

    (images, labels), (test_images, test_labels) = mnist()

`choose` sets the source, as --data and --data-dir do; `in_use` tells which one it was; `fetch`
gets the full set with progress. What goes wrong is a `DataError` of one line with the mend.
"""

from .choice import SOURCES, Choice, choose, fetch, in_use, mnist
from .digits import MEAN, STD
from .errors import DataError
from .usage import InUse

__all__ = [
    "MEAN",
    "SOURCES",
    "STD",
    "Choice",
    "DataError",
    "InUse",
    "choose",
    "fetch",
    "in_use",
    "mnist",
]
