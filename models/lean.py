"""Lean: import TensorFlow without the libraries that Keras tries only in case a caller uses them.

scikit-learn, matplotlib and pandas take a third of TensorFlow's import, and a worker that starts or comes back
after a crash waits for it. They are hidden during the import alone; who wants them afterwards gets them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

UNUSED: Final = ("sklearn", "matplotlib", "pandas")


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Make imports of ``names`` fail as if they were not installed; what is imported already stays."""
    modules: dict[str, Any] = sys.modules  # None in it means: do not look for this module
    absent = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


with hidden(*UNUSED):
    import keras
    import tensorflow as tf

__all__ = ["hidden", "keras", "tf"]
