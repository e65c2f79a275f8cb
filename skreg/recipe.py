"""Recipe: hyperparameters checked, and turned into the parts that the core is made of."""

import inspect
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

# Shared by classifier and regressor; scikit-learn's own first.
PARAMETER_CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({"identity", "logistic", "tanh", "relu"})],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
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
}

AUTO_BATCH_SIZE = 200


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
        self.dropout_rates = self._dropout_rates()
        self.batch_norm = bool(estimator.batch_norm and self.hidden_sizes)
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

    def _check_combinations(self):
        p = self.estimator
        in_epochs = {
            "dropout": any(self.dropout_rates),
            "input_dropout": p.input_dropout > 0,
            "batch_norm": self.batch_norm,
            "early_stopping": p.early_stopping,
        }
        for name, on in in_epochs.items():
            if on and not self.stochastic:
                raise ValueError(
                    f"{name}={getattr(p, name)!r} needs training in epochs, which solver='lbfgs' "
                    "does not do. Use solver='adam' or 'sgd', or leave it out."
                )
        if p.solver == "sgd" and p.momentum == 1 and self.l1 > 0:
            raise ValueError(
                "momentum=1 with an L1 penalty has no fixed point: the proximal step needs the "
                "rate learning_rate / (1 - momentum). Use momentum < 1."
            )
        if self.batch_norm and p.batch_size == 1:
            raise ValueError(
                "batch_norm=True needs batches of at least two rows, got batch_size=1. Use a "
                "larger batch_size."
            )

    def without_effect(self):
        """Messages about parameters that do nothing here; a grid's product makes them natural."""
        p = self.estimator
        signature = inspect.signature(type(p).__init__).parameters

        def changed(name):
            return getattr(p, name) != signature[name].default

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
        if not p.early_stopping and changed("scoring"):
            yield "scoring has no effect with early_stopping=False."

    def penalties(self):
        """Penalties of the core; with lbfgs, L1 is dealt with by splitting the weights."""
        strengths = {"l1": self.l1 if self.stochastic else 0.0, "l2": self.l2}
        return [(name, {"strength": s}) for name, s in strengths.items() if s > 0]

    def layers(self, n_outputs):
        """The parts of the network, in the order in which a row passes them."""
        p = self.estimator
        layers = [("dropout", {"p": float(p.input_dropout)})] if p.input_dropout > 0 else []
        for width, rate in zip(self.hidden_sizes, self.dropout_rates, strict=True):
            layers.append(("dense", {"units": float(width)}))
            if self.batch_norm:
                options = {"momentum": p.batch_norm_momentum, "epsilon": p.batch_norm_epsilon}
                layers.append(("batch_norm", {k: float(v) for k, v in options.items()}))
            layers.append((p.activation, {}))
            if rate > 0:
                layers.append(("dropout", {"p": rate}))
        return [*layers, ("dense", {"units": float(n_outputs)})]

    def optimizer(self):
        """The optimizer of the core."""
        p = self.estimator
        options = {"beta_1": p.beta_1, "beta_2": p.beta_2, "epsilon": p.epsilon}
        if p.solver == "sgd":
            options = {"momentum": p.momentum, "nesterov": p.nesterovs_momentum}
        return p.solver, {name: float(value) for name, value in options.items()}

    def schedule(self):
        """Name of the learning-rate schedule; scikit-learn's act on sgd only."""
        return self.estimator.learning_rate if self.estimator.solver == "sgd" else "constant"

    def initial_factor(self):
        """Initial weights are from U(-b, b) with b^2 = factor / (fan_in + fan_out)."""
        return 2.0 if self.estimator.activation == "logistic" else 6.0
