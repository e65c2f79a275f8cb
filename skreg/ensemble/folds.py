"""Folds: candidates x folds of trainings on one table, any of which can go on at any time.

What an ensemble over folds and a search that continues its candidates both stand on. X is checked
once and shared by all; each training has its own weights, moments and order of rows, and validates
on the rows of its fold.
"""

import copy
import functools
import math

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from skreg.callbacks import read_state, write_state
from skreg.ensemble.curves import epoch_by_the_others, padded
from skreg.ensemble.tables import Tables
from skreg.training.callbacks import savings_of
from skreg.training.identity import differences, fingerprint, identity_of
from skreg.training.jobs import advance_all


class Folds:
    """Trainings by (candidate, fold).

    Parameters
    ----------
    candidates : list of estimators, or of Fronts
        Unfitted: MLPClassifier or MLPRegressor with ``early_stopping=True``, since what stops them
        is the score of their fold; or what holds one, see `Front`. They may differ in all
        parameters.
    X, y, sample_weight : as `fit` takes them
    splits : list of (train, held_out)
        Indices of the rows of each fold.
    random_state : int
        From which every training has its own seed, a function of candidate and fold alone.
    n_threads : int, default=1
    listeners : callable (job, plan, wrap) -> list of Listener, optional
        Those of a training beside its own; `wrap` makes of a fitted network the whole estimator.
    catch : bool, default=False
        Whether what fails before training is kept in `errors` as well, instead of raised.
    """

    def __init__(
        self,
        candidates,
        X,
        y,
        sample_weight,
        splits,
        *,
        random_state,
        n_threads=1,
        listeners=lambda job, plan, wrap: [],
        catch=False,
    ):
        self.n_threads = n_threads
        self.tables = Tables(candidates, X, y, sample_weight, splits)
        self.splits = self.tables.splits
        self.plans, self.trainers, self.errors = [], {}, {}
        self.savings = []  # with their jobs
        self._random_state, self._listeners, self._catch = random_state, listeners, catch
        for c in range(len(candidates)):
            jobs = [(c, k) for k in range(len(splits))]
            self.plans.append(self._made(jobs, self.tables.plan, c))
            for job in jobs if self.plans[c] else []:
                if (trainer := self._made([job], self._trainer, *job)) is not None:
                    self.trainers[job] = trainer

    def _made(self, jobs, make, *arguments):
        """What `make` returns, or None where that fails and is kept as the error of the jobs."""
        try:
            return make(*arguments)
        except Exception as error:
            if not self._catch:
                raise
            self.errors |= dict.fromkeys(jobs, error)
            return None

    def _trainer(self, c, k):
        plan = self.plans[c]
        rows = self.tables.divided(plan, c, k)
        seed = int(np.random.SeedSequence([self._random_state, c, k]).generate_state(1)[0])
        fold = fingerprint(self.splits[k])
        savings = savings_of(plan, self._all_rows(c, k), None, fold=fold, seed=str(seed))
        random_state = check_random_state(seed)
        for saving in savings:
            random_state = saving.begin(random_state)
        wrap = functools.partial(self.tables.wrap, c, k)
        listeners = [*self._listeners((c, k), plan, wrap), *savings]
        trainer = plan.trainer.fresh(plan, rows, random_state, listeners)
        for saving in savings:
            saving.resume(trainer)
            self.savings.append((saving, (c, k)))
        return trainer

    def advance(self, n_epochs, jobs=None, *, seconds=math.inf, tell=None):
        """Train the given jobs, by default all, for at most so many epochs more.

        A job whose training fails is in `errors` and takes no part any more. Of each that comes to
        an end before that, or to these epochs, `tell(job)` is called, one at a time.
        """
        jobs = [job for job in (self.trainers if jobs is None else jobs) if job not in self.errors]
        trainers = [self.trainers[job] for job in jobs]
        errors = advance_all(
            trainers,
            n_epochs,
            n_threads=self.n_threads,
            seconds=seconds,
            tell=tell and (lambda i: tell(jobs[i])),
        )
        self.errors |= {job: e for job, e in zip(jobs, errors, strict=True) if e is not None}

    def run(self, n_epochs, jobs=None, *, seconds=math.inf, tell=None):
        """Train until so many epochs are made, or the `max_iter` of a candidate."""
        left = {}
        for job in self.trainers if jobs is None else jobs:
            n = min(n_epochs, self.plans[job[0]].estimator.max_iter) - self.trainers[job].epoch
            if n > 0 and job not in self.errors:
                left[job] = n
        self.advance(list(left.values()), list(left), seconds=seconds, tell=tell)

    def done(self):
        """No job goes on: the files of Checkpoints have served."""
        for saving, job in self.savings:
            saving.done(self.trainers[job])

    def losses(self, job):
        """The validation loss of every epoch."""
        return np.array(self.trainers[job].history.validation_losses)

    def scores(self, job):
        """What is watched, of every epoch, higher is better."""
        return np.array(self.trainers[job].history.validation_scores)

    def score_by_the_others(self, c):
        """Minus the mean loss of a candidate's folds, each at the epoch that the others choose.

        The rows that stop a network flatter it; the mean of the other folds' curves does not know
        them. A curve that has ended stays at its last value.
        """
        curves = padded([-self.losses((c, k)) for k in range(len(self.splits))])
        if len(curves) == 1:
            return float(curves.max())
        return float(np.mean([x[epoch_by_the_others(curves, k) - 1] for k, x in enumerate(curves)]))

    def network(self, job, *, best=True):
        """The network of the best epoch, or of the present one; training is not disturbed."""
        trainer, plan = self.trainers[job], self.plans[job[0]]
        snapshot = trainer.fitted() if best else trainer.shown_now()
        return plan.fitted(trainer.network, trainer.rows, snapshot, trainer.rows.X.dtype)

    def member(self, job):
        """A fitted estimator that predicts as the network of the best epoch."""
        trainer, plan = self.trainers[job], self.plans[job[0]]
        network = copy.copy(plan.estimator)
        vars(network).update(self.tables.features(*job))
        network._keep(plan, trainer, trainer.fitted())
        return self.tables.wrap(*job, network)

    def network_at(self, job, snapshot):
        """The network alone, fitted, with the parameters and statistics of a snapshot."""
        trainer, plan = self.trainers[job], self.plans[job[0]]
        network = copy.copy(plan.estimator)
        vars(network).update(self.tables.features(*job))
        vars(network).update(plan.attributes(trainer, snapshot))
        return network

    def held_out_outputs(self, c, *, link=None, best=True):
        """Outputs of shape (n_rows, n_outputs) for each row by the network that did not see it.

        NaN for rows of no fold and of folds that failed; the mean where folds are repeated.
        """
        of_folds = {}
        for k in range(len(self.splits)):
            if (c, k) not in self.errors:
                network, rows = self.network((c, k), best=best), self.trainers[c, k].rows
                of_folds[k] = network.outputs(rows.X[rows.validation.rows], link)
        return self.in_rows(of_folds)

    def in_rows(self, of_folds):
        """Outputs for the held-out rows of each fold, as one array with a place for each row."""
        n_outputs = next((o.shape[1] for o in of_folds.values()), 1)
        n_rows = _num_samples(self.tables.passed[0])
        total, count = np.zeros((n_rows, n_outputs)), np.zeros((n_rows, 1))
        for k, outputs in of_folds.items():
            total[self.splits[k][1]] += outputs
            count[self.splits[k][1]] += 1
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

    def targets(self, c):
        """y, in the form that its loss encodes, and weights or None of rows that are held out.

        Both in the order of the rows, like `held_out_outputs`.
        """
        n_rows, y, weight = _num_samples(self.tables.passed[0]), None, None
        for k, (_, held_out) in enumerate(self.splits):
            rows = self.tables.divided(self.plans[c], c, k)
            own = rows.validation.rows
            if y is None:
                y = np.zeros((n_rows, *rows.y.shape[1:]), rows.y.dtype)
                weight = None if rows.weight is None else np.zeros(n_rows)
            y[held_out] = rows.y[own]
            if weight is not None:
                weight[held_out] = rows.weight[own]
        return y, weight

    def release(self, c):
        """A candidate goes on no more: what its trainings hold is not needed."""
        for k in range(len(self.splits)):
            self.trainers.pop((c, k), None)
        self.tables.release(c)

    # ------------------------------------------------------------------------- to and from disk

    def save(self, path):
        """Write the states of all trainings into one file, at the end of their epochs."""
        content = {
            "identity": self._identity(),
            "states": [
                [*job, trainer.state()]
                for job, trainer in self.trainers.items()
                if job not in self.errors
            ],
            "errors": [[*job, str(error)] for job, error in self.errors.items()],
        }
        write_state(path, content)

    def load(self, path):
        """Go on from what `save` wrote for the same candidates, folds and data."""
        content = read_state(path)
        found = differences(content["identity"], self._identity())
        if found:
            raise ValueError(f"{path} holds the states of other trainings: {found}.")
        for c, k, state in content["states"]:
            self.trainers[c, k].restore(state)
        self.errors = {(c, k): RuntimeError(text) for c, k, text in content["errors"]}

    def _identity(self):
        identity = {"splits": fingerprint(self.splits)}
        for c, plan in enumerate(self.plans):
            of_one = identity_of(plan, self._all_rows(c, 0), None)
            identity |= {f"{n} of {c}": v for n, v in of_one.items()}
        return identity

    def _all_rows(self, c, k):
        """The table of a candidate, without the division of a fold."""
        table = copy.copy(self.tables.whole(self.plans[c], c, k))
        table.validation = None
        return table
