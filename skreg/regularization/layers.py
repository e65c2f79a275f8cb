"""Place 2: what acts within the layers. Dropout, normalization, residual links."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skreg.regularization.technique import Technique

LAYER_NORM_EPSILON = 1e-5


class InputDropout(Technique):
    """Features are dropped, from sparse rows too."""

    name = "input_dropout"
    parameters = {"input_dropout": [Interval(Real, 0, 1, closed="left")]}

    def inputs(self):
        return [("dropout", {"p": float(self.value)})]


class Dropout(Technique):
    """Hidden units are dropped, or single weights (Srivastava et al. 2014; see the core)."""

    name = "dropout"
    parameters = {
        "dropout": ["array-like", Interval(Real, 0, 1, closed="left")],
        "dropout_kind": [StrOptions({"standard", "gaussian", "alpha", "connect"})],
    }

    def __init__(self, estimator, architecture):
        super().__init__(estimator, architecture)
        self.kind = estimator.dropout_kind
        self.rates = self._rates(len(architecture.sizes))

    @property
    def on(self):
        return any(self.rates)

    def _rates(self, n_hidden):
        """One probability per hidden layer."""
        if isinstance(self.value, Real):
            return [float(self.value)] * n_hidden
        rates = list(self.value)
        if len(rates) != n_hidden:
            raise ValueError(
                f"dropout has {len(rates)} values for {n_hidden} hidden layers. Pass one float for "
                "all of them, or one value per hidden layer."
            )
        if not all(isinstance(p, Real) and 0 <= p < 1 for p in rates):
            raise ValueError(
                f"dropout must hold probabilities of being dropped, 0 <= p < 1, got {rates}."
            )
        return [float(p) for p in rates]

    def layers(self):
        place = "connect" if self.kind == "connect" else "after"
        names = {"standard": "dropout", "connect": "drop_connect"}
        name = names.get(self.kind, f"{self.kind}_dropout")
        return {place: {i: (name, {"p": p}) for i, p in enumerate(self.rates) if p > 0}}

    sampling = layers

    def without_effect(self, plan):
        if not self.architecture.sizes and isinstance(self.value, Real) and self.value > 0:
            yield "dropout has no effect without hidden layers (input_dropout has one)."
        if self.changed("dropout_kind") and not self.on:
            yield f"dropout_kind={self.kind!r} has no effect with dropout=0."
        dropped = zip(self.architecture.activations, self.rates, strict=True)
        others = {activation for activation, rate in dropped if rate} - {"selu"}
        if self.kind == "alpha" and others:
            yield (
                "dropout_kind='alpha' keeps mean and variance of selu units alone, but drops those "
                f"of {sorted(others)}. Use activation='selu' or another kind."
            )


class BatchNorm(Technique):
    """Over the rows of a batch (Ioffe and Szegedy 2015)."""

    name = "batch_norm"
    parameters = {
        "batch_norm": ["boolean"],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="right")],
        "batch_norm_epsilon": [Interval(Real, 0, None, closed="neither")],
    }
    cast = ("batch_norm_epsilon",)
    hidden = True

    def check(self, plan):
        if plan.is_on("layer_norm"):
            raise ValueError("batch_norm and layer_norm stand in the same place. Use one of them.")
        if self.estimator.batch_size == 1:
            raise ValueError(
                "batch_norm=True needs batches of at least two rows, got batch_size=1. Use a "
                "larger batch_size."
            )

    def layers(self):
        p = self.estimator
        options = {"momentum": p.batch_norm_momentum, "epsilon": p.batch_norm_epsilon}
        spec = "batch_norm", {name: float(value) for name, value in options.items()}
        return {"norm": self.everywhere(spec)}

    def without_effect(self, plan):
        yield from super().without_effect(plan)
        for name in ("batch_norm_momentum", "batch_norm_epsilon"):
            if not self.value and self.changed(name):
                yield f"{name} has no effect with batch_norm=False."


class LayerNorm(Technique):
    """Over the units of a row (Ba, Kiros and Hinton 2016)."""

    name = "layer_norm"
    parameters = {"layer_norm": ["boolean"]}
    in_epochs = False
    hidden = True

    def check(self, plan):
        sizes = self.architecture.sizes
        if sizes and min(sizes) == 1:
            raise ValueError(
                "layer_norm=True makes a hidden layer of one unit constant, got "
                f"hidden_layer_sizes={tuple(sizes)}. Use at least two units."
            )

    def layers(self):
        return {"norm": self.everywhere(("layer_norm", {"epsilon": LAYER_NORM_EPSILON}))}

    predicting = layers  # it cannot be folded into the dense layers


class Residual(Technique):
    """Links over pairs of layers (He et al. 2016)."""

    name = "residual"
    parameters = {
        "residual": ["boolean"],
        "stochastic_depth": [Interval(Real, 0, 1, closed="left")],
    }
    in_epochs = False

    def __init__(self, estimator, architecture):
        super().__init__(estimator, architecture)
        self.links = residual_links(architecture.sizes) if estimator.residual else []

    @property
    def on(self):
        return bool(self.links)

    def values(self):
        given = super().values()
        return {name: value for name, value in given.items() if value}  # a depth of 0 is none

    def layers(self):
        return {"link": self._links(self.estimator.stochastic_depth)}

    def predicting(self):
        return {"link": self._links(0.0)}

    def _links(self, depth):
        """The last link loses its branch with this probability, those before it in proportion to
        their depth.
        """
        n = len(self.links)
        return {
            i: ("residual", {"p": float(depth) * (k + 1) / n}) for k, i in enumerate(self.links)
        }

    def without_effect(self, plan):
        if self.value and not self.links:
            yield (
                "residual has no effect without three hidden layers of the same width in a row, "
                f"got hidden_layer_sizes={tuple(self.architecture.sizes)}."
            )


class StochasticDepth(Technique):
    """Rows skip the pairs of `Residual` at random (Huang et al. 2016)."""

    name = "stochastic_depth"

    def without_effect(self, plan):
        if self.on and not plan.is_on("residual"):
            yield "stochastic_depth has no effect without residual links (residual=True)."


def residual_links(widths):
    """The hidden layers that a residual link leads into.

    Each link leads over a pair of layers from the output of the layer before them; all three are
    equally wide, and each pair begins where the one before it ended.
    """
    links, i = [], 0
    while i + 2 < len(widths):
        if widths[i] == widths[i + 1] == widths[i + 2]:
            links.append(i + 2)
            i += 2
        else:
            i += 1
    return links
