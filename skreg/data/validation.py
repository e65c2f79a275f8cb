"""The validation set of early stopping: rows of the training data, or a set of its own."""

import copy
import inspect
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import check_scoring
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
                try:
                    return loss, float(scorer(current, self.X, self.y, **options))
                except (AttributeError, TypeError, ValueError) as error:
                    error.add_note(
                        f"Raised by scoring={estimator.scoring!r} on the validation rows of early "
                        "stopping. Use a scorer for such targets, or scoring='loss'."
                    )
                    raise

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


def split_rows(n_rows, fraction, random_state, *, labels=None, names=None):
    """Rows to train on and rows to validate on, stratified by labels where these allow it.

    Without labels the rows are those of scikit-learn's `train_test_split`; with them too, where no
    label is alone and each can be in both parts. What is alone trains. (`train_test_split` itself
    takes hundreds of bytes a row when it stratifies.)

    Parameters
    ----------
    n_rows : int
    fraction : float
        Of the rows, to validate on.
    random_state : RandomState
    labels : ndarray of shape (n_rows,), optional
        Integers from 0 on.
    names : sequence of str, optional
        Of labels that must be in both parts, as scikit-learn's MLP wants it.

    Returns
    -------
    train, val : ndarrays of int32
    """
    n_val = math.ceil(fraction * n_rows)
    n_train = n_rows - n_val
    if n_val < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset: validation_fraction={fraction} of n_samples={n_rows} are {n_val}, and at "
            "least 2 rows are needed. Or pass X_val and y_val."
        )
    if n_train < 1:
        raise ValueError(
            f"validation_fraction={fraction} leaves none of the {n_rows} rows to train on. "
            "Decrease 'validation_fraction', or pass X_val and y_val."
        )
    if labels is None:
        rows = random_state.permutation(n_rows).astype(np.int32)
        return rows[n_val:], rows[:n_val].copy()
    counts = np.bincount(labels)
    if names is not None:
        _check_both_parts(counts, names, n_train, n_val, fraction)
    alone = np.flatnonzero(counts[labels] == 1).astype(np.int32)
    rows = np.argsort(labels, kind="stable").astype(np.int32)  # group after group
    rows, counts = rows[counts[labels[rows]] > 1], counts[counts > 1]
    n_train -= len(alone)
    if len(counts) == 0 or min(n_val, n_train) < len(counts):
        return _one_of_each_trains(labels, np.sort(rows), alone, n_val, random_state)
    train, val = _stratified(rows, counts, n_train, n_val, random_state)
    return np.concatenate([train, alone]), val


def _one_of_each_trains(labels, rows, alone, n_val, random_state):
    """At random, where there are too many labels for the validation rows."""
    rows = random_state.permutation(rows)
    first = np.unique(labels[rows], return_index=True)[1]
    others = np.delete(rows, first)
    if len(others) < n_val:  # nor are there rows for all labels to train on
        rows = random_state.permutation(np.concatenate([rows, alone]))
        return rows[n_val:].astype(np.int32), rows[:n_val].astype(np.int32)
    train = np.concatenate([rows[first], others[n_val:], alone])
    return train.astype(np.int32), others[:n_val].astype(np.int32)


def _stratified(rows, counts, n_train, n_val, random_state):
    """The draws of scikit-learn's StratifiedShuffleSplit, from rows that lie group after group."""
    train_counts = _approximate_mode(counts, n_train, random_state)
    val_counts = _approximate_mode(counts - train_counts, n_val, random_state)
    train, val = np.empty(n_train, np.int32), np.empty(n_val, np.int32)
    i = j = begin = 0
    for count, n_i, n_j in zip(counts, train_counts, val_counts, strict=True):
        group = rows[begin : begin + count].take(random_state.permutation(count))
        train[i : i + n_i], val[j : j + n_j] = group[:n_i], group[n_i : n_i + n_j]
        i, j, begin = i + n_i, j + n_j, begin + count
    random_state.shuffle(train)
    random_state.shuffle(val)
    return train, val


def _check_both_parts(counts, names, n_train, n_val, fraction):
    """Errors where scikit-learn's MLP cannot have every class in both parts."""
    few = [str(name) for name, count in zip(names, counts, strict=True) if count < 2]
    found = f"there is only one row of {few}" if few else ""
    if not few and min(n_train, n_val) < len(counts):
        found = f"validation_fraction={fraction} gives {n_train} and {n_val} rows"
    if found:
        raise ValueError(
            f"With scoring=None the validation rows are drawn as scikit-learn's MLP draws them, "
            f"with each of the classes {[str(name) for name in names]} in both parts, but {found}. "
            "Use another scoring, such as 'loss', or pass X_val and y_val."
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
