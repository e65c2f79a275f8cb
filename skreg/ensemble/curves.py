"""Curves: which epoch a fold is scored at, so that what stops a network does not flatter it."""

import numpy as np


def padded(curves):
    """Curves of folds, higher is better, as one array of shape (n_folds, n_epochs).

    One that has ended stays at its last value, the last number where it has diverged.
    """
    numbers = [np.asarray(curve, np.float64) for curve in curves]
    numbers = [curve[np.isfinite(curve)] for curve in numbers]
    whole = np.full((len(numbers), max(1, *map(len, numbers))), -np.inf)  # of a fold without any
    for row, curve in zip(whole, numbers, strict=True):
        if len(curve):
            row[: len(curve)], row[len(curve) :] = curve, curve[-1]
    return whole


def epoch_by_the_others(curves, k):
    """The best epoch, from 1 on, of the mean of the folds but k, of which there is one at least."""
    return int(np.delete(curves, k, axis=0).mean(axis=0).argmax()) + 1
