"""Warnings that point at the line that called skreg, and texts used in several places."""

import sys
import warnings
from pathlib import Path

import sklearn

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed, or the learning rate is too large."
)

_LIBRARIES = (str(Path(__file__).parent), str(Path(sklearn.__file__).parent))


def warn(message, category=UserWarning):
    """Warn at the first frame outside of skreg and scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
