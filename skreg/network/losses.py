"""Losses: what each one means for the core, for targets, and for predictions.

To add one: a class below, its name in REGRESSION (or its use by `Labels`), and its kernel in the
core. `y` is a matrix with one column a target, or an index of the class a row.
"""

from numbers import Real

import numpy as np
from scipy.special import entr, rel_entr
from sklearn.utils._param_validation import Interval, StrOptions


class Loss:
    """One loss: `name` is that of the core, `link` turns outputs into predictions.

    Parameters
    ----------
    estimator : BaseMLP
        Whose parameters hold the options.
    n_targets : int
        Columns of y.
    """

    name = ""
    link = "identity"
    parameters: dict = {}  # constraints of the options it reads
    score = "r2"  # which of data/scores.py the estimator's `score` is, if it is one of them
    spread = True  # whether a normal deviation around the prediction has a meaning
    power: int | None = None  # of the unit of y in its own; None where y cannot be standardized

    def __init__(self, estimator, n_targets):
        self.estimator = estimator
        self.n_targets = self.n_outputs = n_targets

    def spec(self):
        """The core's loss, a name with options."""
        return self.name, self.options()

    quantiles = None  # that are predicted

    def options(self):
        return {}

    def check(self, y):
        """Errors for targets that the loss has no value for."""

    def encode(self, y):
        """The core's targets."""
        return {"target": y}

    def of_constant(self, y, weight):
        """Mean loss of the best prediction that is the same for all rows; y as it is encoded."""
        raise NotImplementedError

    @staticmethod
    def decode(outputs):
        """Predictions from outputs, in the shape of y."""
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs


class BinaryLogLoss(Loss):
    """One label, or several that may hold at once; its smoothing is a regularizer's."""

    name = "binary_log_loss"
    score = "accuracy"
    link = "logistic"

    def encode(self, y):
        return {"target": y if y.ndim == 2 else (y == 1)[:, None]}

    def of_constant(self, y, weight):
        p = np.average(self.encode(y)["target"], axis=0, weights=weight)
        return float(np.sum(entr(p) + entr(1 - p)))


class SoftmaxLogLoss(Loss):
    """One of several classes; its smoothing is a regularizer's."""

    name = "softmax_log_loss"
    score = "accuracy"
    link = "softmax"

    def encode(self, y):
        return {"label": y}

    def of_constant(self, y, weight):
        counts = np.bincount(y, weights=weight)
        return float(np.sum(entr(counts / counts.sum())))


def weighted_quantile(y, weight, level):
    """The smallest number in each column that this share of the weight does not exceed."""
    weight = np.ones(len(y)) if weight is None else weight
    order = np.argsort(y, axis=0)
    share = np.cumsum(weight[order], axis=0, dtype=np.float64)
    at = (share < level * share[-1]).sum(axis=0)
    return np.take_along_axis(y, order, axis=0)[at, np.arange(y.shape[1])]


def quantiles_of(estimator):
    """The parameter `quantile` as an array in ascending order."""
    try:
        levels = np.sort(np.atleast_1d(np.asarray(estimator.quantile, dtype=float)))
    except (TypeError, ValueError):
        levels = np.empty(0)
    if levels.ndim > 1 or not len(levels) or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantile must hold numbers in (0, 1), got {estimator.quantile}.")
    return levels


class SquaredError(Loss):
    name = "squared_error"
    power = 2

    def of_constant(self, y, weight):
        errors = y - np.average(y, axis=0, weights=weight)
        np.square(errors, out=errors)
        return float(np.average(errors, axis=0, weights=weight).sum()) / 2


class AbsoluteError(Loss):
    name = "absolute_error"
    power = 1

    def of_constant(self, y, weight):
        errors = np.abs(y - weighted_quantile(y, weight, 0.5))
        return float(np.average(errors.sum(axis=1), weights=weight))


class Huber(Loss):
    name = "huber"
    power = 2
    parameters = {"delta": [Interval(Real, 0, None, closed="neither")]}

    def options(self):
        return {"threshold": float(self.estimator.delta)}

    def of_constant(self, y, weight):
        """At the median, which is near the best."""
        errors, c = np.abs(y - weighted_quantile(y, weight, 0.5)), self.estimator.delta
        losses = np.where(errors <= c, errors**2 / 2, c * (errors - c / 2))
        return float(np.average(losses.sum(axis=1), weights=weight))


class Poisson(Loss):
    name = "poisson"
    link = "exp"

    def check(self, y):
        if (y < 0).any():
            raise ValueError("loss='poisson' needs targets y >= 0, but y holds negative numbers.")

    def of_constant(self, y, weight):
        mean = np.average(y, axis=0, weights=weight)
        deviance = rel_entr(y, np.where(mean > 0, mean, 1))  # whose other terms add up to 0
        return float(np.average(deviance.sum(axis=1), weights=weight))


class Quantile(Loss):
    """The same quantile of each target."""

    name = "quantile"
    parameters = {"quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"]}
    spread = False
    score = None
    power = 1

    def options(self):
        return {"levels": self.levels().tolist()}

    @property
    def quantiles(self):
        """In ascending order."""
        return quantiles_of(self.estimator)

    def levels(self):
        """One for each output."""
        return quantiles_of(self.estimator).repeat(self.n_outputs)

    def of_constant(self, y, weight):
        y, levels = self.encode(y)["target"], self.levels()
        columns = zip(y.T, levels, strict=True)
        errors = y - np.hstack([weighted_quantile(c[:, None], weight, q) for c, q in columns])
        losses = np.maximum(levels * errors, (levels - 1) * errors)
        return float(np.average(losses.sum(axis=1), weights=weight))


class SeveralQuantiles(Quantile):
    """Several quantiles of a single target, one an output."""

    def __init__(self, estimator, n_targets):
        super().__init__(estimator, n_targets)
        if n_targets > 1:
            raise ValueError(
                f"Several quantiles need a single target, but y has {n_targets}. Fit one "
                "estimator for each target, e.g. with MultiOutputRegressor, or pass a single "
                "quantile."
            )
        self.n_outputs = len(self.levels())

    def levels(self):
        return quantiles_of(self.estimator)

    def encode(self, y):
        return {"target": np.repeat(y, self.n_outputs, axis=1)}

    @staticmethod
    def decode(outputs):
        return np.sort(outputs, axis=1)  # quantiles of one distribution do not cross


# All of the above, but those of classes.
REGRESSION = {cls.name: cls for cls in Loss.__subclasses__() if not cls.name.endswith("log_loss")}

CONSTRAINTS: dict = {
    "loss": [StrOptions(set(REGRESSION))],
    **{name: c for cls in REGRESSION.values() for name, c in cls.parameters.items()},
}


def regression_loss(estimator, n_targets):
    """The loss that a regressor's parameters name."""
    cls = REGRESSION[estimator.loss]
    if cls is Quantile and len(quantiles_of(estimator)) > 1:
        cls = SeveralQuantiles
    return cls(estimator, n_targets)
