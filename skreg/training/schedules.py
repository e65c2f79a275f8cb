"""Learning-rate schedules: the rates of the next epoch, and what to do when progress ends.

To add one: a class with `factor` (of the share of training that is done) or the hooks of
`Constant`, its name in SCHEDULES.
"""

import math

import numpy as np


class Constant:
    """The initial rate throughout; training stops when progress ends.

    Parameters
    ----------
    initial : float
    power : float
        Of 'invscaling'.
    warmup : float
        Share of training in which the rate rises linearly from 0.
    n_steps, n_epochs : int
        Batches per epoch, and epochs in all: the horizon.
    patience, tol : int, float
        Of 'plateau': epochs, and the smallest gain that counts.
    """

    needs_horizon = False

    def __init__(
        self, initial, *, power=0.5, warmup=0.0, n_steps=1, n_epochs=1, patience=5, tol=0.0
    ):
        self.initial = self.rate = float(initial)
        self.power = power
        self.warmup = warmup
        self.n_steps, self.n_epochs = n_steps, n_epochs
        self.patience, self.tol = patience, tol
        self.epoch = 0

    def rates(self):
        """The rate of each step of the next epoch; a single one stands for all."""
        self.epoch += 1
        if not (self.warmup or self.needs_horizon):
            return np.array([self.rate])
        steps = np.arange((self.epoch - 1) * self.n_steps, self.epoch * self.n_steps)
        done = steps / (self.n_epochs * self.n_steps)
        after = np.clip((done - self.warmup) / (1 - self.warmup), 0, 1)
        rates = self.rate * np.array([self.factor(share) for share in after])
        if self.warmup:
            # The first step already moves: step k of w has the rate k / w, from k = 1 on.
            rising = (steps + 1) / (self.warmup * self.n_epochs * self.n_steps)
            rates *= np.minimum(rising, 1)
        return rates

    def factor(self, share):
        """Of the initial rate, when a share of the training after the warm-up is done."""
        return 1.0

    def epoch_end(self, t, loss):
        """Called after every epoch with the samples seen so far and the loss that is watched."""

    def on_plateau(self):
        """Called when progress has ended: True to stop training."""
        return True

    def waits(self, validated):
        """Whether a lack of progress means nothing yet.

        So it is while the rate rises, and for a rate that falls as planned to the end, unless a
        validation set is watched.
        """
        warming_up = self.epoch <= self.warmup * self.n_epochs
        return warming_up or (self.needs_horizon and not validated)

    def state(self):
        """What training continues, as numbers."""
        return {"epoch": self.epoch, "rate": self.rate}

    def restore(self, state):
        self.__dict__.update(state)


class InverseScaling(Constant):
    """initial / (t + 1) ** power, t in samples, updated after every epoch."""

    def epoch_end(self, t, loss):
        self.rate = self.initial / (t + 1) ** self.power


class Adaptive(Constant):
    """Divide the rate by 5 whenever progress ends, and stop once it is at most 1e-6."""

    def on_plateau(self):
        if self.rate <= 1e-6:
            return True
        self.rate /= 5.0
        return False


class Plateau(Constant):
    """Divide the rate by 5 after `patience` epochs in which the watched loss gained less than tol.

    Gains are measured from the loss at the last one, so that small ones add up.
    """

    def __init__(self, initial, **options):
        super().__init__(initial, **options)
        self.lowest, self.waited = math.inf, 0

    def epoch_end(self, t, loss):
        if loss < self.lowest - self.tol:
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited >= self.patience:
            self.rate, self.waited = self.rate / 5.0, 0

    def state(self):
        return {**super().state(), "lowest": self.lowest, "waited": self.waited}


class Cosine(Constant):
    """Half a cosine from the initial rate to 0 (Loshchilov and Hutter 2017)."""

    needs_horizon = True

    def factor(self, share):
        return (1 + math.cos(math.pi * share)) / 2


class CosineRestarts(Cosine):
    """Three such half cosines, each twice as long as the one before: 1/7, 2/7 and 4/7."""

    def factor(self, share):
        cycle = min(int(math.log2(share * 7 + 1)), 2)
        begin, length = (2**cycle - 1) / 7, 2**cycle / 7
        return super().factor((share - begin) / length)


class OneCycle(Cosine):
    """From 1/25 of the rate up to it within 30 % of training, then down to 1/250000 of it.

    Both along half a cosine (Smith and Topin 2019, with PyTorch's defaults).
    """

    def factor(self, share):
        first, last, rise = 1 / 25, 1 / 250_000, 0.3
        if share < rise:
            return 1 + (first - 1) * super().factor(share / rise)
        return last + (1 - last) * super().factor((share - rise) / (1 - rise))


class FlatCosine(Cosine):
    """The initial rate for half of training, then half a cosine to 0."""

    def factor(self, share):
        return super().factor(max(0.0, 2 * share - 1))


SCHEDULES = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "plateau": Plateau,
    "cosine": Cosine,
    "cosine_restarts": CosineRestarts,
    "one_cycle": OneCycle,
    "flat_cosine": FlatCosine,
}
