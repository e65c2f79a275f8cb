"""train(): the epoch loop.

A training step has eight places. Places 1 to 7 (data, layers, targets and loss, backward,
gradient, step, prox) run in the core, one call an epoch (`_core/epoch.hpp` shows them under the
same numbers); place 8, the trajectory, is here.
"""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skreg.messages import warn
from skreg.stopping import Diverged

NO_PROGRESS = "{} did not improve more than tol={:f} for {} consecutive epochs."
MAX_ITER = (
    "Stochastic Optimizer: Maximum iterations ({}) reached and the optimization hasn't converged "
    "yet."
)
DIVERGED = (
    "Training diverged: the network or its validation score became non-finite. The best weights "
    "before that are kept. Scale the data or lower learning_rate_init."
)


@dataclass
class Progress:
    """What the loop reports; the curves and `t` continue those of an earlier call."""

    loss_curve: list = field(default_factory=list)
    lr_curve: list = field(default_factory=list)
    t: int = 0  # samples seen
    n_iter: int = 0  # epochs of this call
    interrupted: bool = False


def shuffled(order, random_state, out):
    """Write order in a new order into out, with the draws of sklearn.utils.shuffle."""
    index = np.arange(len(order))  # NumPy is fastest at shuffling numbers of this size
    random_state.shuffle(index)
    return order.take(index, out=out, mode="clip")  # mode="raise" would make a copy


def train(
    network,
    data,
    rows,
    *,
    batch_size,
    schedule,
    monitor,
    random_state,
    progress,
    max_epochs,
    n_iter_no_change,
    shuffle=True,
    verbose=False,
    warn_at_end=True,
    callbacks=None,
    time_limit=math.inf,
    average=None,
    variants=None,
):
    """Train until `monitor` has seen no progress for more than `n_iter_no_change` epochs.

    Parameters
    ----------
    network : Network
        With its optimizer attached; trained in place.
    data : core data object
    rows : int32 ndarray
        The rows of data to train on.
    schedule : object of schedules.py
    monitor : object of stopping.py
    random_state : RandomState
        Shuffles, with scikit-learn's draws.
    progress : Progress
        Updated in place, also when an error ends training.
    max_epochs : int
    warn_at_end : bool
        Whether reaching `max_epochs` is worth a warning; it is not where the schedule ends there.
    callbacks : FitCallbacks, optional
    time_limit : float
        Seconds after which training stops, between two batches.
    average : object of averaging.py, optional
        Validates in the place of the current parameters, and takes their place at the end.
    variants : VariantEpochs, optional
        Trains on variants of the rows, which `rows` then numbers, in the place of `data`.
    """
    order, spare = rows.copy(), np.empty_like(rows)
    deadline = time.monotonic() + time_limit
    try:
        for epoch in range(1, max_epochs + 1):
            if callbacks is not None:
                callbacks.epoch_begin()
            if shuffle:
                order, spare = shuffled(order, random_state, spare), order

            # 1 to 7: data, layers, loss, backward, gradient, step, prox
            rates = schedule.rates()
            seconds = deadline - time.monotonic()
            if variants is None:
                loss = network.train_epoch(data, order, batch_size, rates, seconds)
            else:
                loss = variants.train_epoch(order, batch_size, rates, seconds)

            # 8: trajectory
            progress.n_iter = epoch
            progress.t += len(rows)
            progress.loss_curve.append(loss)
            progress.lr_curve.append(float(rates[-1]))
            if verbose:
                print(f"Iteration {epoch}, loss = {loss:.8f}")
            if average is not None:
                average.collect(epoch)
            looked_at = monitor.validates or callbacks is not None
            with average.shown() if average is not None and looked_at else nullcontext():
                message = monitor.update(loss)
                stop = callbacks is not None and callbacks.epoch_end(network)
            if verbose and message:
                print(message)
            schedule.epoch_end(progress.t, monitor.loss)
            if time.monotonic() >= deadline:
                warn(f"Training stopped in epoch {epoch}: time_limit={time_limit} is over.")
                break
            if stop:
                break
            early = average is not None and average.waits(epoch)
            if early or schedule.waits(monitor.validates):
                monitor.no_improvement_count = 0
            if monitor.no_improvement_count > n_iter_no_change:
                if verbose:
                    print(NO_PROGRESS.format(monitor.subject, monitor.tol, n_iter_no_change))
                if schedule.on_plateau():
                    break
                monitor.no_improvement_count = 0
                if verbose:
                    print(f"Setting learning rate to {schedule.rate:f}")
        else:
            if warn_at_end and not schedule.needs_horizon:
                warn(MAX_ITER.format(max_epochs), ConvergenceWarning)
    except Diverged:
        warn(DIVERGED, ConvergenceWarning)
    except KeyboardInterrupt:
        progress.interrupted = True
        warn("Training interrupted by user.")
    if average is not None:
        average.finish(progress)
    monitor.finish()
