"""Weight averaging: a second copy of the parameters, which validates and predicts.

To add a kind: a class with `value()`, and `trained(trainer)` where it collects.
"""

from contextlib import contextmanager

import numpy as np

from skreg.training.listener import Listener


class Average(Listener):
    """What both kinds share: showing the average in the place of the current parameters.

    Weights that are exactly zero now are zero in the average, so that what L1 and group penalties
    have removed stays removed. Batch-norm statistics are those of the averaged network, recomputed
    from the training rows.

    Parameters
    ----------
    rows : TrainingRows
    """

    def __init__(self, rows):
        self._rows = rows

    def value(self, trainer):
        """The average, or None while there is none."""
        raise NotImplementedError

    def install(self, trainer):
        """Put the average in the place of the current parameters."""
        network, value = trainer.network, self.value(trainer)
        if value is None:
            return
        n = network.n_weights
        value[:n][network.parameters[:n] == 0] = 0
        network.parameters[:] = value
        if network.has_statistics:
            network.recalibrate(self._rows.data, self._rows.train)

    @contextmanager
    def shown(self, trainer):
        """The average for the time of a validation."""
        current = trainer.network.snapshot()
        try:
            self.install(trainer)
            yield
        finally:
            trainer.network.restore(current)

    def finish(self, trainer):
        """Leave the average in the network."""
        if self.value(trainer) is None:
            trainer.warn("weight_averaging has averaged nothing: training ended before swa_start.")
        running = trainer.network.statistics.copy()
        try:
            self.install(trainer)
        except KeyboardInterrupt:
            trainer.network.statistics[:] = running
            trainer.interrupt()


class ExponentialAverage(Average):
    """a = decay * a + (1 - decay) * w after each step, from a = 0, divided by 1 - decay ** t.

    The division makes it the weighted mean of what was seen, also after few steps (Kingma and Ba
    2015, section 3, for moments). The core keeps a in `network.average` and counts the steps.
    """

    def __init__(self, rows, decay):
        super().__init__(rows)
        self._decay = decay

    def value(self, trainer):
        t = int(trainer.memory.counters[1])
        if t == 0:
            return None
        average = trainer.network.average
        return (average / -np.expm1(t * np.log(self._decay))).astype(average.dtype)


class StochasticWeightAverage(Average):
    """The plain mean of the parameters at the end of each epoch from `start` on.

    Izmailov et al. (2018).
    """

    def __init__(self, rows, start):
        super().__init__(rows)
        self._start = start
        self.mean, self.n = None, 0

    def waits(self, trainer):
        return trainer.epoch < self._start

    def trained(self, trainer):
        if trainer.epoch < self._start:
            return
        parameters = trainer.network.parameters
        self.mean = np.zeros(parameters.size) if self.mean is None else self.mean
        self.n += 1
        self.mean += (parameters - self.mean) / self.n

    def value(self, trainer):
        return self.mean.astype(trainer.network.parameters.dtype) if self.n else None

    def state(self):
        return {"mean": None if self.mean is None else self.mean.copy(), "n": self.n}
