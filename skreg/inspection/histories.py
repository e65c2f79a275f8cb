"""Histories: the curves of a fitted network, wherever it stands."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

# Where others keep the estimator that they have fitted: searches, Augmented and scikit-learn's
# meta-estimators, TransformedTargetRegressor.
INSIDE = ("best_estimator_", "estimator_", "regressor_")


def network_of(estimator):
    """The fitted network: the estimator itself, a pipeline's last step, or what others hold.

    Raises
    ------
    NotFittedError
        Where it has not been fitted.
    TypeError
        For estimators that keep no `history_`.
    """
    found = estimator
    while not _tells(found):
        name = next((name for name in INSIDE if hasattr(found, name)), None)
        if name is not None:
            found = getattr(found, name)
        elif hasattr(found, "steps"):
            found = found.steps[-1][1]
        else:
            break
    if not _tells(found):
        check_is_fitted(found)
        raise TypeError(
            "The curves of a training are in the history_ of a fitted skreg.MLPClassifier or "
            f"skreg.MLPRegressor; {type(found).__module__}.{type(found).__name__} has none."
        )
    return found


def _tells(estimator):
    """Whether its history is of our kind; other libraries have other ones of that name."""
    history = getattr(estimator, "history_", None)
    return isinstance(history, dict) and "training_loss" in history


def best_epoch(estimator):
    """The best epoch, counted from 1 along `history_`, or None.

    `best_iter_` counts those alone that were validated: the last ones, where a fit goes on from
    another.
    """
    best = getattr(estimator, "best_iter_", None)
    if best is None:
        return None
    return len(estimator.history_["validation_loss"]) - len(estimator.validation_scores_) + best


def scored(history):
    """Whether the validation score tells something else than the validation loss."""
    if "validation_score" not in history:
        return False
    loss = np.array(history["validation_loss"])
    return not np.array_equal(np.array(history["validation_score"]), -loss, equal_nan=True)


def in_epochs(history):
    """Whether training went in epochs; the iterations of lbfgs have no learning rate."""
    return "learning_rate" in history


def varies(history):
    """Whether the learning rate changes."""
    return len(set(history.get("learning_rate", []))) > 1
