"""Exact statistics of batch norm at the end of a fit."""

import numpy as np

from skreg.training.listener import Listener


class ExactStatistics(Listener):
    """Recomputes them from the training rows, unless the running ones validate better.

    Layer by layer, each with the layers before it already recomputed, on the weights that the
    listeners before this one have left.

    Parameters
    ----------
    rows : TrainingRows
    """

    def __init__(self, rows):
        self._rows = rows

    def finish(self, trainer):
        if trainer.ended == "interrupted":
            return
        network, validation = trainer.network, self._rows.validation
        running = network.snapshot()
        try:
            before = np.inf if validation is None else validation.loss(network)
            network.recalibrate(self._rows.data, self._rows.train)
            worse = validation is not None and not validation.loss(network) <= before
        except KeyboardInterrupt:
            trainer.warn("Training interrupted by user.")
            worse = True
        if worse or not network.finite:
            network.restore(running)
