"""Recipe: hyperparameters checked, and turned into the parts that the core is made of."""

import inspect
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skreg.augmentation.base import Augmenter
from skreg.schedules import SCHEDULES

# These act on sgd only and are silent elsewhere, as there.
SCIKIT_LEARN_SCHEDULES = ("constant", "invscaling", "adaptive")

ACTIVATIONS = (
    *("identity", "logistic", "tanh", "relu"),
    *("leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"),
)

# Shared by classifier and regressor; scikit-learn's own first.
PARAMETER_CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions(set(SCHEDULES))],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "dropout": ["array-like", Interval(Real, 0, 1, closed="left")],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
    "batch_norm": ["boolean"],
    "batch_norm_momentum": [Interval(Real, 0, 1, closed="right")],
    "batch_norm_epsilon": [Interval(Real, 0, None, closed="neither")],
    "scoring": [str, callable, None],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "feature_alpha": [Interval(Real, 0, None, closed="left")],
    "unit_alpha": [Interval(Real, 0, None, closed="left")],
    "max_norm": [Interval(Real, 0, None, closed="neither"), None],
    "restore_best": ["boolean"],
    "warmup": [Interval(Real, 0, 1, closed="left")],
    "weight_init": [StrOptions({"auto", "he", "lecun", "orthogonal"})],
    "time_limit": [Interval(Real, 0, None, closed="neither"), None],
    "weight_averaging": [StrOptions({"ema", "swa"}), None],
    "ema_decay": [Interval(Real, 0, 1, closed="neither")],
    "swa_start": [Interval(Real, 0, 1, closed="left")],
    "input_noise": [Interval(Real, 0, None, closed="left")],
    "swap_noise": [Interval(Real, 0, 1, closed="left")],
    "mixup": [Interval(Real, 0, None, closed="left")],
    "cutmix": [Interval(Real, 0, 1, closed="left")],
    "cutout": [Interval(Real, 0, 1, closed="left")],
    "adversarial_epsilon": [Interval(Real, 0, None, closed="left")],
    "layer_norm": ["boolean"],
    "dropout_kind": [StrOptions({"standard", "gaussian", "alpha", "connect"})],
    "residual": ["boolean"],
    "stochastic_depth": [Interval(Real, 0, 1, closed="left")],
    "augmentation": [Augmenter, None],
}

# These reach the core in the number type of X; those of the second line may not become zero.
IN_TYPE_OF_X = ("alpha", "feature_alpha", "unit_alpha", "input_noise", "adversarial_epsilon")
ABOVE_ZERO = ("learning_rate_init", "epsilon", "batch_norm_epsilon", "max_norm", "delta")

AUTO_BATCH_SIZE = 200

LAYER_NORM_EPSILON = 1e-5

# These change the rows of a batch, which must be dense for that.
ROW_CHANGES = ("swap_noise", "mixup", "cutmix", "cutout", "input_noise", "adversarial_epsilon")
# These take values from other rows of the batch.
ROW_MIXTURES = ("swap_noise", "mixup", "cutmix")


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


class Recipe:
    """What a set of hyperparameters means for training.

    Parameters
    ----------
    estimator : BaseMLP
        With parameters that are valid one by one.

    Raises
    ------
    ValueError
        For values or combinations that contradict themselves.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        self.hidden_sizes = self._hidden_sizes()
        self.activations = self._activations()
        self.dropout_rates = self._dropout_rates()
        self.batch_norm = bool(estimator.batch_norm and self.hidden_sizes)
        self.layer_norm = bool(estimator.layer_norm and self.hidden_sizes)
        self.links = residual_links(self.hidden_sizes) if estimator.residual else []
        self.l1, self.l2 = self._penalty_strengths()
        self._check_combinations()

    @property
    def stochastic(self):
        """Whether training goes in epochs."""
        return self.estimator.solver != "lbfgs"

    def _hidden_sizes(self):
        sizes = self.estimator.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if not all(isinstance(s, Integral) and s > 0 for s in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0 integers, got {sizes}.")
        return [int(s) for s in sizes]

    def _activations(self):
        """One per hidden layer."""
        activation, n_hidden = self.estimator.activation, len(self.hidden_sizes)
        if isinstance(activation, str):
            return [activation] * n_hidden
        activations = list(activation)
        if len(activations) != n_hidden:
            raise ValueError(
                f"activation has {len(activations)} names for {n_hidden} hidden layers. Pass one "
                "for all of them, or one per hidden layer."
            )
        unknown = sorted({str(a) for a in activations} - set(ACTIVATIONS))
        if unknown:
            raise ValueError(f"activation holds {unknown}; known are {sorted(ACTIVATIONS)}.")
        return activations

    def _dropout_rates(self):
        """One probability per hidden layer."""
        dropout, n_hidden = self.estimator.dropout, len(self.hidden_sizes)
        if isinstance(dropout, Real):
            return [float(dropout)] * n_hidden
        rates = list(dropout)
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

    def _penalty_strengths(self):
        """lambda_1 and lambda_2 of the objective."""
        penalty, alpha = self.estimator.penalty, float(self.estimator.alpha)
        if penalty is None:
            return 0.0, 0.0
        ratio = {"l1": 1.0, "l2": 0.0}.get(penalty, float(self.estimator.l1_ratio))
        return alpha * ratio, alpha * (1 - ratio)

    @property
    def norm(self):
        """Name of the normalization, or None."""
        names = {"batch_norm": self.batch_norm, "layer_norm": self.layer_norm}
        return next((name for name, on in names.items() if on), None)

    @property
    def row_changes(self):
        """Names of the parameters that change the rows of a batch."""
        return [name for name in ROW_CHANGES if getattr(self.estimator, name) > 0]

    def _check_combinations(self):
        self._check_solver()
        self._check_layers()
        p = self.estimator
        proximal = {"an L1 penalty": self.l1, "feature_alpha": p.feature_alpha}
        proximal["unit_alpha"] = p.unit_alpha
        for name, strength in proximal.items():
            if strength > 0 and p.solver == "sgd" and p.momentum == 1:
                raise ValueError(
                    f"momentum=1 with {name} has no fixed point: the proximal step needs the rate "
                    "learning_rate / (1 - momentum). Use momentum < 1."
                )
        if p.weight_decay * p.learning_rate_init >= 1:
            raise ValueError(
                f"weight_decay={p.weight_decay} with learning_rate_init={p.learning_rate_init} "
                "would turn the signs of the weights in each step: the product must be below 1."
            )

    def _check_solver(self):
        p = self.estimator
        in_epochs = {
            "dropout": any(self.dropout_rates),
            "input_dropout": p.input_dropout > 0,
            "batch_norm": self.batch_norm,
            "early_stopping": p.early_stopping,
            "clip_norm": p.clip_norm is not None,
            "weight_decay": p.weight_decay > 0,
            "feature_alpha": p.feature_alpha > 0,
            "unit_alpha": p.unit_alpha > 0,
            "max_norm": p.max_norm is not None,
            "time_limit": p.time_limit is not None,
            "weight_averaging": p.weight_averaging is not None,
            "label_smoothing": getattr(p, "label_smoothing", 0) > 0,
            "stochastic_depth": p.stochastic_depth > 0,
            "augmentation": p.augmentation is not None,
            **dict.fromkeys(self.row_changes, True),
        }
        for name, on in in_epochs.items():
            if on and not self.stochastic:
                raise ValueError(
                    f"{name}={getattr(p, name)!r} needs training in epochs, which solver='lbfgs' "
                    "does not do. Use solver='adam' or 'sgd', or leave it out."
                )

    def _check_layers(self):
        p = self.estimator
        if p.batch_norm and p.layer_norm:
            raise ValueError("batch_norm and layer_norm stand in the same place. Use one of them.")
        if self.layer_norm and min(self.hidden_sizes) == 1:
            raise ValueError(
                "layer_norm=True makes a hidden layer of one unit constant, got "
                f"hidden_layer_sizes={tuple(self.hidden_sizes)}. Use at least two units."
            )
        if self.batch_norm and p.batch_size == 1:
            raise ValueError(
                "batch_norm=True needs batches of at least two rows, got batch_size=1. Use a "
                "larger batch_size."
            )
        for name in ROW_MIXTURES:
            if getattr(p, name) > 0 and p.batch_size == 1:
                raise ValueError(
                    f"{name}={getattr(p, name)} takes values from other rows of the batch, got "
                    "batch_size=1. Use a larger batch_size."
                )

    def check_rows(self, X):
        """Errors for rows that cannot be changed as wanted, or not be trained on in their type."""
        self._check_numbers(X.dtype if self.stochastic else np.dtype(np.float64))
        if self.estimator.augmentation is not None and sp.issparse(X):
            raise ValueError(
                f"augmentation={self.estimator.augmentation!r} needs dense X, got a sparse matrix. "
                "Pass X.toarray(), or reduce it with TruncatedSVD."
            )
        if self.row_changes and sp.issparse(X):
            name = self.row_changes[0]
            raise ValueError(
                f"{name}={getattr(self.estimator, name)} needs dense X, got a sparse matrix. "
                "Pass X.toarray(), reduce it with TruncatedSVD, or use input_dropout, which keeps "
                "zeros."
            )

    def _check_numbers(self, dtype):
        tiny, largest = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
        for name in (*IN_TYPE_OF_X, *ABOVE_ZERO):
            value = getattr(self.estimator, name, None)
            if value is None:
                continue
            if value > largest or (name in ABOVE_ZERO and value < tiny):
                raise ValueError(
                    f"{name}={value!r} does not fit into {dtype}, in which training goes because "
                    f"X has this type: it holds numbers from {tiny:.2g} to {largest:.2g}. Choose "
                    f"another {name}, or pass X in float64."
                )

    def check_incremental(self):
        """Errors for what partial_fit, which has no validation set and no end, cannot do."""
        p = self.estimator
        if p.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if p.weight_averaging is not None:
            raise ValueError(
                "partial_fit does not support weight_averaging, whose result is not what training "
                "goes on from. Use fit, or weight_averaging=None."
            )
        planned = {
            f"learning_rate={p.learning_rate!r}": SCHEDULES[p.learning_rate].needs_horizon,
            f"warmup={p.warmup}": p.warmup > 0,
        }
        for name, on in planned.items():
            if on:
                raise ValueError(
                    f"{name} needs to know how long training will take, which partial_fit cannot. "
                    "Use learning_rate='constant' or 'plateau', and warmup=0."
                )

    def without_effect(self):
        """Messages about parameters that do nothing here; a grid's product makes them natural."""
        p = self.estimator
        signature = inspect.signature(type(p).__init__).parameters

        def changed(name):
            return not np.array_equal(getattr(p, name), signature[name].default)

        if p.penalty is None and changed("alpha"):
            yield f"alpha={p.alpha} has no effect with penalty=None."
        if p.penalty != "elasticnet" and changed("l1_ratio"):
            yield f"l1_ratio={p.l1_ratio} has an effect with penalty='elasticnet' only."
        if not self.hidden_sizes and isinstance(p.dropout, Real) and p.dropout > 0:
            yield "dropout has no effect without hidden layers (input_dropout has one)."
        if not self.hidden_sizes and p.batch_norm:
            yield "batch_norm has no effect without hidden layers."
        for name in ("batch_norm_momentum", "batch_norm_epsilon"):
            if not p.batch_norm and changed(name):
                yield f"{name} has no effect with batch_norm=False."
        for name in ("scoring", "restore_best"):
            if not p.early_stopping and changed(name):
                yield f"{name} has no effect with early_stopping=False."
        for name in ("unit_alpha", "max_norm"):
            if not self.hidden_sizes and changed(name):
                yield f"{name} has no effect without hidden layers."
        for name, kind in (("ema_decay", "ema"), ("swa_start", "swa")):
            if changed(name) and p.weight_averaging != kind:
                yield f"{name} has an effect with weight_averaging={kind!r} only."
        if p.layer_norm and not self.hidden_sizes:
            yield "layer_norm has no effect without hidden layers."
        if p.residual and not self.links:
            yield (
                "residual has no effect without three hidden layers of the same width in a row, "
                f"got hidden_layer_sizes={tuple(self.hidden_sizes)}."
            )
        if p.stochastic_depth > 0 and not self.links:
            yield "stochastic_depth has no effect without residual links (residual=True)."
        if changed("dropout_kind") and not any(self.dropout_rates):
            yield f"dropout_kind={p.dropout_kind!r} has no effect with dropout=0."
        others = {
            a for a, rate in zip(self.activations, self.dropout_rates, strict=True) if rate
        } - {"selu"}
        if p.dropout_kind == "alpha" and others:
            yield (
                "dropout_kind='alpha' keeps mean and variance of selu units alone, but drops those "
                f"of {sorted(others)}. Use activation='selu' or another kind."
            )
        if p.unit_alpha > 0 and (self.links or self.layer_norm):
            yield (
                "unit_alpha removes no units under residual links or layer_norm, where a unit "
                "without outgoing weights still has a part in the prediction."
            )
        if getattr(p, "mixup_bandwidth", None) is not None and not p.mixup > 0:
            yield "mixup_bandwidth has no effect with mixup=0."
        for name, loss in (("delta", "huber"), ("quantile", "quantile")):
            if name in signature and p.loss != loss and changed(name):
                yield f"{name} has an effect with loss={loss!r} only."
        if changed("warmup") and not self.stochastic:
            yield "warmup has no effect with solver='lbfgs'."
        if changed("warmup") and p.learning_rate == "one_cycle":
            yield "warmup has no effect with learning_rate='one_cycle', which has its own."
        if not self.stochastic and p.learning_rate not in SCIKIT_LEARN_SCHEDULES:
            yield f"learning_rate={p.learning_rate!r} has no effect with solver='lbfgs'."

    def parts(self):
        """What acts on the rows of a batch (place 1), in this order, and around the optimizer's
        step (places 5 to 8), in this order.

        With lbfgs, L1 is dealt with by splitting the weights.
        """
        p, n_hidden = self.estimator, len(self.hidden_sizes)
        parts = [self._row_change(name) for name in self.row_changes]
        if self.l2 > 0:
            parts.append(("l2", {"strength": self.l2}))
        if p.clip_norm is not None:
            parts.append(("clip_norm", {"largest": float(p.clip_norm)}))
        if p.weight_decay > 0:
            parts.append(("weight_decay", {"strength": float(p.weight_decay)}))
        if self.l1 > 0 and self.stochastic:
            parts.append(("l1", {"strength": self.l1}))
        if p.feature_alpha > 0:
            parts.append(("row_groups", {"strength": float(p.feature_alpha), "layer": 0.0}))
        if p.unit_alpha > 0:
            options = [{"strength": float(p.unit_alpha), "layer": i + 1.0} for i in range(n_hidden)]
            parts += [("row_groups", o) for o in options]
        if p.max_norm is not None:
            options = [{"strength": float(p.max_norm), "layer": float(i)} for i in range(n_hidden)]
            parts += [("max_norm", o) for o in options]
        if p.weight_averaging == "ema":
            parts.append(("ema", {"decay": float(p.ema_decay)}))
        return parts

    def _row_change(self, name):
        p = self.estimator
        option = {"mixup": "concentration", "input_noise": "size", "adversarial_epsilon": "epsilon"}
        options = {option.get(name, "p"): float(getattr(p, name))}
        if name == "mixup" and getattr(p, "mixup_bandwidth", None) is not None:
            options["bandwidth"] = float(p.mixup_bandwidth)
        return name.removesuffix("_epsilon"), options

    def layers(self, n_outputs):
        """The parts of the network that is trained."""
        return self._input_dropout() + stack(
            self.hidden_sizes,
            self.activations,
            n_outputs,
            **self._dropouts(),
            norm=self._norms(),
            link=self._links(self.estimator.stochastic_depth),
        )

    def predictor(self, n_outputs, *, sampling=False):
        """The parts of the network that predicts, batch norm folded into its dense layers.

        With `sampling` dropout stays.
        """
        layers = stack(
            self.hidden_sizes,
            self.activations,
            n_outputs,
            **(self._dropouts() if sampling else {}),
            norm=self._norms() if self.layer_norm else {},
            link=self._links(0.0),
        )
        return self._input_dropout() + layers if sampling else layers

    def _input_dropout(self):
        p = float(self.estimator.input_dropout)
        return [("dropout", {"p": p})] if p > 0 else []

    def _norms(self):
        p = self.estimator
        options = {
            "batch_norm": {"momentum": p.batch_norm_momentum, "epsilon": p.batch_norm_epsilon},
            "layer_norm": {"epsilon": LAYER_NORM_EPSILON},
        }.get(self.norm, {})
        spec = self.norm, {name: float(value) for name, value in options.items()}
        return dict.fromkeys(range(len(self.hidden_sizes)), spec) if self.norm else {}

    def _dropouts(self):
        kind = self.estimator.dropout_kind
        place = "connect" if kind == "connect" else "after"
        names = {"standard": "dropout", "connect": "drop_connect"}
        name = names.get(kind, f"{kind}_dropout")
        return {place: {i: (name, {"p": p}) for i, p in enumerate(self.dropout_rates) if p > 0}}

    def _links(self, stochastic_depth):
        """The last link loses its branch with this probability, those before it in proportion to
        their depth (Huang et al. 2016).
        """
        n = len(self.links)
        return {
            i: ("residual", {"p": float(stochastic_depth) * (k + 1) / n})
            for k, i in enumerate(self.links)
        }

    def optimizer(self):
        """The optimizer of the core."""
        p = self.estimator
        options = {"beta_1": p.beta_1, "beta_2": p.beta_2, "epsilon": p.epsilon}
        if p.solver == "sgd":
            options = {"momentum": p.momentum, "nesterov": p.nesterovs_momentum}
        return p.solver, {name: float(value) for name, value in options.items()}

    def schedule(self, n_steps):
        """The learning-rate schedule; scikit-learn's own act on sgd only."""
        p, name = self.estimator, self.estimator.learning_rate
        if p.solver != "sgd" and name in SCIKIT_LEARN_SCHEDULES:
            name = "constant"
        return SCHEDULES[name](
            p.learning_rate_init,
            power=p.power_t,
            warmup=0.0 if name == "one_cycle" else float(p.warmup),
            n_steps=n_steps,
            n_epochs=p.max_iter,
            tol=p.tol,
            patience=max(1, p.n_iter_no_change // 2) if np.isfinite(p.n_iter_no_change) else 5,
        )

    def initial_bounds(self):
        """Factors of scikit-learn's initial weights, U(-b, b) with b^2 = f / (fan_in + fan_out).

        2 for logistic layers, else 6; the output layer goes with the layer before it.
        """
        activation = self.estimator.activation
        last = self.activations[-1:] or [activation if isinstance(activation, str) else "relu"]
        names = self.activations + last
        return [2.0 if name == "logistic" else 6.0 for name in names]
