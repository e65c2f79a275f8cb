"""FittedNetwork: what predicts. Weights, biases and layer norms, with batch norm folded in.

It holds no arrays of its own: `coefs_` and `intercepts_` of an estimator are the user's, too.
"""

import numpy as np

from skreg.network.core import predict, sample


class FittedNetwork:
    """A network for prediction.

    Parameters
    ----------
    coefs, intercepts : lists of ndarrays
        One for each dense layer.
    norms : list of ndarrays
        Scales, then shifts of the layer norms.
    layers : list of Spec
        Its parts, without what is there in training alone.
    sampling : list of Spec
        The same with dropout.
    link : str
        The output activation.
    """

    def __init__(self, coefs, intercepts, norms, layers, sampling, link):
        self.coefs, self.intercepts, self.norms = coefs, intercepts, norms
        self.layers, self.sampling, self.link = layers, sampling, link

    def attributes(self):
        """What an estimator keeps of it: lists and dicts of arrays, numbers and strings."""
        predictor = {"layers": self.layers, "sampling": self.sampling, "norms": self.norms}
        return {
            "coefs_": self.coefs,
            "intercepts_": self.intercepts,
            "n_layers_": len(self.coefs) + 1,
            "_predictor": predictor,
        }

    @property
    def dtype(self):
        """The type in which it predicts."""
        dtype = np.result_type(*self.coefs, *self.intercepts)
        return dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)

    @property
    def parameters(self):
        """All arrays in the order of the core."""
        return [*self.coefs, *self.intercepts, *self.norms]

    @property
    def has_dropout(self):
        """Whether passes with dropout differ."""
        return any("drop" in name for name, _ in self.sampling)

    def outputs(self, X, link=None):
        """Of shape (n_rows, n_outputs), in the type of X; `link` in the place of its own."""
        return predict(X, self.layers, self.parameters, self.link if link is None else link)

    def sample(self, X, *, seed, n_draws):
        """Mean and standard deviation of the outputs over passes with dropout."""
        return sample(X, self.sampling, self.parameters, self.link, seed=seed, n_draws=n_draws)

    def may_overflow(self, largest):
        """Whether features up to `largest` in size could lead to numbers beyond their type.

        From a bound for each layer: the largest sum of the sizes of a unit's weights, twice to
        allow for activations, on top of what the layers before it can bring through a link.
        """
        limit = float(np.finfo(self.dtype).max) / 4
        if self.link == "exp":
            limit = np.log(limit)
        if self.norms:  # they square, and bring at most their scale times the root of the width
            limit **= 0.5
            width = max(weight.shape[1] for weight in self.coefs)
            largest += width * max(float(np.abs(a).max()) for a in self.norms)
        for weight, bias in zip(self.coefs, self.intercepts, strict=True):
            gain = float(np.abs(weight).sum(axis=0, dtype=np.float64).max())
            largest += 2 * (gain * largest + float(np.abs(bias).max()) + 1)
        return not largest < limit

    def predicts(self, X):
        """Whether all outputs for these rows are finite, with the one link that can overflow."""
        link = "exp" if self.link == "exp" else "identity"
        return bool(np.isfinite(self.outputs(X, link)).all())

    def compact(self):
        """Without the hidden units that lead nowhere; the arrays are new ones."""
        if {name for name, _ in self.layers} & {"layer_norm", "residual"}:
            raise ValueError(
                "compact() needs a network without layer_norm and residual links: in these a unit "
                "whose outgoing weights are 0 still has a part in the prediction."
            )
        coefs, intercepts = ([a.copy() for a in arrays] for arrays in (self.coefs, self.intercepts))
        for i in range(len(coefs) - 1, 0, -1):  # from the last: what leaves there can free more
            kept = np.flatnonzero((coefs[i] != 0).any(axis=1))
            if not len(kept):  # one must stay, but needs no input
                kept = np.array([0])
                coefs[i - 1][:, 0] = 0
            coefs[i] = coefs[i][kept]
            coefs[i - 1], intercepts[i - 1] = coefs[i - 1][:, kept], intercepts[i - 1][kept]
        specs = (_resized(layers, coefs) for layers in (self.layers, self.sampling))
        return FittedNetwork(coefs, intercepts, [], *specs, self.link)


def _resized(layers, coefs):
    widths = iter(weight.shape[1] for weight in coefs)
    return [
        (name, {"units": float(next(widths))} if name == "dense" else options)
        for name, options in layers
    ]
