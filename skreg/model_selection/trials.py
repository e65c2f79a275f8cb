"""Trials: candidates x folds that train on from round to round, and what they are worth.

A network that stops where its own fold is predicted best is flattered by that fold. So each fold
is scored with the network of the epoch that the curves of the *other* folds choose.
"""

import math
import time

import numpy as np

from skreg.ensemble.curves import epoch_by_the_others, padded
from skreg.ensemble.folds import Folds
from skreg.training.recent import RecentEpochs

# Of the epochs between two looks at which of them may still be asked for.
SNAPSHOT_BYTES = 256 * 2**20
# Of all trainings at a time.
MOST_BYTES = 8 * 2**30
# Arrays of the size of the parameters that a training holds: themselves, two moments, gradients,
# the best, an average, and those of three epochs.
COPIES = 9


class Trials:
    """Trainings of a search.

    Parameters
    ----------
    fronts : list of Front
        One a candidate.
    X, y, sample_weight, splits :
        As `Folds` takes them.
    seed : int
    n_threads : int
    catch : bool
        Whether a candidate that fails is left behind, instead of raising.
    """

    def __init__(self, fronts, X, y, sample_weight, splits, *, seed, n_threads, catch):
        self.recent = {}
        self.folds = Folds(
            fronts,
            X,
            y,
            sample_weight,
            splits,
            random_state=seed,
            n_threads=n_threads,
            listeners=self._listeners,
            catch=catch,
        )
        self._catch, self.n_folds = catch, len(splits)
        self.limit = None  # the epoch up to which candidates are compared
        self._check_memory()

    def _listeners(self, job, plan, wrap):
        self.recent[job] = RecentEpochs()
        return [self.recent[job]]

    def _check_memory(self):
        parameters = sum(t.network.parameters.nbytes for t in self.folds.trainers.values())
        orders = sum(2 * t.rows.train.nbytes for t in self.folds.trainers.values())
        needed = COPIES * parameters + orders + self.folds.tables.nbytes()
        if needed > MOST_BYTES:
            raise ValueError(
                f"{len(self.folds.trainers)} networks at a time would need about "
                f"{needed / 2**30:.1f} GiB, and a search takes at most {MOST_BYTES / 2**30:.0f}. "
                "Use fewer candidates or folds, smaller layers, or X in float32."
            )

    def has_front(self, c):
        """Whether there is something before the network of a candidate."""
        return bool(self.folds.tables.fronts[c].layers)

    def n_steps(self):
        """Of an epoch, the median over networks."""
        steps = [trainer.schedule.n_steps for trainer in self.folds.trainers.values()]
        return float(np.median(steps or [1]))

    def jobs(self, candidates):
        """Those of these candidates that go on."""
        return [(c, k) for c in candidates for k in range(self.n_folds) if self.is_well(c)]

    def is_well(self, c):
        """Whether no fold of a candidate has failed."""
        return not any((c, k) in self.folds.errors for k in range(self.n_folds))

    def begun(self, c):
        """Whether each fold of a candidate has made an epoch."""
        return self.is_well(c) and all(self.recent[job].kept for job in self.jobs([c]))

    def advance(self, candidates, n_epochs, deadline=math.inf):
        """Train these to so many epochs, or until it is time."""
        epoch = min((self.folds.trainers[job].epoch for job in self.jobs(candidates)), default=0)
        self.limit = None
        while epoch < n_epochs and (jobs := self.jobs(candidates)):
            one = sum(self.folds.trainers[job].network.parameters.nbytes for job in jobs)
            epoch = min(n_epochs, epoch + max(1, SNAPSHOT_BYTES // one))
            self.folds.run(epoch, jobs, seconds=deadline - time.monotonic())
            self._look_for_interrupts(jobs)
            if time.monotonic() > deadline:
                self.limit = self._reached(candidates)
                break
            for c in candidates:
                self._forget(c)

    def _reached(self, candidates):
        """The epoch that all have made which have begun and have not ended."""
        begun = [c for c in candidates if self.begun(c)]
        going = [self.folds.trainers[job] for job in self.jobs(begun)]
        return min((trainer.epoch for trainer in going if trainer.ended is None), default=None)

    def _look_for_interrupts(self, jobs):
        if any(self.folds.trainers[job].ended == "interrupted" for job in jobs):
            raise KeyboardInterrupt
        errors = [self.folds.errors[job] for job in jobs if job in self.folds.errors]
        if errors and not self._catch:
            raise errors[0]

    def _forget(self, c):
        if self.begun(c):
            for k in range(self.n_folds):
                own, last = self.own_epoch((c, k)), max(self.recent[c, k].kept)
                self.recent[c, k].keep([self.epoch_by_the_others(c, k), own, last])

    def release(self, c):
        """A candidate goes on no more."""
        for k in range(self.n_folds):
            self.recent.pop((c, k), None)
        self.folds.release(c)

    # -------------------------------------------------------------------------- epochs

    def curves(self, c):
        """What is watched, of shape (n_folds, n_epochs); one that has ended stays as it is."""
        return padded([self.folds.scores((c, k))[: self.limit] for k in range(self.n_folds)])

    def epoch_by_the_others(self, c, k):
        """The epoch at which fold k is scored: the best one of the mean of the other folds.

        Where it has ended before, its last. With one fold there are no others, and it is its own.
        """
        if self.n_folds == 1:
            return self.own_epoch((c, k))
        return self._nearest((c, k), epoch_by_the_others(self.curves(c), k))

    def own_epoch(self, job):
        """The epoch that its own fold finds best."""
        return self._nearest(job, int(self.curves(job[0])[job[1]].argmax()) + 1)

    def _nearest(self, job, epoch):
        """This epoch, or the last one before it of which the network is there."""
        kept = self.recent[job].kept
        return max((e for e in kept if e <= epoch), default=min(kept))

    def best_epoch(self, c):
        """The best epoch of the mean over all folds."""
        return int(self.curves(c).mean(axis=0).argmax()) + 1

    def epochs(self, c):
        """Those that the fold which came furthest has made."""
        return max(self.folds.trainers[job].epoch for job in self.jobs([c]))

    def n_learning(self, c):
        """Networks of a candidate that have come to the end while they were still learning."""
        return sum(self.folds.trainers[job].still_learns for job in self.jobs([c]))

    def seconds(self, job):
        """Of training so far."""
        return float(np.nansum(self.folds.trainers[job].history.seconds))

    # -------------------------------------------------------------------------- results

    def network(self, job, epoch):
        """The fitted network of an epoch."""
        return self.folds.network_at(job, self.recent[job].kept[epoch])

    def rows(self, job, *, held_out=True):
        """X as the network gets it, of the rows held out or trained on."""
        rows = self.folds.trainers[job].rows
        return rows.X[rows.validation.rows if held_out else rows.train]

    def outputs_by_the_others(self, c, link):
        """Outputs for each row by the network that did not see it, at the epoch of its score."""
        of_folds = {}
        for job in self.jobs([c]):
            network = self.network(job, self.epoch_by_the_others(*job))
            of_folds[job[1]] = network._network.outputs(self.rows(job), link)
        return self.folds.in_rows(of_folds)
