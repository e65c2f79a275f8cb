"""Learning-rate schedules: the rate of the next epoch, and what to do when progress ends.

To add one: a class with `rate`, `epoch_end(t)` and `on_plateau()`, its name in `make_schedule`.
"""


class Constant:
    """The initial rate throughout; training stops when progress ends."""

    def __init__(self, initial):
        self.initial = self.rate = initial

    def epoch_end(self, t):
        """Called after every epoch with the number of samples seen so far."""

    def on_plateau(self):
        """Called when progress has ended: True to stop training."""
        return True


class InverseScaling(Constant):
    """initial / (t + 1) ** power, t in samples, updated after every epoch."""

    def __init__(self, initial, power):
        super().__init__(initial)
        self.power = power

    def epoch_end(self, t):
        self.rate = self.initial / (t + 1) ** self.power


class Adaptive(Constant):
    """Divide the rate by 5 whenever progress ends, and stop once it is at most 1e-6."""

    def on_plateau(self):
        if self.rate <= 1e-6:
            return True
        self.rate /= 5.0
        return False


def make_schedule(name, initial, power):
    if name == "invscaling":
        return InverseScaling(initial, power)
    return {"constant": Constant, "adaptive": Adaptive}[name](initial)
