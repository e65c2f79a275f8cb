"""Scores in the core: accuracy and R2 from the pass that measures the validation loss.

So a training needs no scorer of scikit-learn once an epoch, and no copy of the validation rows.
"""

import numpy as np


class Accuracy:
    """The weighted share of rows whose class, or all of whose labels, are predicted.

    Parameters
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The validation rows' targets.
    weight : ndarray of shape (n_rows,) or None
    """

    spec = "accuracy", {}

    def __init__(self, y, weight):
        self.n_sums = 1
        self._total = len(y) if weight is None else float(np.sum(weight))

    def of(self, sums):
        return float(sums[0]) / self._total


class R2:
    """1 - sum (y - prediction)^2 / sum (y - mean)^2, averaged over the targets.

    As in scikit-learn it is 1 or 0 for a target that does not vary.
    """

    spec = "squared_errors", {}

    def __init__(self, y, weight):
        self.n_sums = y.shape[1]
        self._spread = np.average((y - np.average(y, axis=0, weights=weight)) ** 2, 0, weight)
        self._total = len(y) if weight is None else float(np.sum(weight))

    def of(self, sums):
        varies = self._spread > 0
        ratio = np.divide(sums / self._total, self._spread, out=(sums > 0) * 1.0, where=varies)
        return float(np.mean(1 - ratio))


SCORES = {"accuracy": Accuracy, "r2": R2}  # by what scikit-learn calls them


def score_in_core(estimator, targets):
    """One of SCORES, if `scoring` means that and no subclass has its own idea of it, else None."""
    name = targets.score if estimator.scoring is None else estimator.scoring
    methods = ("predict", "score") if estimator.scoring is None else ("predict",)
    if name != targets.score or not all(_is_ours(estimator, method) for method in methods):
        return None
    return SCORES.get(name)


def _is_ours(estimator, method):
    function = getattr(estimator, method)
    function = getattr(function, "__func__", function)
    return function.__module__.partition(".")[0] in ("skreg", "sklearn")
