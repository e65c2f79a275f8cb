"""What ends a training from outside: time."""

import time

from skreg.training.listener import Listener


class TimeLimit(Listener):
    """Ends training between two batches once so many seconds are over since its first epoch."""

    def __init__(self, limit):
        self.limit = limit
        self._deadline = None

    def epoch_begin(self, trainer):
        if self._deadline is None:
            self._deadline = time.monotonic() + self.limit
        trainer.seconds = self._deadline - time.monotonic()

    def epoch_end(self, trainer):
        if time.monotonic() >= self._deadline:
            trainer.warn(
                f"Training stopped in epoch {trainer.epoch}: time_limit={self.limit} is over."
            )
            trainer.end("time_limit")

    def restore(self, state):
        """A training that goes on has the whole time again."""
        self._deadline = None
