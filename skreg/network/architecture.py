"""Architecture: the widths and activations of a network, and the order of its parts."""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

ACTIVATIONS = (
    *("identity", "logistic", "tanh", "relu"),
    *("leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"),
)

CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
    "weight_init": [StrOptions({"auto", "he", "lecun", "orthogonal"})],
}


def stack(widths, activations, n_outputs, *, connect=(), norm=(), link=(), after=()):
    """The parts of a network, in the order in which a row passes them.

    `connect`, `norm`, `link` and `after` map the index of a hidden layer to the part that it has
    at this place.
    """
    layers = []
    for i, (width, activation) in enumerate(zip(widths, activations, strict=True)):
        layers.append(("dense", {"units": float(width)}))
        layers += [part[i] for part in (connect, norm, link) if i in part]
        layers.append((activation, {}))
        layers += [after[i]] if i in after else []
    return [*layers, ("dense", {"units": float(n_outputs)})]


class Architecture:
    """What `hidden_layer_sizes` and `activation` of an estimator mean.

    Raises
    ------
    ValueError
        For sizes that are no positive integers, and lists of the wrong length.
    """

    def __init__(self, estimator):
        self.sizes = self._sizes(estimator.hidden_layer_sizes)
        self.activations = self._activations(estimator.activation)
        self.output = estimator.activation if isinstance(estimator.activation, str) else "relu"

    @staticmethod
    def _sizes(sizes):
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if not all(isinstance(s, Integral) and s > 0 for s in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0 integers, got {sizes}.")
        return [int(s) for s in sizes]

    def _activations(self, activation):
        """One per hidden layer."""
        if isinstance(activation, str):
            return [activation] * len(self.sizes)
        activations = list(activation)
        if len(activations) != len(self.sizes):
            raise ValueError(
                f"activation has {len(activations)} names for {len(self.sizes)} hidden layers. "
                "Pass one for all of them, or one per hidden layer."
            )
        unknown = sorted({str(a) for a in activations} - set(ACTIVATIONS))
        if unknown:
            raise ValueError(f"activation holds {unknown}; known are {sorted(ACTIVATIONS)}.")
        return activations

    def layers(self, n_outputs, **parts):
        """The parts of a network with so many outputs."""
        return stack(self.sizes, self.activations, n_outputs, **parts)

    def initial_bounds(self):
        """Factors of scikit-learn's initial weights, U(-b, b) with b^2 = f / (fan_in + fan_out).

        2 for logistic layers, else 6; the output layer goes with the layer before it.
        """
        names = self.activations + (self.activations[-1:] or [self.output])
        return [2.0 if name == "logistic" else 6.0 for name in names]
