"""Place 8: what follows a training between epochs. Averaging, early stopping, a limit of time."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skreg.regularization.technique import Technique
from skreg.training import averaging, stopping
from skreg.training.limits import TimeLimit
from skreg.training.statistics import ExactStatistics


class WeightAveraging(Technique):
    """The average of the weights validates and predicts (Izmailov et al. 2018)."""

    name = "weight_averaging"
    parameters = {
        "weight_averaging": [StrOptions({"ema", "swa"}), None],
        "ema_decay": [Interval(Real, 0, 1, closed="neither")],
        "swa_start": [Interval(Real, 0, 1, closed="left")],
    }

    @property
    def plans_epochs(self):
        return self.value == "swa"

    def values(self):
        name = "ema_decay" if self.value == "ema" else "swa_start"
        return {self.name: self.value, name: getattr(self.estimator, name)}

    def check_partial_fit(self):
        raise ValueError(
            "partial_fit does not support weight_averaging, whose result is not what training "
            "goes on from. Use fit, or weight_averaging=None."
        )

    def steps(self):
        ema = self.value == "ema"
        return [("ema", {"decay": float(self.estimator.ema_decay)})] if ema else []

    def listeners(self, plan, rows, history):
        p = self.estimator
        if self.value == "ema":
            return [averaging.ExponentialAverage(rows, p.ema_decay)]
        return [averaging.StochasticWeightAverage(rows, int(p.swa_start * p.max_iter) + 1)]

    def without_effect(self, plan):
        for name, kind in (("ema_decay", "ema"), ("swa_start", "swa")):
            if self.changed(name) and self.value != kind:
                yield f"{name} has an effect with weight_averaging={kind!r} only."


class Patience(Technique):
    """Training ends for lack of progress: in the training loss, or in what is validated."""

    name = "n_iter_no_change"
    parameters = {
        "n_iter_no_change": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ]
    }
    in_epochs = False

    def values(self):
        return super().values() if self.estimator.solver != "lbfgs" else {}

    def listeners(self, plan, rows, history):
        p, validation = self.estimator, rows.validation
        as_scikit_learn = validation is None or p.scoring is None
        patience = stopping.PatienceRule(self.value, 10 if as_scikit_learn else None)
        if validation is None:
            return [stopping.TrainingLoss(p.tol, patience, history, rows.targets.unit)]
        rule = stopping.ScoreStopping if p.scoring is None else stopping.EarlyStopping
        measure = validation.measure(p, rows.targets, plan.attributes)
        unit = rows.targets.unit if p.scoring == "loss" else 1.0
        return [rule(measure, p.tol, patience, restore_best=p.restore_best, unit=unit)]


class EarlyStopping(Technique):
    """Rows to validate on, whose best weights stay."""

    name = "early_stopping"
    parameters = {
        "early_stopping": ["boolean"],
        "scoring": [str, callable, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "restore_best": ["boolean"],
    }

    def values(self):
        """Not the share of the rows: they may have come from elsewhere."""
        names = (self.name, "scoring", "restore_best")
        return {name: getattr(self.estimator, name) for name in names}

    def check_partial_fit(self):
        raise ValueError("partial_fit does not support early_stopping=True")

    def divided(self, rows, random_state):
        p = self.estimator
        if rows.validation is not None:
            return rows
        return rows.hold_out(p, p.validation_fraction, random_state)

    def without_effect(self, plan):
        for name in ("scoring", "restore_best"):
            if not self.on and self.changed(name):
                yield f"{name} has no effect with early_stopping=False."


class Time(Technique):
    """Training ends after so many seconds."""

    name = "time_limit"
    parameters = {"time_limit": [Interval(Real, 0, None, closed="neither"), None]}

    def listeners(self, plan, rows, history):
        return [TimeLimit(self.value)]


class Recalibration(Technique):
    """Batch norm's exact statistics at the end of a fit; on with `batch_norm`."""

    name = "batch_norm"
    hidden = True

    def listeners(self, plan, rows, history):
        return [ExactStatistics(rows)]

    def without_effect(self, plan):
        """`BatchNorm` says it."""
        return []
