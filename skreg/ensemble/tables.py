"""Tables: for each candidate and fold the rows to learn from, made once where they are the same."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils.validation import _check_y

from skreg.common import warn
from skreg.data.rows import TrainingRows, check_arrays, check_weights
from skreg.data.targets import flat, prepared
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
        known = Front, Exception
        self.fronts = [c if isinstance(c, known) else Front(clone(c)) for c in candidates]
        self.passed = X, y, check_weights(sample_weight, X)
        self.splits = [tuple(np.asarray(part, np.int32) for part in split) for split in splits]
        self._going = set(range(len(candidates)))
        self._y = None  # all of it, checked
        self._targets, self._encoded = {}, {}
        self._failed = {}  # errors by setting and fold
        self._arrays = {}  # by setting and fold, see `_prepared`
        self._tables = {}  # the same with the targets of one candidate

    def passed_to(self, c):
        """The X that a candidate gets."""
        return self.fronts[c].own_X(self.passed[0])

    def plan(self, c):
        """What the parameters of a candidate's network mean, once they are valid."""
        if isinstance(self.fronts[c], Exception):
            raise self.fronts[c]
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
        if where in self._failed:
            raise self._failed[where]
        if where not in self._arrays:
            network = self.fronts[c].network
            try:
                rows, fitted = self.fronts[c].rows(*self.passed, *self.splits[k])
                numeric = network._y_numeric
                arrays = check_arrays(network, rows.X, rows.y, numeric=numeric, reset=True)
            except Exception as error:  # which is not to be made again by each candidate
                self._failed[where] = error
                raise
            features = {n: v for n, v in vars(network).items() if n.endswith("_in_")}
            self._arrays[where] = rows, arrays, fitted, features
        return self._arrays[where]

    def _targets_of(self, plan, c):
        """What y means to a candidate: all y, so that each fold knows all classes."""
        if c not in self._targets:
            if self._y is None:
                numeric = plan.estimator._y_numeric
                y = prepared(self.passed[1], numeric=numeric)
                self._y = flat(_check_y(y, True, numeric, plan.estimator))
            targets = plan.estimator._targets(self._y, None, partial=False)
            plan.weigh(targets, self._checked(targets, None, self._y))
            self._targets[c] = targets
        return self._targets[c]

    def _checked(self, targets, where, y):
        """y as a loss encodes it, the same for all candidates with this loss."""
        key = where, targets.loss.name
        if key not in self._encoded:
            self._encoded[key] = targets.check(y)
        return self._encoded[key]

    def whole(self, plan, c, k):
        """The rows with the targets and weights of a candidate; the arrays serve for all."""
        where = self._where(c, k)
        if (c, where) not in self._tables:
            rows, (X, y), _, features = self._prepared(c, k)
            vars(plan.estimator).update(features)
            plan.check_type(X.dtype)
            targets = self._targets_of(plan, c)
            table = TrainingRows(
                (rows.X, rows.y), X, self._checked(targets, where, y), rows.weight, targets
            )
            self._tables[c, where] = table
        return self._tables[c, where]

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
        self._going.discard(c)
        used = {self.fronts[other].key for other in self._going}
        self._tables = {where: v for where, v in self._tables.items() if where[0] != c}
        for kept in (self._arrays, self._failed):
            for where in [where for where in kept if where[0] not in used]:
                del kept[where]

    def nbytes(self):
        """Of all X that is here, once where it is shared."""
        arrays = {id(X): X for _, (X, _), *_ in self._arrays.values()}
        parts = [X.data if sp.issparse(X) else X for X in arrays.values()]
        return sum(part.nbytes for part in parts)
