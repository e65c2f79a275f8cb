"""Places 5 to 7: what acts on the gradient, with the step, and after it on the weights."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skreg.regularization.technique import Technique

STRENGTH = [Interval(Real, 0, None, closed="left")]
BOUND = [Interval(Real, 0, None, closed="neither"), None]


class L2(Technique):
    """strength / 2 * sum w^2, the L2 part of `penalty`."""

    name = "penalty"
    parameters = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None],
        "alpha": STRENGTH,
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    }
    cast = ("alpha",)
    in_epochs = False

    @property
    def strength(self):
        return float(self.estimator.alpha) * (1 - l1_ratio(self.estimator))

    @property
    def on(self):
        return self.value is not None and self.strength > 0

    def values(self):
        return penalty(self.estimator)

    def steps(self):
        return [("l2", {"strength": self.strength})]

    def without_effect(self, plan):
        p = self.estimator
        if p.penalty is None and self.changed("alpha"):
            yield "alpha has no effect with penalty=None."
        if p.penalty != "elasticnet" and self.changed("l1_ratio"):
            yield "l1_ratio has an effect with penalty='elasticnet' only."


class ClipNorm(Technique):
    """Rescales long gradients (Pascanu, Mikolov and Bengio 2013)."""

    name = "clip_norm"
    parameters = {"clip_norm": BOUND}

    def steps(self):
        return [("clip_norm", {"largest": float(self.value)})]


class WeightDecay(Technique):
    """w *= 1 - rate * strength before the step (Loshchilov and Hutter 2019)."""

    name = "weight_decay"
    parameters = {"weight_decay": STRENGTH}

    def check(self, plan):
        p = self.estimator
        if p.weight_decay * p.learning_rate_init >= 1:
            raise ValueError(
                f"weight_decay={p.weight_decay} with learning_rate_init={p.learning_rate_init} "
                "would turn the signs of the weights in each step: the product must be below 1."
            )

    def steps(self):
        return [("weight_decay", {"strength": float(self.value)})]


class Proximal(Technique):
    """A step after the optimizer's, by which weights become exactly 0."""

    title = ""  # in the error

    def check(self, plan):
        if self.estimator.solver == "sgd" and self.estimator.momentum == 1:
            raise ValueError(
                f"momentum=1 with {self.title} has no fixed point: the proximal step needs the "
                "rate learning_rate / (1 - momentum). Use momentum < 1."
            )


class L1(Proximal):
    """strength * sum |w|, the L1 part of `penalty`; by bounds with lbfgs."""

    name = "penalty"
    title = "an L1 penalty"
    in_epochs = False

    @property
    def l1(self):
        return float(self.estimator.alpha) * l1_ratio(self.estimator)

    @property
    def on(self):
        return self.value is not None and self.l1 > 0

    def values(self):
        return penalty(self.estimator)

    def steps(self):
        return [("l1", {"strength": self.l1})] if self.estimator.solver != "lbfgs" else []


class FeatureAlpha(Proximal):
    """Group lasso on the outgoing weights of each input (Yuan and Lin 2006)."""

    name = title = "feature_alpha"
    parameters = {"feature_alpha": STRENGTH}
    cast = ("feature_alpha",)

    def steps(self):
        return [("row_groups", {"strength": float(self.value), "layer": 0.0})]


class UnitAlpha(Proximal):
    """The same on those of each hidden unit."""

    name = title = "unit_alpha"
    parameters = {"unit_alpha": STRENGTH}
    cast = ("unit_alpha",)
    hidden = True

    def steps(self):
        strength, n_hidden = float(self.value), len(self.architecture.sizes)
        layers = [{"strength": strength, "layer": i + 1.0} for i in range(n_hidden)]
        return [("row_groups", options) for options in layers]

    def without_effect(self, plan):
        yield from super().without_effect(plan)
        if self.on and (plan.is_on("residual") or plan.norm == "layer_norm"):
            yield (
                "unit_alpha removes no units under residual links or layer_norm, where a unit "
                "without outgoing weights still has a part in the prediction."
            )


class MaxNorm(Technique):
    """Bounds the incoming weights of each hidden unit (Srivastava et al. 2014)."""

    name = "max_norm"
    parameters = {"max_norm": BOUND}
    cast = ("max_norm",)
    hidden = True

    def steps(self):
        largest, n_hidden = float(self.value), len(self.architecture.sizes)
        layers = [{"largest": largest, "layer": float(i)} for i in range(n_hidden)]
        return [("max_norm", options) for options in layers]


def penalty(estimator):
    """Name and value of the parameters that say what `penalty` does."""
    names = ("penalty", "alpha", *["l1_ratio"] * (estimator.penalty == "elasticnet"))
    return {name: getattr(estimator, name) for name in names}


def l1_ratio(estimator):
    """The share of L1 in the penalty."""
    return {"l1": 1.0, "l2": 0.0}.get(estimator.penalty, float(estimator.l1_ratio))
