"""Optimization: the parameters of the optimizer, its batches and its learning rate."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.common import warn
from skreg.training.lbfgs import FullBatch
from skreg.training.schedules import SCHEDULES
from skreg.training.trainer import Trainer

AUTO_BATCH_SIZE = 200

# What each optimizer reads beside its rate.
OPTIONS = {"adam": ("beta_1", "beta_2", "epsilon"), "sgd": ("momentum", "nesterovs_momentum")}

# These act on sgd only and are silent elsewhere, as in scikit-learn.
SCIKIT_LEARN_SCHEDULES = ("constant", "invscaling", "adaptive")

CONSTRAINTS: dict = {
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
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
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "warmup": [Interval(Real, 0, 1, closed="left")],
}


class Optimization:
    """What the parameters in CONSTRAINTS mean; `in_epochs` is False for lbfgs."""

    cast = ("learning_rate_init", "epsilon")  # reach the core in the number type of X

    def __init__(self, estimator):
        self.estimator = estimator
        self.in_epochs = estimator.solver != "lbfgs"
        self.trainer = Trainer if self.in_epochs else FullBatch
        self.shuffle, self.verbose = estimator.shuffle, estimator.verbose

    def spec(self):
        """The optimizer of the core."""
        p = self.estimator
        options = {"beta_1": p.beta_1, "beta_2": p.beta_2, "epsilon": p.epsilon}
        if p.solver == "sgd":
            options = {"momentum": p.momentum, "nesterov": p.nesterovs_momentum}
        return p.solver, {name: float(value) for name, value in options.items()}

    def schedule(self, n_steps):
        """The learning-rate schedule; scikit-learn's own act on sgd only."""
        p, name = self.estimator, self._schedule_name()
        patience = p.n_iter_no_change
        return SCHEDULES[name](
            p.learning_rate_init,
            power=p.power_t,
            warmup=0.0 if name == "one_cycle" else float(p.warmup),
            n_steps=n_steps,
            n_epochs=p.max_iter,
            tol=p.tol,
            patience=5 if patience in ("auto", np.inf) else max(1, patience // 2),
        )

    def _schedule_name(self):
        p = self.estimator
        silent = p.solver != "sgd" and p.learning_rate in SCIKIT_LEARN_SCHEDULES
        return "constant" if silent else p.learning_rate

    def batch_size(self, n_rows):
        """Rows of a batch, at most all."""
        batch_size = self.estimator.batch_size
        if batch_size != "auto" and batch_size > n_rows:
            warn(
                f"batch_size={batch_size} is larger than the {n_rows} training rows. It is "
                "clipped to their number.",
                once=True,
            )
        return self._clipped(n_rows)

    def _clipped(self, n_rows):
        batch_size = self.estimator.batch_size
        return min(AUTO_BATCH_SIZE if batch_size == "auto" else int(batch_size), n_rows)

    def values(self, n_rows):
        """Name and value of the parameters that act on so many rows, as they act."""
        p = self.estimator
        if not self.in_epochs:
            return {"solver": p.solver, "tol": p.tol}
        schedule, own = self._schedule_name(), OPTIONS[p.solver]
        own += ("power_t",) if schedule == "invscaling" else ()
        own += ("warmup",) if p.warmup and schedule != "one_cycle" else ()
        return {
            "solver": p.solver,
            "learning_rate_init": p.learning_rate_init,
            "learning_rate": schedule,
            "batch_size": self._clipped(n_rows),
            **{name: getattr(p, name) for name in own},
        }

    @property
    def plans_epochs(self):
        """Whether the learning rate depends on max_iter."""
        p = self.estimator
        return SCHEDULES[p.learning_rate].needs_horizon or p.warmup > 0

    def check_partial_fit(self):
        """Errors for schedules that need to know the end."""
        p = self.estimator
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
        """Messages about parameters that do nothing here."""
        p = self.estimator
        if p.warmup > 0 and not self.in_epochs:
            yield "warmup has no effect with solver='lbfgs'."
        if p.warmup > 0 and p.learning_rate == "one_cycle":
            yield "warmup has no effect with learning_rate='one_cycle', which has its own."
        if not self.in_epochs and p.learning_rate not in SCIKIT_LEARN_SCHEDULES:
            yield f"learning_rate={p.learning_rate!r} has no effect with solver='lbfgs'."
