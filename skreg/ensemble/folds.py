"""Folds: candidates x folds of trainings on one table, any of which can go on at any time.

What an ensemble over folds and a search that continues its candidates both stand on. X is checked
once and shared by all; each training has its own weights, moments and order of rows, and validates
on the rows of its fold.
"""

import copy
import math

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skreg.callbacks import read_state, write_state
from skreg.data.rows import TrainingRows, check_arrays, check_weights
from skreg.regularization.plan import Plan
from skreg.training.callbacks import savings_of
from skreg.training.identity import differences, fingerprint, identity_of
from skreg.training.jobs import advance_all


class Folds:
    """Trainings by (candidate, fold).

    Parameters
    ----------
    candidates : list of MLPClassifier or MLPRegressor
        Of one class, unfitted, with ``early_stopping=True``: what stops them is the score of their
        fold. They may differ in all other parameters.
    X, y, sample_weight : as `fit` takes them
    splits : list of (train, held_out)
        Indices of the rows of each fold.
    random_state : int
        From which every training has its own seed, a function of candidate and fold alone.
    n_threads : int, default=1
    listeners : callable (job, plan) -> list of Listener, optional
        Those of a training beside its own.
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
        listeners=lambda job, plan: [],
    ):
        self.n_threads = n_threads
        self.splits = [tuple(np.asarray(part, np.int32) for part in split) for split in splits]
        self.plans, self.tables, self.trainers, self.errors = [], [], {}, {}
        self.savings = []  # with their jobs
        for c, candidate in enumerate(candidates):
            plan = Plan(clone(candidate))
            self.plans.append(plan)
            self.tables.append(self._table(plan, X, y, sample_weight))
            for k in range(len(splits)):
                self.trainers[c, k] = self._trainer(c, k, random_state, listeners((c, k), plan))

    def _table(self, plan, X, y, sample_weight):
        """The rows with the targets and weights of one candidate; the arrays serve for all."""
        estimator, passed = plan.estimator, (X, y)
        if not self.tables:
            numeric = estimator._y_numeric
            self._arrays = check_arrays(estimator, X, y, numeric=numeric, reset=True)
            self._features = {n: v for n, v in vars(estimator).items() if n.endswith("_in_")}
        vars(estimator).update(self._features)
        X, y = self._arrays
        plan.check_type(X.dtype)
        targets = estimator._targets(y, None, partial=False)
        encoded = targets.check(y)
        plan.weigh(targets, encoded)
        return TrainingRows(passed, X, encoded, check_weights(sample_weight, X), targets)

    def _trainer(self, c, k, random_state, listeners):
        plan = self.plans[c]
        rows = self.tables[c].divided(plan.estimator, *self.splits[k])
        seed = int(np.random.SeedSequence([random_state, c, k]).generate_state(1)[0])
        fold = fingerprint(self.splits[k])
        savings = savings_of(plan, self._all_rows(c), None, fold=fold, seed=str(seed))
        random_state = check_random_state(seed)
        for saving in savings:
            random_state = saving.begin(random_state)
        trainer = plan.trainer.fresh(plan, rows, random_state, [*listeners, *savings])
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

    def run(self, n_epochs, *, seconds=math.inf, tell=None):
        """Train all that have made less than so many epochs until they have made them."""
        jobs = [job for job, trainer in self.trainers.items() if trainer.epoch < n_epochs]
        left = [n_epochs - self.trainers[job].epoch for job in jobs if job not in self.errors]
        self.advance(left, jobs, seconds=seconds, tell=tell)

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
        curves = [self.losses((c, k)) for k in range(len(self.splits))]
        n_epochs = max(map(len, curves))
        curves = np.array([np.pad(curve, (0, n_epochs - len(curve)), "edge") for curve in curves])
        others = curves.sum(axis=0) - curves
        return float(
            -np.mean([curve[other.argmin()] for curve, other in zip(curves, others, strict=True)])
        )

    def network(self, job, *, best=True):
        """The network of the best epoch, or of the present one; training is not disturbed."""
        trainer, plan, (c, _) = self.trainers[job], self.plans[job[0]], job
        snapshot = trainer.fitted() if best else trainer.shown_now()
        return plan.fitted(trainer.network, trainer.rows, snapshot, self.tables[c].X.dtype)

    def member(self, job):
        """A fitted estimator that predicts as the network of the best epoch."""
        trainer, plan = self.trainers[job], self.plans[job[0]]
        estimator = copy.copy(plan.estimator)
        estimator._keep(plan, trainer, trainer.fitted())
        return estimator

    def held_out_outputs(self, c, *, link=None, best=True):
        """Outputs of shape (n_rows, n_outputs) for each row by the network that did not see it.

        NaN for rows of no fold and of folds that failed; the mean where folds are repeated.
        """
        X, n_outputs = self.tables[c].X, self.tables[c].targets.loss.n_outputs
        total, count = np.zeros((X.shape[0], n_outputs)), np.zeros((X.shape[0], 1))
        for k, (_, held_out) in enumerate(self.splits):
            if (c, k) not in self.errors:
                total[held_out] += self.network((c, k), best=best).outputs(X[held_out], link)
                count[held_out] += 1
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

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
            of_one = identity_of(plan, self._all_rows(c), None)
            identity |= {f"{n} of {c}": v for n, v in of_one.items()}
        return identity

    def _all_rows(self, c):
        """The table of a candidate, without the division of a fold."""
        table = copy.copy(self.tables[c])
        table.validation = None
        return table
