"""Saving: a training whose state is kept in a file, and continued from it."""

import numpy as np

from skreg.training.listener import Listener


class Saving(Listener):
    """Writes the trainer's state at the end of epochs.

    Parameters
    ----------
    file : object with `load`, `save`, `done` and `every`
    """

    def __init__(self, file):
        self._file = file
        self._loaded = file.load()
        self._first = None  # the random state before anything was drawn

    def begin(self, random_state):
        """The random state to begin with: that of the fit that is continued, if there is one."""
        if self._loaded is not None:
            random_state = np.random.RandomState()
            random_state.set_state(self._loaded["first"])
        self._first = random_state.get_state(legacy=False)
        return random_state

    def resume(self, trainer):
        """Bring a trainer that has begun in the same way to where the other one was."""
        if self._loaded is not None:
            trainer.restore(self._loaded["trainer"])
            self._loaded = None

    def epoch_end(self, trainer):
        if trainer.epoch % self._file.every == 0:
            self._file.save({"first": self._first, "trainer": trainer.state()})

    def done(self, trainer):
        """The fit is over; one that was cut short may be continued by the next."""
        if trainer.ended not in ("time_limit", "interrupted"):
            self._file.done()
