"""Targets: what y means. Labels for a classifier, numbers for a regressor.

Both check y, bring it into the form that a loss encodes for the core, and name what the fitted
estimator keeps of it.
"""

import copy

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import type_of_target, unique_labels

from skreg.common import warn
from skreg.data.columns import ColumnMoments
from skreg.network.losses import BinaryLogLoss, SoftmaxLogLoss, regression_loss
from skreg.network.noise import NOISE_DRAWS, NOISE_ROWS, noise_deviation


def flat(y):
    """A column as a vector, with scikit-learn's warning."""
    if y.ndim != 2 or y.shape[1] != 1:
        return y
    warn(
        "A column-vector y was passed when a 1d array was expected. Change y to (n_samples,), for "
        "example with y.ravel().",
        DataConversionWarning,
    )
    return y.ravel()


def prepared(y, *, numeric):
    """y without what is missing, which scikit-learn finds among numbers alone; of a regressor
    numbers.
    """
    _check_missing(y)
    values = np.asarray(y) if numeric and y is not None and not sp.issparse(y) else None
    if values is None or values.dtype.kind not in "OUSmM":
        return y
    try:
        if values.dtype.kind in "mM":
            raise TypeError("dates")
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        first = values.ravel()[:1].tolist()[0]
        raise ValueError(
            f"The targets of a regressor must be numbers, but y holds {first!r} in its first row. "
            "MLPClassifier is for labels; text and dates must be made numbers first."
        ) from error


def _check_missing(y):
    if hasattr(y, "isna"):
        missing = np.asarray(y.isna()).reshape(len(y), -1).any(axis=1)
    elif isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype == object):
        missing = np.array([value is None for value in y])
    else:
        return
    if missing.any():
        raise ValueError(
            f"y has {missing.sum()} missing values, the first one in row {missing.argmax()}. Leave "
            "these rows out, or give missing labels one of their own. (Input y contains NaN.)"
        )


ROUNDING = 1e-12  # a deviation of this share of the mean is one of rounding


class Targets:
    """What both have; the defaults are those of targets that are not standardized."""

    numeric = False
    units = None  # center and scale of y, of shape (2, n_targets)
    unit = 1.0  # of the loss in that of y
    wants_units = False  # whether `with_units` is to be asked

    def encode(self, y):
        """The core's targets."""
        return self.loss.encode(self.standardized(y))

    def standardized(self, y):
        """y as the network learns it."""
        return y if self.units is None else (y - self.units[0]) / self.units[1]

    def restored(self, coefs, intercepts):
        """Weights and biases that predict y itself: its units are folded into the last layer."""
        if self.units is None:
            return coefs, intercepts
        center, scale = self.units
        last = coefs[-1] * scale, intercepts[-1] * scale + center
        return [*coefs[:-1], last[0]], [*intercepts[:-1], last[1]]

    def spread(self, y):
        """Standard deviations of a y that the squared loss meets as it is, else None."""

    def vary(self, y):
        """Whether they are more than one number, but for rounding."""
        return True


class Labels(Targets):
    """Classes, or several labels that may hold at once.

    Parameters
    ----------
    estimator : MLPClassifier
    classes : ndarray of shape (n_classes,)
    n_outputs : int
    link : str
        Of a fit that is continued, else what `of` finds.
    """

    def __init__(self, estimator, classes, n_outputs, link):
        self.classes, self.link = classes, link
        self.multilabel = n_outputs > 1 and link == "logistic"
        self.loss = (SoftmaxLogLoss if link == "softmax" else BinaryLogLoss)(estimator, n_outputs)
        self.class_weights = None  # one a class

    @classmethod
    def of(cls, estimator, classes, y):
        """For a first fit, from its labels."""
        multilabel = type_of_target(y).startswith("multilabel")
        n_outputs = len(classes) if multilabel or len(classes) > 2 else 1
        link = "logistic" if multilabel or n_outputs == 1 else "softmax"
        return cls(estimator, classes, n_outputs, link)

    @property
    def score(self):
        """The one that the core can tell, or None; of one class there is nothing to tell."""
        return self.loss.score if len(self.classes) > 1 else None

    def attributes(self):
        """What the fitted estimator keeps."""
        return {
            "classes_": self.classes,
            "n_outputs_": self.loss.n_outputs,
            "out_activation_": self.link,
        }

    def check(self, y):
        """Index of the class of each row, or the indicator matrix of multilabel targets."""
        multilabel = type_of_target(y).startswith("multilabel")
        if multilabel != self.multilabel:
            expected, got = ("an indicator matrix", "labels")[:: 1 if self.multilabel else -1]
            raise ValueError(f"y must hold {expected} as in the fit before, got {got}.")
        if multilabel:
            y = y.toarray() if sp.issparse(y) else y
            if not np.isin(y, (0, 1)).all():
                raise ValueError(
                    f"Multilabel y must be an indicator matrix of 0 and 1, got {np.unique(y)}."
                )
            return y
        return np.searchsorted(self.classes, y).astype(np.int32)  # as the core takes it

    def check_validation(self, y):
        """The same for a validation set."""
        unknown = np.setdiff1d(unique_labels(y), self.classes)
        if len(unknown):
            raise ValueError(f"y_val has labels that y does not have: {unknown}.")
        return self.check(y)

    def weights(self, y):
        """Weight of each row by its class, or None."""
        return None if self.class_weights is None else self.class_weights[y]

    def learn_noise(self, fitted, validation, seed):
        """Labels have a probability instead."""
        return {}

    def strata(self, y, *, as_scikit_learn):
        """What a validation split keeps in proportion; scikit-learn's MLP does with two classes."""
        if self.multilabel or (as_scikit_learn and self.loss.n_outputs > 1):
            return {}
        return {"labels": y, "names": self.classes if as_scikit_learn else None}


class Numbers(Targets):
    """One or several numbers a row.

    Parameters
    ----------
    estimator : MLPRegressor
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
    units : ndarray of shape (2, n_targets), optional
        Center and scale of a fit that is continued.
    """

    numeric = True

    def __init__(self, estimator, y, units=None):
        self.loss = regression_loss(estimator, self._matrix(y).shape[1])
        self.units = units
        self.wants_units = estimator.standardize_y and units is None

    @property
    def unit(self):
        """Of the loss in that of y: for several targets the mean over them."""
        return 1.0 if self.units is None else float(np.mean(self.units[1] ** self.loss.power))

    def with_units(self, y, weight):
        """These, with the center and the scale of y."""
        learned = copy.copy(self)
        with np.errstate(over="ignore", invalid="ignore"):
            moments = ColumnMoments().add(y, np.arange(len(y)), weight)
        if not np.isfinite(moments.deviation).all():
            raise ValueError(
                "The numbers in y are too large for their standard deviation. Scale y."
            )
        varies = moments.deviation > ROUNDING * np.abs(moments.mean)
        learned.units = np.stack([moments.mean, np.where(varies, moments.deviation, 1.0)])
        learned.wants_units = False
        return learned

    def vary(self, y):
        return bool((np.ptp(y, axis=0) > 1e-6 * np.abs(y).max(axis=0)).any())

    def spread(self, y):
        if self.units is not None or self.loss.name != "squared_error":
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            return np.std(y, axis=0)

    @property
    def score(self):
        """The one that the core can tell, or None."""
        return self.loss.score

    def attributes(self):
        """What the fitted estimator keeps."""
        return {
            "n_outputs_": self.loss.n_outputs,
            "out_activation_": self.loss.link,
            "quantiles_": self.loss.quantiles,
            "noise_std_": None,
        }

    @staticmethod
    def _matrix(y):
        return y if y.ndim == 2 else y[:, None]

    def check(self, y):
        """A matrix with one column a target."""
        self.loss.check(y)
        return self._matrix(y)

    def check_validation(self, y):
        """The same for a validation set."""
        y = self.check(y)
        if y.shape[1] != self.loss.n_targets:
            raise ValueError(f"y_val has {y.shape[1]} targets, but y has {self.loss.n_targets}.")
        return y

    def learn_noise(self, fitted, validation, seed):
        """The noise in y, from the validation residuals of passes with dropout."""
        if validation is None or not fitted.has_dropout or not self.loss.spread:
            return {}
        X, y = validation.checked
        rows, weights = validation.weighted_rows(NOISE_ROWS)
        mean, std = fitted.sample(X[rows], seed=seed, n_draws=NOISE_DRAWS)
        std *= np.sqrt(1 + 1 / NOISE_DRAWS)  # the mean of few passes varies itself
        columns = zip((y[rows] - mean).T, std.T, strict=True)
        return {"noise_std_": np.array([noise_deviation(r, s, weights) for r, s in columns])}

    def weights(self, y):
        """Numbers have no classes."""

    def strata(self, y, *, as_scikit_learn):
        """Numbers have no proportions to keep."""
        return {}
