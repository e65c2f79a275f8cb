"""Place 3: what changes targets and the loss."""

from numbers import Real

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.network.losses import CONSTRAINTS, REGRESSION
from skreg.regularization.technique import Technique


class LabelSmoothing(Technique):
    """Labels that are not quite certain, seen by the gradient alone (Szegedy et al. 2016)."""

    name = "label_smoothing"
    parameters = {"label_smoothing": [Interval(Real, 0, 1, closed="left")]}

    def loss(self):
        return {"smoothing": float(self.value)}


class RobustLoss(Technique):
    """Losses that bound the influence of a target are in `network/losses.py`."""

    name = "loss"
    parameters = CONSTRAINTS
    in_epochs = False

    def values(self):
        names = ("loss", *REGRESSION[self.value].parameters) if self.changed("loss") else ()
        return {name: getattr(self.estimator, name) for name in names}

    @property
    def cast(self):
        return ("delta",) if self.value == "huber" else ()

    def without_effect(self, plan):
        for loss in REGRESSION.values():
            for name in loss.parameters:
                if loss.name != self.value and self.changed(name):
                    yield f"{name} has an effect with loss={loss.name!r} only."


class StandardizedTargets(Technique):
    """The network learns y in deviations from its mean; what leaves it is in units of y."""

    name = "standardize_y"
    parameters = {"standardize_y": ["boolean"]}
    in_epochs = False

    def check(self, plan):
        if REGRESSION[self.estimator.loss].power is None:
            raise ValueError(
                f"standardize_y=True makes some y negative, of which loss={self.estimator.loss!r} "
                "has no value. Use standardize_y=False, or another loss."
            )


class ClassWeight(Technique):
    """Weights of the rows by their class, which multiply their sample weights."""

    name = "class_weight"
    parameters = {"class_weight": [dict, StrOptions({"balanced"}), None]}
    in_epochs = False

    @property
    def on(self):
        return self.value is not None

    def check_partial_fit(self):
        raise ValueError(
            "class_weight is not supported by partial_fit, which does not see all labels. "
            "Pass sample_weight instead."
        )

    def weigh(self, labels, y):
        """One for each class, from all of y."""
        if labels.multilabel:
            raise ValueError(
                "class_weight is not supported for multilabel targets. Pass sample_weight instead."
            )
        classes = labels.classes
        weights = compute_class_weight(self.value, classes=classes, y=classes[y])
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                "class_weight must hold finite weights >= 0, at least one of them positive, got "
                f"{self.value}."
            )
        labels.class_weights = weights
