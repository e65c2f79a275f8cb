"""Place 1: what changes the rows of a batch. Augmentation in Python, all else in the core."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skreg.augmentation.base import Augmenter
from skreg.regularization.technique import Technique

SHARE = [Interval(Real, 0, 1, closed="left")]
SIZE = [Interval(Real, 0, None, closed="left")]


class Augmentation(Technique):
    """A fresh random variant of every row in every epoch, before anything else."""

    name = "augmentation"
    parameters = {"augmentation": [Augmenter, None]}

    @property
    def on(self):
        return self.value is not None


class RowChange(Technique):
    """In the core, on the gathered batch."""

    columns = True
    option = "p"  # what the core calls the value

    def rows(self):
        return [(self.name, {self.option: float(self.value)})]


class RowMixture(RowChange):
    """Takes values from other rows of the batch."""

    def check(self, plan):
        if self.estimator.batch_size == 1:
            raise ValueError(
                f"{self.name}={self.value} takes values from other rows of the batch, got "
                "batch_size=1. Use a larger batch_size."
            )


class SwapNoise(RowMixture):
    """Values of other rows (Vincent et al. 2010, Bahri et al. 2022)."""

    name = "swap_noise"
    parameters = {"swap_noise": SHARE}


class MixUp(RowMixture):
    """Mixtures of two rows and of their targets (Zhang et al. 2018)."""

    name = "mixup"
    parameters = {
        "mixup": SIZE,
        "mixup_bandwidth": [Interval(Real, 0, None, closed="neither"), None],
    }
    option = "concentration"

    @property
    def bandwidth(self):
        """C-Mixup (Yao et al. 2022), for numbers alone."""
        return getattr(self.estimator, "mixup_bandwidth", None)

    def rows(self):
        (name, options), *_ = super().rows()
        if self.bandwidth is not None:
            options["bandwidth"] = float(self.bandwidth)
        return [(name, options)]

    def without_effect(self, plan):
        if self.bandwidth is not None and not self.on:
            yield "mixup_bandwidth has no effect with mixup=0."


class CutMix(RowMixture):
    """Columns of another row, and that share of its target (Yun et al. 2019)."""

    name = "cutmix"
    parameters = {"cutmix": SHARE}


class CutOut(RowChange):
    """Values set to the mean of their feature (DeVries and Taylor 2017)."""

    name = "cutout"
    parameters = {"cutout": SHARE}


class InputNoise(RowChange):
    """Normal noise, in deviations of the feature (Bishop 1995)."""

    name = "input_noise"
    parameters = {"input_noise": SIZE}
    cast = ("input_noise",)
    option = "size"


class Adversarial(RowChange):
    """Half of the loss at rows moved against it (Goodfellow et al. 2015): places 2 to 4 twice.

    In the core a rule of the gradient (`gradient.hpp`), which moves rows (`attack` in `data.hpp`).
    """

    name = "adversarial_epsilon"
    parameters = {"adversarial_epsilon": SIZE}
    cast = ("adversarial_epsilon",)

    def rows(self):
        return [("adversarial", {"epsilon": float(self.value)})]
