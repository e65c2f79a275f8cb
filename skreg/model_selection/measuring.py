"""Measuring: the scores of candidates after a round, as scikit-learn's searches keep them."""

import time
import traceback

from sklearn.utils.validation import _check_method_params

from skreg.augmentation.copies import take
from skreg.model_selection.compatibility import error_scores, score, wants_network


class Measuring:
    """Scores of fold networks.

    Parameters
    ----------
    trials : Trials
    whole : callable (c, network, k) -> estimator
        The whole estimator around a fitted network.
    X, y : as they were passed
    scorer : callable
    params : dict
        Metadata for the scorer, one value a row.
    error_score : 'raise' or float
    train : bool
        Whether the rows that were trained on are scored too.
    """

    def __init__(self, trials, whole, X, y, scorer, params, error_score, *, train):
        self._trials, self._whole, self._X, self._y = trials, whole, X, y
        self._scorer, self._params, self._error_score = scorer, params, error_score
        self._train = train
        self._seconds = {}  # of training in the rounds before, by job
        self._known = {}  # scores by job, epoch and part: an old best epoch is not scored anew

    def results(self, c):
        """One dict a fold, as `_fit_and_score` of scikit-learn returns it."""
        return [self._of_fold((c, k)) for k in range(self._trials.n_folds)]

    def _of_fold(self, job):
        if not self._trials.is_well(job[0]):
            return self._failed(job)
        epoch, own = self._trials.epoch_by_the_others(*job), self._trials.own_epoch(job)
        before, seconds = self._seconds.get(job, 0.0), self._trials.seconds(job)
        self._seconds[job] = seconds
        begin = time.perf_counter()
        test_scores = self._scored(job, epoch)
        result = {
            "fit_error": None,
            "test_scores": test_scores,
            "own_scores": test_scores if own == epoch else self._scored(job, own),
            "fit_time": seconds - before,
        }
        if self._train:
            result["train_scores"] = self._scored(job, epoch, held_out=False)
        return {**result, "score_time": time.perf_counter() - begin}

    def _scored(self, job, epoch, *, held_out=True):
        key = job, epoch, held_out
        if key not in self._known:
            self._known[key] = self._score(job, epoch, held_out)
        return self._known[key]

    def _score(self, job, epoch, held_out):
        rows = self._trials.folds.splits[job[1]][held_out]
        network = self._trials.network(job, epoch)
        X = self._trials.rows(job, held_out=held_out)
        routed = self._params and self._trials.has_front(job[0])
        if wants_network(self._scorer) and not routed and X.shape[0] == len(rows):
            vars(network).pop("feature_names_in_", None)  # X is an array
        else:  # which does not score variants of rows either
            network, X = self._whole(*job, network), take(self._X, rows)
        params = _check_method_params(self._X, self._params, indices=rows)
        y = take(self._y, rows)
        return score(network, X, y, self._scorer, params, self._error_score)

    def _failed(self, job):
        """One fold that fails is a candidate that fails."""
        errors = self._trials.folds.errors
        error = errors.get(job, next(e for (c, _), e in errors.items() if c == job[0]))
        scores = error_scores(self._scorer, self._error_score)
        result = {"test_scores": scores, "own_scores": scores}
        if self._train:
            result["train_scores"] = scores
        text = "".join(traceback.format_exception(error))
        return {"fit_error": text, "fit_time": 0.0, "score_time": 0.0, **result}
