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

_warned = set()  # messages with the line at which they were shown, in this process


def warn(message, category=UserWarning, *, once=False):
    """Warn at the first line outside of skreg, scikit-learn and joblib: that of the user.

    With `once` no line shows the same a second time in this process, as Python's default filter
    has it: each fit of a grid would, since scikit-learn gives it the filters anew. A process of a
    pool has no line of the user, and shows it once. Filters with 'always' or 'error' are obeyed.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame, level = frame.f_back, level + 1
    line = frame.f_code.co_filename, frame.f_lineno
    by_default = once and _is_by_default(message, category, frame)
    if by_default and (message, *line) in _warned:
        return
    if by_default:
        _warned.add((message, *line))
    warnings.warn(message, category, stacklevel=level)


def _is_by_default(message, category, frame):
    """Whether the filter for a warning wants to see it, but not again and again."""
    module = frame.f_globals.get("__name__", "")
    for action, text, kind, place, line in warnings.filters:
        if (
            (text is None or text.match(message))
            and issubclass(category, kind)
            and (place is None or place.match(module))
            and line in (0, frame.f_lineno)
        ):
            return action in ("default", "module", "once")
    return warnings.defaultaction in ("default", "module", "once")


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
