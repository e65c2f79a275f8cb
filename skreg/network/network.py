"""Network: one flat parameter vector with named views, and the compiled core behind it.

Everything that persists (parameters, running statistics, moments, counters) are NumPy arrays that
belong to Python; the core works on them in place.
"""

import math
import time

import numpy as np

from skreg.network import core
from skreg.network.core import as_arrays, make_trainer

RECOUNT_SECONDS = 0.5  # other programs come and go


def _orthogonal(random_state, n_in, n_out):
    """Orthonormal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli 2014)."""
    q, r = np.linalg.qr(random_state.normal(size=(max(n_in, n_out), min(n_in, n_out))))
    q *= np.sign(np.diag(r))  # makes q uniformly distributed
    return q if n_in >= n_out else q.T


def _normal(gain):
    """Normal numbers with variance gain / n_in."""
    return lambda random_state, n_in, n_out: random_state.normal(
        0, np.sqrt(gain / n_in), (n_in, n_out)
    )


INITIAL_WEIGHTS = {
    "he": _normal(2),  # He, Zhang, Ren and Sun 2015, for rectified units
    "lecun": _normal(1),  # LeCun, Bottou, Orr and Mueller 1998, for tanh and selu
    "orthogonal": _orthogonal,
}


class Network:
    """A trainable network: parameters as one vector, and the core's trainer on top of it.

    Parameters
    ----------
    layers : list of Spec
        Parts in order: optional dropout of the inputs, then for each block dense, and where wanted
        drop_connect, a normalization, a residual link, an activation and a kind of dropout.
    loss : Spec
    parts : list of Spec
        What acts on the rows of a batch, and around the optimizer's step: penalties, clipping,
        decay, constraints.
    n_features : int
    dtype : float32 or float64
    seed : int
        Key of the counter-based random numbers, 64 bits.
    """

    def __init__(self, layers, loss, parts, *, n_features, dtype, seed):
        self._core = make_trainer(
            layers, loss, parts, n_features=n_features, dtype=dtype, seed=seed
        )
        self.seed = seed
        self._counted = time.monotonic()  # when the processors were
        self.epsilon = next((o["epsilon"] for name, o in layers if name == "batch_norm"), None)
        self.n_weights = self._core.n_weights
        self.parameters = np.zeros(self._core.n_parameters, dtype=dtype)
        self.statistics = np.zeros(self._core.n_statistics, dtype=dtype)
        # The core's moving average of the parameters, with the part "ema".
        self.average = np.zeros_like(self.parameters) if "ema" in dict(parts) else None
        self._slots = self._core.parameter_slots + self._core.statistic_slots

    def views(self, kind, snapshot=None):
        """Dict from layer to a view: kind is weight, bias, scale, shift, mean or variance."""
        vectors = (self.parameters, self.statistics) if snapshot is None else snapshot
        vector = vectors[kind in ("mean", "variance")]
        views = {}
        for slot_kind, layer, offset, n_rows, n_columns in self._slots:
            if slot_kind == kind:
                values = vector[offset : offset + n_rows * n_columns]
                views[layer] = values.reshape(n_rows, n_columns) if kind == "weight" else values
        return views

    @property
    def has_statistics(self):
        """Whether there is a batch norm."""
        return bool(self.statistics.size)

    @property
    def has_norm(self):
        """Whether there is a normalization of either kind."""
        return bool(self.views("scale"))

    def initialize(self, random_state, factors, method="auto"):
        """Draw the initial weights and biases.

        With "auto" from U(-b, b) with b^2 = factor / (fan_in + fan_out), for each layer weights
        before biases, in float64, as scikit-learn's MLP does. A dense layer before a normalization
        has no bias: its draw is made and discarded, so that the numbers after it stay the same.
        With the other methods biases are 0.
        """
        biases = self.views("bias")
        for (layer, weight), factor in zip(self.views("weight").items(), factors, strict=True):
            if method != "auto":
                weight[:] = INITIAL_WEIGHTS[method](random_state, *weight.shape)
                continue
            bound = np.sqrt(factor / sum(weight.shape))
            weight[:] = random_state.uniform(-bound, bound, weight.shape)
            drawn = random_state.uniform(-bound, bound, weight.shape[1])
            if layer in biases:
                biases[layer][:] = drawn
        for kind in ("scale", "variance"):
            for view in self.views(kind).values():
                view[:] = 1

    def load(self, coefs, intercepts):
        """Take the weights and biases of a network without normalization."""
        for kind, arrays in (("weight", coefs), ("bias", intercepts)):
            for layer, view in self.views(kind).items():
                if np.shape(arrays[layer]) != view.shape:
                    raise ValueError(
                        f"The {kind} of layer {layer} has shape {np.shape(arrays[layer])}, but "
                        f"the network needs {view.shape}. Were coefs_ or intercepts_ changed?"
                    )
                view[:] = arrays[layer]

    def fold(self, snapshot=None, epsilon=None):
        """Weights and biases of the plain network that predicts the same.

        At prediction batch norm is x -> (x - mean) * scale / sqrt(variance + epsilon) + shift,
        which the dense layer before it can carry. By default of the network as it is now.
        """
        epsilon = self.epsilon if epsilon is None else epsilon
        coefs = [w.copy() for w in self.views("weight", snapshot).values()]
        intercepts = {i: b.copy() for i, b in self.views("bias", snapshot).items()}
        scales, shifts = self.views("scale", snapshot), self.views("shift", snapshot)
        variances = self.views("variance", snapshot)
        for i, mean in self.views("mean", snapshot).items():
            factor = scales[i] / np.sqrt(variances[i].astype(np.float64) + epsilon)
            intercepts[i] = (shifts[i] - mean * factor).astype(mean.dtype)
            coefs[i] = (coefs[i] * factor).astype(mean.dtype)
        return coefs, [intercepts[i] for i in range(len(coefs))]

    def layer_norms(self, snapshot=None):
        """Copies of the scales, then the shifts, of the layer norms, which cannot be folded."""
        folded = self.views("mean")
        views = [self.views(kind, snapshot) for kind in ("scale", "shift")]
        return [v.copy() for view in views for i, v in view.items() if i not in folded]

    def attach(self, optimizer=None, moments=(), counters=None, reach=None):
        """Connect the arrays that the core updates in place, before any other use of it.

        Without an optimizer (a Spec) the network can be evaluated, not trained.
        """
        counters = np.zeros(2, dtype=np.int64) if counters is None else counters
        reach = np.zeros(1) if reach is None else reach
        self._core.attach(
            self.parameters,
            self.statistics,
            list(moments),
            counters,
            reach,
            optimizer,
            self.average,
        )

    def set_columns(self, mean, deviation, target_deviation):
        """Hand over the statistics of the columns, which changes of the rows need."""
        dtype = self.parameters.dtype
        self._core.set_columns(*as_arrays((mean, deviation, target_deviation), dtype))

    def stop_by(self, stop):
        """Let a `Stop` end epochs and passes, by KeyboardInterrupt."""
        self._core.stop_by(stop)

    def train_epoch(self, data, order, batch_size, rates, seconds=math.inf):
        """One pass over the rows in `order`; returns the mean loss with penalties, and without.

        `rates` holds the learning rate of each batch, or one for all. The pass ends early, between
        two batches, once `seconds` are over.
        """
        if time.monotonic() - self._counted > RECOUNT_SECONDS:
            self._counted = time.monotonic()
            core.count_cpus()
        objective = self._core.train_epoch(data, order, batch_size, rates, seconds)
        return objective, self._core.data_loss

    def evaluate(self, data, rows):
        """Mean loss of the rows as at prediction, without penalties."""
        return self._core.evaluate(data, rows)

    def evaluate_and_score(self, data, rows, score, link, weight, sums):
        """The same; `score`, a Spec, is written as sums over the rows of what `link` predicts."""
        return self._core.evaluate_and_score(data, rows, score, link, weight, sums)

    def loss_and_gradient(self, data, rows, gradient, training=False):
        """Loss with smooth penalties over all rows; its gradient is written into `gradient`."""
        return self._core.loss_and_gradient(data, rows, gradient, training)

    def recalibrate(self, data, rows):
        """Make the running statistics those of the given rows, layer by layer."""
        self._core.recalibrate(data, rows)

    @property
    def penalty(self):
        """What the penalties add to the loss now."""
        return self._core.penalty

    @property
    def finite(self):
        """Whether all parameters and statistics are finite numbers."""
        return self._core.finite

    def snapshot(self):
        """A copy of all that predicts: parameters and running statistics."""
        return self.parameters.copy(), self.statistics.copy()

    def restore(self, snapshot):
        self.parameters[:], self.statistics[:] = snapshot
