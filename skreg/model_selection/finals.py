"""Finals: what a search ends in."""

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import _check_method_params

from skreg.augmentation.copies import take
from skreg.common import warn
from skreg.ensemble import WeightedEnsembleClassifier, WeightedEnsembleRegressor
from skreg.model_selection.selection import MOST_CANDIDATES, greedy_weights


class Pool:
    """Candidates that may become part of an ensemble.

    Parameters
    ----------
    contest : Contest
    kind : Network or Table
    scorer : callable
    params : dict
        Metadata of the scorer.
    """

    def __init__(self, contest, kind, scorer, params):
        self._contest, self._kind, self._scorer, self._params = contest, kind, scorer, params
        self._found = []  # (score, candidate, ensemble over folds, its held-out means)

    def consider(self, c, score):
        """Keep a candidate as it is now, unless others are better anyway."""
        better = sum(other > score for other in self._contest.scores.values())
        if np.isfinite(score) and better < MOST_CANDIDATES:
            self._keep(c, score)

    def _keep(self, c, score):
        trials = self._contest.trials
        ensemble = self._kind.ensemble(self._contest.estimators[c], trials.folds, c)
        averaging = averaging_of(ensemble)
        outputs = trials.outputs_by_the_others(c, averaging._link)
        self._found.append((score, c, ensemble, averaging._averaged(outputs)))

    def ensemble(self, winner):
        """The ensemble that greedy selection makes, and its score."""
        if not self._found:  # no score is a number
            self._keep(winner, np.nan)
        found = sorted(self._found, key=lambda one: (-one[0], one[1]))[:MOST_CANDIDATES]
        means = [mean for *_, mean in found]
        rows = np.flatnonzero(np.all([np.isfinite(m).all(axis=1) for m in means], axis=0))
        counts, best = self._selected([mean[rows] for mean in means], self._score(found, rows))
        chosen = [(found[i][2], counts[i]) for i in np.flatnonzero(counts)]
        ensembles, weights = [e for e, _ in chosen], np.array([n for _, n in chosen], float)
        kinds = WeightedEnsembleRegressor, WeightedEnsembleClassifier
        kind = kinds[is_classifier(self._contest.search.estimator)]
        final = kind([clone(e) for e in ensembles], weights=weights.tolist())
        return final._keep(ensembles, weights / weights.sum()), best

    @staticmethod
    def _selected(means, score):
        try:
            return greedy_weights(means, score)
        except ValueError as error:  # of a scorer: folds could be scored, all their rows cannot
            warn(f"final='ensemble' is the best candidate alone, since scoring failed: {error}")
            return np.eye(1, len(means), dtype=int)[0], np.nan

    def _score(self, found, rows):
        """A function from held-out means to what ranks."""
        averaging = averaging_of(found[0][2])
        X, y = take(self._kind.X, rows), take(self._kind.y, rows)
        params = _check_method_params(self._kind.X, self._params, indices=rows)

        def score(mean):
            scores = self._scorer(averaging._saying(mean), X, y, **params)
            scores = scores[self._contest.metric] if isinstance(scores, dict) else scores
            return np.nan_to_num(scores, nan=-np.inf)

        return score


def averaging_of(ensemble):
    """The ensemble over folds: itself, or that of a tabular model."""
    return getattr(ensemble, "ensemble_", ensemble)
