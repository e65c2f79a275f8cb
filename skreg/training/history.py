"""History: what a training tells of its epochs, as the fitted attributes do."""

import math
from dataclasses import dataclass, field


@dataclass
class History:
    """Curves over the epochs; those of a fit that continues another go on from there."""

    losses: list = field(default_factory=list)
    rates: list = field(default_factory=list)  # at the end of every epoch
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    t: int = 0  # rows seen
    best_loss: float = math.inf  # of training, where nothing is validated
    no_improvement_count: int = 0

    @classmethod
    def of(cls, attributes):
        """From the attributes of a fitted estimator."""
        names = ("loss_curve_", "lr_curve_", "validation_loss_curve_", "validation_scores_")
        best = attributes.get("best_loss_")
        return cls(
            *(list(attributes.get(name) or []) for name in names),
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
        }


NOT_VALIDATED = dict.fromkeys(
    ["validation_scores_", "validation_loss_curve_", "best_validation_score_", "best_iter_"]
)
