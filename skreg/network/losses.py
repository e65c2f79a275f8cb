"""Losses: what each one means for the core, for targets, and for predictions.

To add one: a class below, its name in REGRESSION (or its use by `Labels`), and its kernel in the
core. `y` is a matrix with one column a target, or an index of the class a row.
"""

from numbers import Real

import numpy as np
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

    def __init__(self, estimator, n_targets):
        self.estimator = estimator
        self.n_targets = self.n_outputs = n_targets

    def spec(self):
        """The core's loss, a name with options."""
        return self.name, self.options()

    def options(self):
        return {}

    def check(self, y):
        """Errors for targets that the loss has no value for."""

    def encode(self, y):
        """The core's targets."""
        return {"target": y}

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


class SoftmaxLogLoss(Loss):
    """One of several classes; its smoothing is a regularizer's."""

    name = "softmax_log_loss"
    score = "accuracy"
    link = "softmax"

    def encode(self, y):
        return {"label": y}


def quantiles_of(estimator):
    """The parameter `quantile` as an array in ascending order."""
    levels = np.sort(np.atleast_1d(np.asarray(estimator.quantile, dtype=float)))
    if levels.ndim > 1 or not len(levels) or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantile must hold numbers in (0, 1), got {estimator.quantile}.")
    return levels


class SquaredError(Loss):
    name = "squared_error"


class AbsoluteError(Loss):
    name = "absolute_error"


class Huber(Loss):
    name = "huber"
    parameters = {"delta": [Interval(Real, 0, None, closed="neither")]}

    def options(self):
        return {"threshold": float(self.estimator.delta)}


class Poisson(Loss):
    name = "poisson"
    link = "exp"

    def check(self, y):
        if (y < 0).any():
            raise ValueError("loss='poisson' needs targets y >= 0, but y holds negative numbers.")


class Quantile(Loss):
    """The same quantile of each target."""

    name = "quantile"
    parameters = {"quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"]}
    spread = False

    def options(self):
        return {"levels": self.levels().tolist()}

    def levels(self):
        """One for each output, in ascending order."""
        return quantiles_of(self.estimator).repeat(self.n_outputs)


class SeveralQuantiles(Quantile):
    """Several quantiles of a single target, one an output."""

    score = None

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
