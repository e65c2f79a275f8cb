"""What all wings use: warnings at the user's line, their texts, and fits that leave no trace."""

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import joblib
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

_LIBRARIES = (
    str(Path(__file__).parent),
    *(str(Path(m.__file__).parent) for m in (sklearn, joblib)),
)

_told = set()  # messages of `warn` with the line that they were told at, in this process


def warn(message, category=UserWarning, *, once=False):
    """Warn at the first line outside of skreg, scikit-learn and joblib: that of the user.

    With `once` a line is told the same no second time in this process: the fits of a grid each
    would, since scikit-learn gives each the filters anew. A process of a pool has no such line, and
    is told once.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame, level = frame.f_back, level + 1
    told = message, frame.f_code.co_filename, frame.f_lineno
    if once and told in _told:
        return
    warnings.warn(message, category, stacklevel=level)
    if once:  # and it was no error
        _told.add(told)


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
