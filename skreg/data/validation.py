"""The validation set of early stopping: rows of the training data, or a set of its own."""

import copy
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import check_scoring
from sklearn.model_selection._split import _validate_shuffle_split
from sklearn.utils import _safe_indexing
from sklearn.utils.extmath import _approximate_mode

from skreg.data.scores import score_in_core


@dataclass
class Validation:
    """Data and rows for the core, and X and y as the user passed them, where a scorer needs them.

    `checked` holds X and y after the checks, with all rows of data.
    """

    data: Any
    rows: np.ndarray
    checked: tuple
    X: Any
    y: Any
    sample_weight: np.ndarray | None

    def weighted_rows(self, n):
        """At most n rows with a positive sample weight, from all over, and weights or None."""
        weight = self.sample_weight
        chosen = np.arange(len(self.rows)) if weight is None else np.flatnonzero(weight > 0)
        chosen = chosen[:: -(-len(chosen) // n)]
        return self.rows[chosen], None if weight is None else weight[chosen]

    def loss(self, network):
        """Mean loss without penalties, weighted by sample and class weights."""
        return network.evaluate(self.data, self.rows)

    def measure(self, estimator, targets, attributes):
        """A function from a trainer to the loss of its current weights, and what is watched.

        The latter, higher is better, is what `scoring` says: the negative loss, a score that the
        core tells, or that of a scorer, which gets a copy of the estimator with the attributes
        that predict as the network.
        """
        if estimator.scoring == "loss":
            return self._measure_loss
        in_core = score_in_core(estimator, targets)
        if in_core:
            y = targets.standardized(self.checked[1][self.rows])
            score = in_core(y, self.sample_weight)
            return lambda trainer: self._measure_in_core(trainer.network, score, targets.loss.link)
        return self._with_scorer(estimator, attributes)

    def _measure_loss(self, trainer):
        loss = self.loss(trainer.network)
        return loss, -loss

    def _measure_in_core(self, network, score, link):
        sums = np.empty(score.n_sums)
        weight = None if self.sample_weight is None else self.sample_weight.astype(np.float64)
        loss = network.evaluate_and_score(self.data, self.rows, score.spec, link, weight, sums)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found out
            return loss, score.of(sums)

    def _with_scorer(self, estimator, attributes):
        scorer = check_scoring(estimator, scoring=estimator.scoring)
        weighted = self.sample_weight is not None and _takes_sample_weight(scorer)
        options = {"sample_weight": self.sample_weight} if weighted else {}

        def measure(trainer):
            loss = self.loss(trainer.network)
            if not np.isfinite(loss):
                return loss, np.nan
            current = _unfitted(estimator)
            vars(current).update(attributes(trainer))
            with trainer.serial, np.errstate(over="ignore", invalid="ignore"):
                return loss, float(scorer(current, self.X, self.y, **options))

        return measure


def _unfitted(estimator):
    """A copy without what an earlier fit has left, but for what it knows of the features."""
    current = copy.copy(estimator)
    for name in list(vars(current)):
        if name.endswith("_") and not name.endswith("_in_"):
            delattr(current, name)
    return current


def _takes_sample_weight(scorer):
    function = getattr(scorer, "_score_func", scorer)  # the metric inside scikit-learn's scorers
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == "sample_weight" or p.kind == p.VAR_KEYWORD for p in parameters)


def split_rows(n_rows, fraction, strata, random_state):
    """Rows to train on and rows to validate on, drawn as scikit-learn's MLP draws them.

    The rows are those of `train_test_split`, which takes hundreds of bytes a row when it
    stratifies.

    Parameters
    ----------
    n_rows : int
    fraction : float
        Of the rows, to validate on.
    strata : ndarray of shape (n_rows,) or None
        Groups whose proportions both parts keep, such as a mask; few, as each is searched for.
    random_state : RandomState

    Returns
    -------
    train, val : ndarrays of int32
    """
    n_train, n_val = _validate_shuffle_split(n_rows, fraction, None)
    if strata is None:
        rows = random_state.permutation(n_rows).astype(np.int32)
        val, train = rows[:n_val].copy(), rows[n_val:]
    else:
        train, val = _stratified(strata, n_train, n_val, random_state)
    if len(val) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return train, val


def _stratified(strata, n_train, n_val, random_state):
    """The draws of scikit-learn's StratifiedShuffleSplit."""
    groups, counts = np.unique(strata, return_counts=True)
    _check_strata(groups, counts, n_train, n_val)
    train_counts = _approximate_mode(counts, n_train, random_state)
    val_counts = _approximate_mode(counts - train_counts, n_val, random_state)
    train, val = np.empty(n_train, np.int32), np.empty(n_val, np.int32)
    i = j = 0
    for group, n_i, n_j in zip(groups, train_counts, val_counts, strict=True):
        rows = np.flatnonzero(strata == group).astype(np.int32)
        rows = rows.take(random_state.permutation(len(rows)))
        train[i : i + n_i], val[j : j + n_j] = rows[:n_i], rows[n_i : n_i + n_j]
        i, j = i + n_i, j + n_j
    random_state.shuffle(train)
    random_state.shuffle(val)
    return train, val


def _check_strata(groups, counts, n_train, n_val):
    """The errors of scikit-learn's StratifiedShuffleSplit."""
    if counts.min() < 2:
        raise ValueError(
            "The least populated classes in y have only 1 member, which is too few. The minimum "
            "number of groups for any class cannot be less than 2. Classes with too few members "
            f"are: {groups[counts < 2].astype(str).tolist()}"
        )
    for n, part in ((n_train, "train"), (n_val, "test")):
        if n < len(groups):
            raise ValueError(
                f"The {part}_size = {n} should be greater or equal to the number of classes = "
                f"{len(groups)}"
            )


def check_total_weight(data, rows, part):
    """The weights of the rows, as the core sees them, must add up to something."""
    total = data.total_weight(rows)
    if not 0 < total < np.inf:
        raise ValueError(
            f"The weights of the {part} rows sum to {total:g}, from which nothing can be learned. "
            "Weights are sample_weight times class_weight, in the number type of X; they need a "
            "positive, finite sum."
        )


def take_rows(a, rows):
    """Rows of whatever the user passed: a frame stays a frame, a list becomes an array."""
    if sp.issparse(a):
        a = a.tocsr()
    return _safe_indexing(a if hasattr(a, "shape") else np.asarray(a), rows)
