"""Selection: candidates added to an ensemble one after the other (Caruana et al. 2004)."""

import numpy as np

# Of additions; a candidate may be added more than once, which is its weight.
MOST_ADDITIONS = 25
# Of these without a better mean: more would hardly bring one.
MOST_IN_VAIN = 5
# Candidates that take part, the best ones: the others would be chosen by chance.
MOST_CANDIDATES = 20


def greedy_weights(predictions, score):
    """How often each candidate is added, to the best mean on the way.

    It begins with the best one alone. Each step adds the candidate, with replacement, with which
    the mean of the predictions scores highest.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_outputs)
        For rows that the networks have not seen, best candidates first.
    score : callable (ndarray of shape (n_rows, n_outputs)) -> float
        Higher is better.

    Returns
    -------
    counts : ndarray of shape (n_candidates,)
    best : float
        The score of their mean.
    """
    total = np.zeros_like(predictions[0])
    added, scores = [], []
    while len(added) < MOST_ADDITIONS and len(added) <= np.argmax(scores or [0]) + MOST_IN_VAIN:
        n = len(added) + 1
        of_each = [score((total + each) / n) for each in predictions]
        chosen = int(np.argmax(of_each))
        total = total + predictions[chosen]
        added.append(chosen)
        scores.append(of_each[chosen])
    n_best = int(np.argmax(scores)) + 1
    return np.bincount(added[:n_best], minlength=len(predictions)), scores[n_best - 1]
