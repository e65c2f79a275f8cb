"""Copies: the rows that an augmenter adds to a training set, and what y becomes there."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skreg.augmentation.base import draw_seed
from skreg.augmentation.core import RowRandom
from skreg.augmentation.frames import joined


@dataclass
class Copies:
    """Variants of rows of a training set, with a share of the target of a second row.

    values : ndarray of shape (n, ...), the variants
    own, partner : int ndarrays of shape (n,), the rows whose targets count
    share : ndarray of shape (n,), how much the first of the two counts
    draw : ndarray of shape (n,), a uniform random number for each variant
    """

    values: np.ndarray
    own: np.ndarray
    partner: np.ndarray
    share: np.ndarray
    draw: np.ndarray


def make_copies(augmenter, X, y, n_copies, *, regression=None):
    """Fit the augmenter on X and y, and let it make n_copies variants of each row."""
    augmenter.regression = regression
    checked = augmenter._begin(X, y)
    seed = draw_seed(augmenter.random_state)
    rows = np.arange(len(checked))
    parts = [one_each(augmenter, checked, rows, epoch, seed) for epoch in range(n_copies)]
    if not parts:
        return Copies(checked[:0], rows[:0], rows[:0], np.ones(0), np.ones(0))
    return Copies(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def one_each(augmenter, X, rows, epoch, seed):
    """One variant of each of the given rows: values, own, partner, share and draw of Copies."""
    draw = RowRandom(seed, epoch, rows).child(1).uniform(1)[:, 0]
    values, partner, share = augmenter._mixtures(X, rows, epoch=epoch, seed=seed)
    return values, rows, partner, share, draw


def mixes_classes(augmenter):
    """Whether copies belong to two classes."""
    return augmenter.mixes_classes and not augmenter.mixes_numbers_


def averaged(y, copies):
    """y of the originals and, below, of the copies, where y holds numbers."""
    y = np.asarray(y, dtype=np.float64)
    share = copies.share.reshape(-1, *[1] * (y.ndim - 1))
    return np.concatenate([y, share * y[copies.own] + (1 - share) * y[copies.partner]])


def take(values, rows):
    """Rows of an array, a matrix, a list, a series or a frame."""
    values = values.tocsr() if sp.issparse(values) else values
    return _safe_indexing(values if hasattr(values, "shape") else np.asarray(values), rows)


def split_in_two(copies):
    """Each mixed copy as two rows of one class, with the weights share and 1 - share.

    The log loss is linear in the target: the two rows have the loss and the gradient of the mixed
    one, see Zhang et al. 2018.
    """
    second = np.flatnonzero(copies.share < 1)
    first = np.flatnonzero(copies.share > 0)
    target_of = np.concatenate([copies.own[first], copies.partner[second]])
    weight = np.concatenate([copies.share[first], 1 - copies.share[second]])
    both = np.concatenate([first, second])
    twins = Copies(copies.values[both], target_of, target_of, np.ones(len(both)), copies.draw[both])
    return twins, weight


def all_rows(X, copies):
    """X with the copies below, and the index of the row that each row of the result comes from."""
    return joined(X, copies.own, copies.values), np.append(np.arange(_num_samples(X)), copies.own)
