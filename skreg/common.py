"""What all wings use: warnings at the user's line, their texts, and fits that leave no trace."""

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import sklearn

_OVERFLOW = (
    "The input data may contain large values and need to be preprocessed, or the learning rate is "
    "too large. Scale X and y, or lower learning_rate_init."
)
NON_FINITE = f"Solver produced non-finite parameter weights. {_OVERFLOW}"
NON_FINITE_OUTPUTS = (
    "Solver produced parameter weights that are finite, but with which the loss or the outputs of "
    f"the training rows are not. {_OVERFLOW}"
)
NON_FINITE_VALIDATION = (
    "Solver produced parameter weights that are finite, but with which the loss of the validation "
    f"rows is not. {_OVERFLOW}"
)

_LIBRARIES = (str(Path(__file__).parent), str(Path(sklearn.__file__).parent))


def warn(message, category=UserWarning):
    """Warn at the first frame outside of skreg and scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def all_or_nothing(estimator):
    """A fit that fails leaves the estimator as it was.

    Nothing that the old attributes hold may be changed in place meanwhile.
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
