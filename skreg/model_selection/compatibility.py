"""Compatibility: what scikit-learn keeps to itself of its searches, from version 1.6 to the newest.

Nothing else of this package knows that versions differ.
"""

from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)

from skreg.ensemble.members import refuse_checkpoints

__all__ = ["BaseSearchCV", "RoundTasks", "error_scores", "score", "tell_failures", "wants_network"]

score = _score


def wants_network(scorer):
    """Whether a scorer asks an estimator for nothing but predictions, which its network can give.

    Other callables get the whole estimator, and X as it was passed.
    """
    if isinstance(scorer, _MultimetricScorer):
        return all(wants_network(each) for each in scorer._scorers.values())
    return isinstance(scorer, (_BaseScorer, _PassthroughScorer))


def error_scores(scorer, error_score):
    """What stands for the scores of a candidate that has failed."""
    if isinstance(scorer, _MultimetricScorer):
        return dict.fromkeys(scorer._scorers, error_score)
    return error_score


def tell_failures(results, scoring, error_score):
    """Warn of candidates that have failed, or raise where all have."""
    _warn_or_raise_about_fit_failures(results, error_score)
    if callable(scoring):
        _insert_error_scores(results, error_score)


def scorers_of(scorer):
    """By name, where it stands for several."""
    return scorer._scorers if isinstance(scorer, _MultimetricScorer) else scorer


class RoundTasks:
    """scikit-learn's callbacks of a search, from version 1.9: a task for it, and one a round.

    Create it first thing in `fit`.

    Parameters
    ----------
    search : BaseSearchCV
    X, y : as they were passed
    """

    def __init__(self, search, X, y):
        refuse_checkpoints(search, type(search).__name__)
        self._arguments = {"estimator": search, "X": X, "y": y, "metadata": None}
        self._context = None
        if getattr(search, "_skl_callbacks", None) or hasattr(search, "_parent_callback_ctx"):
            self._context = search._init_callback_context(max_subtasks=None)
            self._context.call_on_fit_task_begin(**self._arguments)

    def begin(self):
        """A round."""
        if self._context is not None:
            self._round = self._context.subcontext(task_name="round")
            self._round.call_on_fit_task_begin(**self._arguments)

    def end(self):
        """Of a round; whether a callback wants to stop."""
        if self._context is None:
            return False
        return bool(self._round.call_on_fit_task_end(**self._arguments))

    def over(self):
        """The search has ended."""
        if self._context is not None:
            self._context.call_on_fit_task_end(**self._arguments)
