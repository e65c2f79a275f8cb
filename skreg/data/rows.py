"""TrainingRows: what was passed to fit, checked, and on its way to the core.

X goes one way: checked (`check_arrays`), with targets and weights (`TrainingRows`), divided into
rows to train and to validate on, and as the core's view (`data`), by reference. Nothing of it knows
the estimator.
"""

import copy
import dataclasses

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _check_sample_weight, validate_data

from skreg.data.columns import ColumnMoments, large_columns, warn_if_far_apart
from skreg.data.epochs import RowEpochs, VariantEpochs
from skreg.data.scores import score_in_core
from skreg.data.targets import flat, prepared
from skreg.data.validation import Validation, check_total_weight, split_rows, take_rows
from skreg.network.core import make_data

STRINGS = (
    "X must hold numbers. Encode text and categories first: "
    "make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown='ignore'), "
    "make_column_selector(dtype_exclude='number')), remainder=StandardScaler()), network)."
)


def check_arrays(estimator, X, y, *, numeric, reset, dtype=(np.float64, np.float32)):
    """X and y as arrays; what the estimator knows of features is set, or checked."""
    options = {"accept_sparse": ["csr", "csc"], "order": "C", "multi_output": True, "dtype": dtype}
    y = prepared(y, numeric=numeric)
    try:
        with np.errstate(all="ignore"):  # of a cast to float32, whose infinity is refused by name
            X, y = validate_data(estimator, X, y, y_numeric=numeric, reset=reset, **options)
    except ValueError as error:
        if "could not convert string" not in str(error) or not hasattr(X, "shape"):
            raise
        raise ValueError(f"{error}. {STRINGS}") from error
    return X, flat(y)


def check_weights(sample_weight, X):
    """Weights >= 0, one a row, or None."""
    if sample_weight is None:
        return None
    sample_weight = _check_sample_weight(sample_weight, X)
    if (sample_weight < 0).any():
        raise ValueError(
            "sample_weight holds negative numbers, with which the loss has no minimum. "
            "Use weights >= 0."
        )
    if not sample_weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return sample_weight


def check_given(X_val, y_val, sample_weight_val, *, solver, early_stopping):
    """Whether an explicit validation set is given; errors as in HistGradientBoosting."""
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val is provided, but X_val and y_val were not.")
        return False
    if y_val is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if X_val is None:
        raise ValueError("y_val is provided, but X_val was not provided.")
    if solver == "lbfgs":
        raise ValueError(
            "X_val and y_val are passed to fit, but solver='lbfgs' has no use for a validation "
            "set. Use solver='adam' or 'sgd' with early_stopping=True, or leave them out."
        )
    if not early_stopping:
        raise ValueError(
            "X_val and y_val are passed to fit while at the same time early_stopping is False. "
            "When passing X_val and y_val to fit, early_stopping should be set to True."
        )
    return True


class TrainingRows:
    """Rows of a fit with their targets and weights.

    Parameters
    ----------
    passed : tuple
        X and y as the user passed them, for scorers.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    y : ndarray
        As `targets.check` returns it.
    sample_weight : ndarray of shape (n_rows,) or None
    targets : object of targets.py
        With its class weights, which multiply the sample weights.
    """

    def __init__(self, passed, X, y, sample_weight, targets):
        self.passed, self.X, self.y, self.targets = passed, X, y, targets
        self.sample_weight = sample_weight
        self.weight = _product(sample_weight, targets.weights(y))
        self.train = np.arange(X.shape[0], dtype=np.int32)
        self.validation = None
        self._data = None

    @property
    def data(self):
        """The core's view of all rows."""
        if self._data is None:
            self._data = self.view(self.X)
        return self._data

    def view(self, X, rows=slice(None)):
        """The core's view of X in the place of the given rows."""
        weight = None if self.weight is None else self.weight[rows]
        return make_data(X, **self.targets.encode(self.y[rows]), weight=weight)

    def hold_out(self, estimator, fraction, random_state):
        """These rows, a share of them set aside to validate on."""
        options = self.targets.strata(self.y, as_scikit_learn=estimator.scoring is None)
        parts = split_rows(len(self.train), fraction, random_state, **options)
        return self.divided(estimator, *parts)

    def divided(self, estimator, train, held_out):
        """These rows, some to train and some to validate on; X and its view are shared.

        With copies of the latter as they were passed, if the estimator's scoring needs them.
        """
        train, held_out = np.asarray(train, np.int32), np.asarray(held_out, np.int32)
        check_total_weight(self.data, held_out, "validation")
        weight = None if self.sample_weight is None else self.sample_weight[held_out]
        copies = estimator.scoring != "loss" and not score_in_core(estimator, self.targets)
        X, y = (take_rows(a, held_out) if copies else None for a in self.passed)
        divided = copy.copy(self)
        divided.train = train
        divided.validation = Validation(self.data, held_out, (self.X, self.y), X, y, weight)
        return divided

    def validate_on(self, estimator, X, y, sample_weight):
        """Take a validation set of its own."""
        try:
            numeric = self.targets.numeric
            X_val, y_val = check_arrays(
                estimator, X, y, numeric=numeric, reset=False, dtype=self.X.dtype
            )
            if X_val.shape[0] < 2:
                raise ValueError("it has only one row. Pass at least two.")
            y_val = self.targets.check_validation(y_val)
            sample_weight = check_weights(sample_weight, X_val)
            rows = TrainingRows((X, y), X_val, y_val, sample_weight, self.targets)
            check_total_weight(rows.data, rows.train, "validation")
        except ValueError as error:
            raise ValueError(f"The validation set X_val, y_val is not valid: {error}") from error
        warn_if_far_apart(self.X, X_val, "X_val")
        if self.targets.numeric:
            warn_if_far_apart(self.y, y_val, "y_val")
        checked = X_val, y_val
        self.validation = Validation(rows.data, rows.train, checked, X, y, sample_weight)

    def with_units(self):
        """These rows, with y in the units that its training rows have taught the targets."""
        if not self.targets.wants_units:
            return self
        weight = None if self.weight is None else self.weight[self.train]
        rows = copy.copy(self)
        rows.targets, rows._data = self.targets.with_units(self.y[self.train], weight), None
        given = self.validation
        if given is not None:
            own = copy.copy(rows)
            if given.data is not self.data:  # a set of its own
                (own.X, own.y), own.weight = given.checked, given.sample_weight
            rows.validation = dataclasses.replace(given, data=own.data)
        return rows

    def check(self, data=None):
        """Errors for rows from which nothing can be learned; in another type than that of X."""
        check_total_weight(self.data if data is None else data, self.train, "training")

    def epochs(self, network, augmentation, n_made):
        """Passes over the training rows, or over variants of them, after so many epochs."""
        if augmentation is None:
            return RowEpochs(network, self)
        return VariantEpochs(network, self, augmentation, n_made)

    def columns(self, before):
        """Moments of features and targets over the training rows, on top of earlier ones."""
        features = ColumnMoments(before.get("features"))
        targets = ColumnMoments(before.get("targets"))
        features.add(self.X, self.train, self.weight)
        if self.targets.numeric:
            targets.add(self.targets.standardized(self.y), self.train, self.weight)
        return features, targets

    def n_large_columns(self):
        """Columns of X whose mean or deviation is above 100: a network hardly learns from them."""
        return large_columns(self.X)

    def some_targets(self, n):
        """y and weights, or None, of at most n training rows with a weight, from all over."""
        train = self.train
        if self.weight is not None:
            train = train[self.weight[train] > 0]
        chosen = train[:: -(-len(train) // n)]
        return self.y[chosen], None if self.weight is None else self.weight[chosen]

    def norm(self):
        """An upper bound of the size of all features: the root of the sum of their squares."""
        values = (self.X.data if sp.issparse(self.X) else self.X).ravel()
        return float(np.sqrt(np.vdot(values, values)))

    def weighted(self):
        """X without the rows that have no weight, itself where all have some."""
        return self.X if self.weight is None or self.weight.all() else self.X[self.weight > 0]


def _product(sample_weight, class_weight):
    if sample_weight is None or class_weight is None:
        return class_weight if sample_weight is None else sample_weight
    with np.errstate(over="ignore"):  # the core's view refuses what is infinite
        return sample_weight * class_weight
