"""Weight averaging: a second copy of the parameters, which validates and predicts.

To add a kind: a class with `collect(epoch)` and `value()`.
"""

from contextlib import contextmanager

import numpy as np

from skreg.messages import warn


class Average:
    """What both kinds share: showing the average in the place of the current parameters.

    Weights that are exactly zero now are zero in the average, so that what L1 and group penalties
    have removed stays removed. Batch-norm statistics are those of the averaged network, recomputed
    from the training rows.
    """

    def __init__(self, network, data, rows):
        self.network, self.data, self.rows = network, data, rows

    def collect(self, epoch):
        """Called after each epoch, counted from 1."""

    def waits(self, epoch):
        """Whether training should go on because averaging has not begun."""
        return False

    def value(self):
        """The average, or None while there is none."""
        raise NotImplementedError

    def install(self):
        """Put the average in the place of the current parameters."""
        value = self.value()
        if value is None:
            return
        n = self.network.n_weights
        value[:n][self.network.parameters[:n] == 0] = 0
        self.network.parameters[:] = value
        if self.network.has_statistics:
            self.network.recalibrate(self.data, self.rows)

    @contextmanager
    def shown(self):
        """The average for the time of a validation."""
        current = self.network.snapshot()
        try:
            self.install()
            yield
        finally:
            self.network.restore(current)

    def finish(self, progress):
        """Leave the average in the network."""
        if self.value() is None:
            warn("weight_averaging has averaged nothing: training ended before swa_start.")
        running = self.network.statistics.copy()
        try:
            self.install()
        except KeyboardInterrupt:
            progress.interrupted = True
            self.network.statistics[:] = running
            warn("Training interrupted by user.")


class ExponentialAverage(Average):
    """a = decay * a + (1 - decay) * w after each step, from a = 0, divided by 1 - decay ** t.

    The division makes it the weighted mean of what was seen, also after few steps (Kingma and Ba
    2015, section 3, for moments). The core keeps a in `network.average` and counts the steps.
    """

    def __init__(self, network, data, rows, decay, counters):
        super().__init__(network, data, rows)
        self.decay, self.counters = decay, counters

    def value(self):
        t = int(self.counters[1])
        if t == 0:
            return None
        average = self.network.average
        return (average / -np.expm1(t * np.log(self.decay))).astype(average.dtype)


class StochasticWeightAverage(Average):
    """The plain mean of the parameters at the end of each epoch from `start` on.

    Izmailov et al. (2018).
    """

    def __init__(self, network, data, rows, start):
        super().__init__(network, data, rows)
        self.start = start
        self.mean, self.n = np.zeros(network.parameters.size), 0

    def waits(self, epoch):
        return epoch < self.start

    def collect(self, epoch):
        if epoch >= self.start:
            self.n += 1
            self.mean += (self.network.parameters - self.mean) / self.n

    def value(self):
        return self.mean.astype(self.network.parameters.dtype) if self.n else None
