"""History: what a training tells of its epochs, as the fitted attributes do."""

import math
from dataclasses import dataclass, field

# The keys of `history_`, and the curves of `History` that they show.
CURVES = {
    "objective": "losses",
    "training_loss": "data_losses",
    "validation_loss": "validation_losses",
    "validation_score": "validation_scores",
    "learning_rate": "rates",
    "seconds": "seconds",
}


@dataclass
class History:
    """Curves over the epochs; those of a fit that continues another go on from there."""

    losses: list = field(default_factory=list)  # with penalties
    rates: list = field(default_factory=list)  # at the end of every epoch
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    data_losses: list = field(default_factory=list)  # without penalties
    seconds: list = field(default_factory=list)
    t: int = 0  # rows seen
    best_loss: float = math.inf  # of training, where nothing is validated
    no_improvement_count: int = 0

    @classmethod
    def of(cls, attributes):
        """From the attributes of a fitted estimator."""
        names = ("loss_curve_", "lr_curve_", "validation_loss_curve_", "validation_scores_")
        curves = [list(attributes.get(name) or []) for name in names]
        told = attributes.get("history_", {}) if curves[0] else {}  # lbfgs' is its own
        best = attributes.get("best_loss_")
        return cls(
            *curves,
            data_losses=list(told.get("training_loss", [])),
            seconds=list(told.get("seconds", [])),
            t=attributes.get("t_", 0),
            best_loss=math.inf if best is None else best,
            no_improvement_count=attributes.get("_no_improvement_count", 0),
        )

    def attributes(self):
        """The same the other way; validation is told by the one who validates."""
        return {
            "t_": self.t,
            "loss_": self.losses[-1] if self.losses else math.nan,
            "loss_curve_": self.losses,
            "lr_curve_": self.rates,
            "history_": self.by_epoch(),
        }

    def not_validated(self):
        """What an earlier fit has validated is over."""
        self.validation_losses.clear()
        self.validation_scores.clear()

    def by_epoch(self):
        """One number an epoch and curve; NaN where nothing was validated."""
        n = len(self.losses)
        curves = {key: getattr(self, name) for key, name in CURVES.items() if getattr(self, name)}
        return {key: [math.nan] * (n - len(curve)) + curve for key, curve in curves.items()}


NOT_VALIDATED = dict.fromkeys(
    ["validation_scores_", "validation_loss_curve_", "best_validation_score_", "best_iter_"]
)
