"""Jobs: trainings side by side, on a pool of threads.

Each goes its own way for as many epochs as it was given: the core works without the interpreter's
lock, and no one waits for another at the end of an epoch. The threads within a step are those that
fewer jobs than processors leave over, which the core shares among the epochs in flight. Trainers
share nothing that is written, so the results are those of one after the other, bit for bit.
"""

import collections
import math
import threading
import time

from skreg.network.core import Stop

# Epochs that a job makes before the next one has its turn: so the long ones are not left for the
# end, where fewer jobs than threads remain.
TURN = 8


def advance_all(trainers, n_epochs, *, n_threads, seconds=math.inf, tell=None):
    """Advance every trainer by at most so many epochs.

    Parameters
    ----------
    trainers : list of Trainer
        Trained in place. One that has ended stays as it is.
    n_epochs : int, or list of int with one a trainer
    n_threads : int
        Jobs at the same time.
    seconds : float, default=inf
        No trainer begins another slice afterwards.
    tell : callable (index), optional
        Called for each trainer that has made its epochs or has ended, one at a time.

    Returns
    -------
    errors : list
        For each trainer the exception that ended it, or None; it harms no other one.

    Raises
    ------
    KeyboardInterrupt
        After all have stopped, each within its present batch, with `ended` "interrupted".
    BaseException
        In the same way, what else a job raises that is no Exception, such as SystemExit; and
        whatever `tell` raises.
    """
    left = list(n_epochs) if hasattr(n_epochs, "__iter__") else [n_epochs] * len(trainers)
    turn = 1 if math.isfinite(seconds) else TURN
    pool = _Pool(trainers, left, turn, time.monotonic() + seconds, tell)
    ended = []
    try:
        for _ in range(min(n_threads, len(trainers))):
            event = threading.Event()
            threading.Thread(target=pool.work, args=(event,), daemon=True).start()
            ended.append(event)
        _wait_for(ended)
    except BaseException:
        pool.stop.set()
        _wait_for(ended)
        raise
    if pool.failed is not None:
        raise pool.failed
    return pool.errors


def _wait_for(events):
    """Of a Thread's join one cannot be sure after a signal (CPython issue 89437).

    In pieces, since on Windows no signal ends a wait without limit.
    """
    for event in events:
        while not event.wait(0.1):
            pass


class _Pool:
    """What the threads share: the jobs that wait, and whether to stop."""

    def __init__(self, trainers, left, turn, deadline, tell):
        self.trainers, self.left, self.turn, self.deadline = trainers, left, turn, deadline
        self.tell = tell
        self.waiting = collections.deque(range(len(trainers)))
        self.errors = [None] * len(trainers)
        self.failed = None  # what is to end all, and not one job alone
        self.stop = Stop()
        self.serial = threading.RLock()  # for what is written in Python by others
        for trainer in trainers:
            trainer.share(self.stop, self.serial)

    def work(self, ended):
        try:
            while not self.stop.is_set and time.monotonic() < self.deadline:
                try:
                    job = self.waiting.popleft()
                except IndexError:
                    break  # none waits
                if self._advance(job):
                    self.waiting.append(job)
        except BaseException as error:  # a thread would swallow it
            self.failed = error if self.failed is None else self.failed
            self.stop.set()
        finally:
            ended.set()

    def _advance(self, job):
        """One turn; whether there is another one to come."""
        trainer, n = self.trainers[job], min(self.left[job], self.turn)
        try:
            trainer.advance(n)
        except Exception as error:
            self.errors[job] = error
            return False
        self.left[job] -= n
        goes_on = self.left[job] > 0 and trainer.ended is None
        if self.tell is not None and not goes_on:
            with self.serial:
                self.tell(job)
        return goes_on
