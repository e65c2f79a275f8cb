"""Tables: for each candidate and fold the rows to learn from, made once where they are the same."""

import numpy as np
from sklearn.base import clone

from skreg.common import warn
from skreg.data.rows import TrainingRows, check_arrays, check_weights
from skreg.ensemble.fronts import Front
from skreg.regularization.plan import Plan


class Tables:
    """Rows by (candidate, fold).

    Parameters
    ----------
    candidates, X, y, sample_weight, splits :
        See `Folds`.
    """

    def __init__(self, candidates, X, y, sample_weight, splits):
        self.fronts = [c if isinstance(c, Front) else Front(clone(c)) for c in candidates]
        self.passed = X, y, check_weights(sample_weight, X)
        self.splits = [tuple(np.asarray(part, np.int32) for part in split) for split in splits]
        self._arrays = {}  # by setting and fold, see `_prepared`
        self._tables = {}  # the same with the targets of one candidate

    def passed_to(self, c):
        """The X that a candidate gets."""
        return self.fronts[c].own_X(self.passed[0])

    def plan(self, c):
        """What the parameters of a candidate's network mean, once they are valid."""
        network = self.fronts[c].network
        network._validate_params()
        plan = Plan(network)
        for message in plan.without_effect():
            warn(message, once=True)
        return plan

    def _where(self, c, k):
        """The setting, and the fold, for which rows are made; equal ones share them."""
        return self.fronts[c].key, None if self.fronts[c].once else k

    def _prepared(self, c, k):
        """Rows, the same as arrays, what has made them, and what is known of their features."""
        where = self._where(c, k)
        if where not in self._arrays:
            network = self.fronts[c].network
            rows, fitted = self.fronts[c].rows(*self.passed, *self.splits[k])
            numeric = network._y_numeric
            arrays = check_arrays(network, rows.X, rows.y, numeric=numeric, reset=True)
            features = {n: v for n, v in vars(network).items() if n.endswith("_in_")}
            self._arrays[where] = rows, arrays, fitted, features
        return self._arrays[where]

    def whole(self, plan, c, k):
        """The rows with the targets and weights of a candidate; the arrays serve for all."""
        where = c, *self._where(c, k)
        if where not in self._tables:
            rows, (X, y), _, features = self._prepared(c, k)
            vars(plan.estimator).update(features)
            plan.check_type(X.dtype)
            targets = plan.estimator._targets(y, None, partial=False)
            encoded = targets.check(y)
            plan.weigh(targets, encoded)
            self._tables[where] = TrainingRows((rows.X, rows.y), X, encoded, rows.weight, targets)
        return self._tables[where]

    def divided(self, plan, c, k):
        """Those of a fold, some to train and some to validate on."""
        rows, *_ = self._prepared(c, k)
        parts = self.splits[k] if self.fronts[c].once else (rows.train, rows.held_out)
        return self.whole(plan, c, k).divided(plan.estimator, *parts)

    def features(self, c, k):
        """Attributes by which a network knows the columns of X."""
        return self._prepared(c, k)[-1]

    def wrap(self, c, k, network):
        """The whole estimator, fitted, with this network of a fold inside."""
        *_, fitted, _ = self._prepared(c, k)
        return self.fronts[c].wrap(network, fitted)

    def release(self, c):
        """A candidate needs its targets no more."""
        for where in [where for where in self._tables if where[0] == c]:
            del self._tables[where]
