"""Contest: the rounds of a search. Read `run` first."""

import math
import time
from collections import defaultdict

import joblib
import numpy as np
from sklearn.base import clone

from skreg.common import warn
from skreg.model_selection.compatibility import tell_failures
from skreg.model_selection.finals import Pool
from skreg.model_selection.measuring import Measuring
from skreg.model_selection.rounds import rounds_of
from skreg.model_selection.trials import Trials


class Contest:
    """Candidates, round after round.

    Parameters
    ----------
    search : RegularizationSearchCV
        Unfitted; its parameters count.
    kind : Network or Table
    candidates : list of dict
        Parameters of each.
    splits : list of (train, held_out)
    seed : int
    scorer : callable
    score_params : dict
        Metadata for the scorer.

    Attributes
    ----------
    last : list of int
        The candidates of the last round that are well, the winner first.
    metric : str
        What has ranked them; 'score' where there is one alone.
    several : bool
        Whether there are several metrics.
    rounds : list of (n_candidates, epochs)
        As planned.
    results : dict
        As `cv_results_`.
    """

    def __init__(self, search, kind, candidates, splits, seed, scorer, score_params):
        self.search, self.kind, self.candidates, self.scorer = search, kind, candidates, scorer
        catch = search.error_score != "raise"
        self.estimators = [
            clone(search.estimator).set_params(**clone(params, safe=False)) for params in candidates
        ]
        fronts = [self._front(estimator, catch) for estimator in self.estimators]
        epochs = [f.network.max_iter for f in fronts if not isinstance(f, Exception)]
        self.trials = Trials(
            fronts,
            kind.X,
            kind.y,
            kind.weight(search.estimator),
            splits,
            seed=seed,
            n_threads=joblib.effective_n_jobs(search.n_jobs),
            catch=catch,
        )
        plan = search.factor, search.min_epochs, max(epochs or [1])
        self.rounds = rounds_of(len(candidates), *plan, self.trials.n_steps())
        whole = self._whole
        measured = kind.X, kind.y, scorer, score_params, search.error_score
        train = search.return_train_score
        self.measuring = Measuring(self.trials, whole, *measured, train=train)
        pooled = search.final == "ensemble" and search.refit
        self.pool = Pool(self, kind, scorer, score_params) if pooled else None
        self._rows, self._out = defaultdict(list), []

    def _front(self, estimator, catch):
        try:
            return self.kind.front(self.kind.prepared(estimator))
        except Exception as error:
            if not catch:
                raise
            return error

    def _whole(self, c, k, network):
        return self.kind.whole(self.trials.folds, c, k, network)

    def run(self, tasks, metric, deadline):
        """All rounds; the winner is known then."""
        going = list(range(len(self.candidates)))
        self.metric = metric
        for r, (_, epochs) in enumerate(self.rounds):
            tasks.begin()
            begun = self._train(going, epochs, self._until(r, deadline))
            before, going = going, self._ranked(r, begun)
            for c in set(before) - set(going):  # have failed, or not begun
                self.trials.release(c)
            n_next = self.rounds[r + 1][0] if r + 1 < len(self.rounds) else 0
            stopped = tasks.end()
            if self.search.verbose:
                self._tell(r, begun, going)
            if not n_next or stopped or not going:
                break
            n_next = min(n_next, math.ceil(len(going) / self.search.factor))
            self._leave_behind(going[n_next:])
            going = going[:n_next]
        self.last = going
        self.results = self._formatted()

    def _until(self, r, deadline):
        """When a round ends: each of those to come has an equal part of the time."""
        now = time.monotonic()
        return now + max(0.0, deadline - now) / (len(self.rounds) - r)

    def _train(self, going, epochs, until):
        """Those of the candidates that have made an epoch, or have failed."""
        first = next((c for c in going if self.trials.is_well(c)), None)
        if math.isfinite(until) and first is not None:
            self.trials.advance([first], 1)
        self.trials.advance([c for c in going if self.trials.is_well(c)], epochs, until)
        begun = [c for c in going if not self.trials.is_well(c) or self.trials.begun(c)]
        if len(begun) < len(going):
            warn(
                f"time_limit={self.search.time_limit}: {len(going) - len(begun)} of {len(going)} "
                "candidates have not begun in their part of the time and are left out. Raise "
                "time_limit, or take fewer candidates."
            )
        return begun

    def _ranked(self, r, begun):
        """Measure candidates; those that are well, the best first."""
        out = {c: self.measuring.results(c) for c in begun}
        folds = [result for c in begun for result in out[c]]
        tell_failures(folds, self.search.scoring, self.search.error_score)
        self._name_metric(folds)
        for c in begun:
            self._rows["candidate"].append(c)
            self._rows["round"].append(r)
            self._rows["epochs"].append(self.trials.epochs(c) if self.trials.is_well(c) else 0)
        self._out += folds
        well = [c for c in begun if self.trials.is_well(c)]
        self.scores = {c: np.mean([self._ranking(of_fold) for of_fold in out[c]]) for c in well}
        return sorted(well, key=lambda c: -np.nan_to_num(self.scores[c], nan=-np.inf))

    def _name_metric(self, folds):
        """A callable tells only now whether there are several, and which one ranks."""
        scores = folds[0]["test_scores"]
        self.several = isinstance(scores, dict)
        refit = self.search.refit
        if self.several and callable(self.search.scoring):
            self.search._check_refit_for_multimetric(scores)
        if self.several:
            self.metric = refit if isinstance(refit, str) else next(iter(scores))

    def _ranking(self, result):
        scores = result["test_scores"]
        return scores[self.metric] if self.several else scores

    def _leave_behind(self, candidates):
        """These go on no more; what they hold is needed no more."""
        for c in candidates:
            if self.pool is not None:
                self.pool.consider(c, self.scores[c])
            self.trials.release(c)

    def _tell(self, r, begun, going):
        best = f", best {self.metric} {self.scores[going[0]]:.5g}" if going else ""
        epochs = max((self.trials.epochs(c) for c in going), default=0)
        print(
            f"Round {r + 1} of {len(self.rounds)}: {len(begun)} candidates to epoch {epochs}{best}",
            flush=True,
        )

    def _formatted(self):
        """`cv_results_`."""
        params = [self.candidates[c] for c in self._rows["candidate"]]
        n_folds = self.trials.n_folds
        results = self.search._format_results(params, n_folds, self._out, dict(self._rows))
        names = list(self._out[0]["test_scores"]) if self.several else ["score"]
        for name in names:
            own = [_one(result["own_scores"], name) for result in self._out]
            own = np.array(own, dtype=np.float64).reshape(len(params), n_folds)
            results |= {f"split{k}_own_epoch_{name}": own[:, k] for k in range(n_folds)}
            results[f"mean_own_epoch_{name}"] = own.mean(axis=1)
        return results

    def goes_on(self, c):
        """Whether a candidate was in the last round, and is well."""
        return c in self.last

    def rows_of_the_last_round(self):
        """Their indices in `cv_results_`."""
        rounds = np.array(self._rows["round"])
        return np.flatnonzero(rounds == rounds.max())


def _one(scores, name):
    return scores[name] if isinstance(scores, dict) else scores
