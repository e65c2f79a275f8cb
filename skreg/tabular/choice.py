"""Choice: which of several encodings of a table a network learns best from."""

import math
import time

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing, check_random_state

from skreg.ensemble.folds import Folds
from skreg.training.jobs import advance_all

MOST_ROWS = 30_000  # so that a choice is cheap beside the training of all folds


def validation_losses(tables, y, sample_weight, network, *, seed, n_threads, seconds=math.inf):
    """The lowest validation loss of a network for each of several tables of the same rows.

    It validates on a fifth of the rows, drawn at random; of more than 30,000 so many take part.

    Parameters
    ----------
    tables : list of {ndarray, sparse matrix} of shape (n_rows, n_columns)
    y, sample_weight : as `fit` takes them
    network : MLPClassifier or MLPRegressor
        With ``early_stopping=True``.
    seed : int
        Of rows and networks, the same for all tables.
    n_threads : int
    seconds : float
        After which none makes another epoch, but one each.
    """
    begin, network = time.monotonic(), clone(network).set_callbacks()
    rows = np.arange(tables[0].shape[0])
    if sample_weight is not None:
        rows = np.flatnonzero(sample_weight)
    rows = check_random_state(seed).permutation(rows)[:MOST_ROWS]
    n_held_out = len(rows) // 5
    split = np.arange(n_held_out, len(rows)), np.arange(n_held_out)
    y = _safe_indexing(y, rows)
    weight = None if sample_weight is None else np.asarray(sample_weight)[rows]
    pilots = [Folds([network], Z[rows], y, weight, [split], random_state=seed) for Z in tables]
    trainers = [pilot.trainers[0, 0] for pilot in pilots]
    errors = advance_all(trainers, 1, n_threads=n_threads)
    left = begin + seconds - time.monotonic()
    errors += advance_all(trainers, network.max_iter - 1, n_threads=n_threads, seconds=left)
    for error in filter(None, errors):
        raise error
    if any(trainer.ended == "interrupted" for trainer in trainers):
        raise KeyboardInterrupt
    return [float(pilot.losses((0, 0)).min()) for pilot in pilots]
