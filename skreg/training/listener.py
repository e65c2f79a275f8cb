"""Listener: place 8, the trajectory. What watches a training, shows other weights, or ends it.

The trainer calls the hooks of all its listeners in their order. A listener may read the trainer's
`network`, `memory`, `history`, `schedule`, `epoch`, `loss`, `watched_loss` and `ended`, set
`seconds` and `watched_loss`, and call `say`, `warn`, `waits`, `end` and `interrupt`.
"""

from contextlib import nullcontext


class Listener:
    """One of them; a subclass writes the hooks that it needs."""

    looks = False  # whether `look` needs the weights that would predict now

    def warm_start(self, trainer):
        """Training begins with the weights of an earlier fit."""

    def epoch_begin(self, trainer):
        """Before an epoch."""

    def trained(self, trainer):
        """The steps of an epoch are made."""

    def shown(self, trainer):
        """A context in which the network holds what would predict now."""
        return nullcontext()

    def look(self, trainer):
        """Within the contexts of all."""

    def epoch_end(self, trainer):
        """The last word on an epoch; may call `trainer.end`."""

    def waits(self, trainer):
        """Whether a lack of progress means nothing yet."""
        return False

    def kept_loss(self, trainer):
        """The validation loss of the weights to keep, or None."""

    def settled(self):
        """Whether training has come to rest, though nothing has ended it."""
        return False

    def progress(self, trainer):
        """What it adds to the line of an epoch, in pieces."""
        return []

    def finish(self, trainer):
        """Leave the weights to keep in the network. Training may go on afterwards without it."""

    def report(self, history):
        """Attributes of the fitted estimator."""
        return {}

    def state(self):
        """What it must know to go on, as arrays, numbers, strings and lists and dicts of these."""
        return {}

    def restore(self, state):
        """Take what `state` returned; empty where it was not there."""
        self.__dict__.update(state)
