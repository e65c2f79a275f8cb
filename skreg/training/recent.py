"""Recent epochs: the networks of those that may still be asked for."""

from skreg.training.listener import Listener


class RecentEpochs(Listener):
    """Keeps what predicts after each epoch, until it is told which epochs are enough.

    Attributes
    ----------
    kept : dict of {int: (ndarray, ndarray)}
        By epoch, from 1 on, parameters and statistics: the average, where there is one.
    """

    looks = True

    def __init__(self):
        self.kept = {}

    def look(self, trainer):
        self.kept[trainer.epoch] = trainer.network.snapshot()

    def keep(self, epochs):
        """Forget all other ones."""
        self.kept = {epoch: self.kept[epoch] for epoch in set(epochs) if epoch in self.kept}

    def state(self):
        return {}
