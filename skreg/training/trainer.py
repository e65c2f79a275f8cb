"""Trainer: the epoch loop. Read `_epoch` first.

A training step has eight places. Places 1 to 7 (data, layers, targets and loss, backward,
gradient, step, prox) run in the core, one call an epoch (`_core/epoch.hpp` shows them under the
same numbers); place 8, the trajectory, is what the listeners do.
"""

import copy
import math
import time
from contextlib import ExitStack, nullcontext

import numpy as np

from skreg.training.advice import advise
from skreg.training.earlier import remember
from skreg.training.history import History
from skreg.training.listener import Listener
from skreg.training.memory import Memory

HOOKS = ("epoch_begin", "trained", "shown", "look", "epoch_end", "waits")


class Trainer:
    """Trains one network, epoch by epoch; can stop after any of them and go on.

    Made by `fresh`, `warm` or `continued`; `restore` takes the state of another one.

    Parameters
    ----------
    plan : Plan
        What the hyperparameters mean.
    network : Network
        With its weights.
    memory : Memory
    rows : TrainingRows
    random_state : RandomState
        Draws the validation rows, then shuffles, both as scikit-learn does.
    history : History
        Continued in place.
    listeners : sequence of Listener
        Beside those of the plan.
    """

    def __init__(self, plan, network, memory, rows, random_state, history, listeners):
        self.rows = rows = plan.divided(rows, random_state)
        rows.check()
        self.network, self.memory, self.history = network, memory, history
        self.random_state = random_state
        self.epoch = 0  # epochs of this fit
        self.loss = self.watched_loss = math.nan  # of the last epoch
        self.seconds = math.inf  # that the next epoch may take
        # None, or why: no_progress, max_iter, time_limit, callback, diverged, interrupted.
        self.ended = None
        self.warnings = []
        self.serial = nullcontext()  # for scorers
        self.unit = rows.targets.unit  # of losses in the history, in that of those above
        self._estimator = plan.estimator
        self._shuffle, self._verbose = plan.optimization.shuffle, plan.optimization.verbose
        self._batch_size = plan.optimization.batch_size(len(rows.train))
        self.schedule = plan.optimization.schedule(-(-len(rows.train) // self._batch_size))
        self.schedule.restore(memory.schedule)
        if plan.needs_columns:
            memory.learn_columns(network, rows)
        self._epochs = rows.epochs(network, plan.estimator.augmentation, len(history.losses))
        self._order = self._epochs.rows.copy()
        self._spare = np.empty_like(self._order)
        self.listeners = [*plan.listeners(rows, history), *listeners]
        self._looks = any(listener.looks for listener in self.listeners)
        self._hooks = {hook: self._with(hook) for hook in HOOKS}
        memory.attach(network)

    def _with(self, hook):
        """The methods of the listeners that have this hook."""
        of_all = getattr(Listener, hook)
        return [getattr(x, hook) for x in self.listeners if getattr(type(x), hook) is not of_all]

    @classmethod
    def fresh(cls, plan, rows, random_state, listeners=()):
        """From initial weights."""
        network = plan.network(rows, _draw_seed(random_state))
        plan.initialize(network, random_state)
        memory = Memory(network, plan.optimization.spec(), {})
        return cls(plan, network, memory, rows, random_state, History(), listeners)

    @classmethod
    def warm(cls, plan, rows, random_state, before, listeners=()):
        """From the weights of an earlier fit, with a new optimizer."""
        network = plan.network(rows, before.memory.get("seed", _draw_seed(random_state)))
        before.load(network, plan, rows.targets)
        memory = Memory(network, plan.optimization.spec(), before.memory)
        trainer = cls(plan, network, memory, rows, random_state, before.history, listeners)
        for listener in trainer.listeners:
            listener.warm_start(trainer)
        return trainer

    @classmethod
    def continued(cls, plan, rows, random_state, before, listeners=()):
        """From the weights of an earlier fit, with its optimizer."""
        network = plan.network(rows, before.memory.get("seed", _draw_seed(random_state)))
        before.load(network, plan, rows.targets)
        memory = Memory(network, plan.optimization.spec(), before.memory)
        memory.go_on(before.memory)
        return cls(plan, network, memory, rows, random_state, before.history, listeners)

    # ---------------------------------------------------------------------------- training

    def run(self, n_epochs):
        """Train to the end, with a warning where that is the last of so many epochs in all."""
        self.advance(n_epochs - self.epoch)
        if self.ended in (None, "no_progress"):
            max_iter = n_epochs if self.still_learns else None
            advise(self, *self._kept_loss(), self._estimator, max_iter=max_iter)
        self.end("max_iter")

    @property
    def still_learns(self):
        """Whether nothing has ended it: no lack of progress, no plan, and it is not at rest."""
        at_rest = any(listener.settled() for listener in self.listeners)
        return not (self.ended or self.schedule.needs_horizon or at_rest)

    def _kept_loss(self):
        """A loss of the weights to keep, without penalties, and of which rows it is."""
        for listener in self.listeners:
            if (loss := listener.kept_loss(self)) is not None:
                return loss, "validation"
        return self.history.data_losses[-1] / self.unit, "training"

    def advance(self, n_epochs):
        """Train for so many epochs more, unless something ends it before: see `ended`."""
        try:
            for _ in range(n_epochs):
                if self.ended is not None:
                    break
                self._epoch()
        except KeyboardInterrupt:
            self.interrupt()

    def _epoch(self):
        begin = time.perf_counter()
        for epoch_begin in self._hooks["epoch_begin"]:
            epoch_begin(self)
        if self._shuffle:
            self._reorder()

        # 1 to 7: data, layers, loss, backward, gradient, step, prox
        rates = self.schedule.rates()
        losses = self._epochs.train_epoch(self._order, self._batch_size, rates, self.seconds)
        self._record(*losses, float(rates[-1]))

        # 8: trajectory
        for trained in self._hooks["trained"]:
            trained(self)
        with self._shown():
            self._ask("look")
        self._tell(time.perf_counter() - begin)
        self.schedule.epoch_end(self.history.t, self.watched_loss)
        self._ask("epoch_end")

    def _reorder(self):
        """The order of the rows in the next epoch, with the draws of sklearn.utils.shuffle."""
        index = np.arange(len(self._order))  # NumPy is fastest at shuffling numbers of this size
        self.random_state.shuffle(index)
        self._order.take(index, out=self._spare, mode="clip")  # mode="raise" would make a copy
        self._order, self._spare = self._spare, self._order

    def _record(self, loss, data_loss, rate):
        self.epoch += 1
        self.loss = loss
        self.history.t += len(self._order)
        self.history.losses.append(loss * self.unit)
        self.history.data_losses.append(data_loss * self.unit)
        self.history.rates.append(rate)
        self.history.seconds.append(math.nan)  # until it is over

    def _tell(self, seconds):
        """One line an epoch, which begins as scikit-learn's."""
        self.history.seconds[-1] = seconds
        if self._verbose:
            pieces = [text for each in self.listeners for text in each.progress(self)]
            line = f"Iteration {self.epoch}, loss = {self.history.losses[-1]:.8f}"
            rate = f"rate {self.history.rates[-1]:.3g}"
            print(", ".join([line, f"{seconds:.3g} s", rate, *pieces]), flush=True)

    def _shown(self):
        """A context in which the network holds what would predict, if anyone looks."""
        if not (self._looks and self._hooks["shown"]):
            return nullcontext()
        contexts = ExitStack()
        for shown in self._hooks["shown"]:
            contexts.enter_context(shown(self))
        return contexts

    def _ask(self, hook):
        """One listener after the other, until one of them has ended the training."""
        for call in self._hooks[hook]:
            if self.ended is None:
                call(self)

    def share(self, stop, serial):
        """Train among others: end when `stop` says so, and call the user's Python under a lock."""
        self.network.stop_by(stop)
        self.serial = self._epochs.serial = serial

    # -------------------------------------------------------------------- for the listeners

    def say(self, text):
        """Print where the user wants to read the progress."""
        if self._verbose:
            print(text)

    def warn(self, message, category=UserWarning):
        """Keep a warning, once, for the one who called."""
        if (message, category) not in self.warnings:
            self.warnings.append((message, category))

    def end(self, reason):
        """No further epoch; the first reason counts."""
        self.ended = self.ended or reason

    def interrupt(self):
        """End as Ctrl-C does."""
        self.end("interrupted")
        self.warn("Training interrupted by user.")

    def waits(self, validated):
        """Whether a lack of progress means nothing yet."""
        listeners = any(waits(self) for waits in self._hooks["waits"])
        return listeners or self.schedule.waits(validated)

    # ------------------------------------------------------------------------------ results

    def fitted(self):
        """The parameters and statistics to keep: the average, the best, with exact statistics.

        Training can go on afterwards as if nothing had been asked.
        """
        current, ended = self.network.snapshot(), self.ended
        try:
            for listener in self.listeners:
                listener.finish(self)
            return self.network.snapshot()
        finally:
            self.network.restore(current)
            self.ended = ended

    def shown_now(self):
        """The parameters and statistics that predict at present, the average where there is one."""
        with self._shown():
            return self.network.snapshot()

    def report(self):
        """Attributes of the fitted estimator."""
        report = {"n_iter_": self.epoch, **self.history.attributes()}
        for listener in self.listeners:
            report.update(listener.report(self.history))
        return report

    def remember(self, snapshot, norm):
        """What a fit that continues this one must know; see `EarlierFit`."""
        self.memory.schedule = self.schedule.state()
        return remember(self.memory.state(), self.network, snapshot, norm, self.rows.targets.units)

    def state(self):
        """All that the next epoch depends on, as copies; at the end of an epoch."""
        parameters, statistics = self.network.snapshot()
        self.memory.schedule = self.schedule.state()
        return copy.deepcopy(
            {
                "parameters": parameters,
                "statistics": statistics,
                "average": self.network.average,
                "memory": self.memory.state(),
                "history": vars(self.history),
                "listeners": {type(each).__name__: each.state() for each in self.listeners},
                "order": self._order,
                "variants": self._epochs.state(),
                "random_state": self.random_state.get_state(legacy=False),
                "epoch": self.epoch,
                "ended": self.ended,
            }
        )

    def restore(self, state):
        """Go on from the state of a trainer that has begun in the same way, to the same bits."""
        state = copy.deepcopy(state)
        if state["memory"]["seed"] != self.memory.seed:
            raise ValueError(
                "The state is that of a training which began with another random state."
            )
        self.network.restore((state["parameters"], state["statistics"]))
        if state["average"] is not None:
            self.network.average[:] = state["average"]
        self.memory.restore(state["memory"])
        self.schedule.restore(self.memory.schedule)
        vars(self.history).update(state["history"])
        self._epochs.restore(state["variants"])
        for listener in self.listeners:  # one that was not there, such as a time limit, begins
            listener.restore(state["listeners"].get(type(listener).__name__, {}))
        self._order = state["order"]
        self.random_state = np.random.RandomState()  # of its own: the user's may be everyone's
        self.random_state.set_state(state["random_state"])
        self.epoch, self.ended = state["epoch"], state["ended"]


def _draw_seed(random_state):
    """Drawn from a copy: the numbers that scikit-learn draws stay the same."""
    copied = np.random.RandomState(type(random_state._bit_generator)(0))  # faster than deepcopy
    copied.set_state(random_state.get_state(legacy=False))
    return int(copied.randint(2**63 - 1, dtype=np.int64))
