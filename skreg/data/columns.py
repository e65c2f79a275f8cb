"""Mean and standard deviation of the columns of the training rows: the units of noise."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skreg.common import warn
from skreg.data.sparse import checked_copy, checked_rows

FAR = 0.25  # of the columns are not far apart by chance
CHUNK_NUMBERS = 2**21  # bounds the memory of a pass to a few times 16 MB


class ColumnMoments:
    """Weighted moments of columns, in float64, chunk by chunk (Chan, Golub and LeVeque 1979).

    Parameters
    ----------
    state : dict, optional
        What an earlier `state()` returned, to go on from there.
    """

    def __init__(self, state=None):
        self.total, self.mean, self.variance = 0.0, 0.0, 0.0
        self.__dict__.update(state or {})

    def add(self, A, rows, weight=None):
        """Take in the rows of A, of shape (n, n_columns), dense or sparse."""
        if sp.issparse(A) and A.format != "csr":
            A = checked_copy(A)
        for chunk in gen_batches(len(rows), max(1, CHUNK_NUMBERS // A.shape[1])):
            w = np.ones(len(rows[chunk])) if weight is None else weight[rows[chunk]]
            if w.sum() > 0:
                self._merge(_dense(A, rows[chunk]), w.astype(np.float64))
        return self

    def _merge(self, a, w):
        mean = w @ a / w.sum()
        a -= mean
        variance = w @ np.square(a, out=a) / w.sum()
        self.total += w.sum()
        share = w.sum() / self.total
        change = mean - self.mean
        self.mean = self.mean + share * change
        self.variance = (1 - share) * (self.variance + share * change**2) + share * variance

    @property
    def deviation(self):
        return np.sqrt(self.variance)

    def state(self):
        return dict(self.__dict__)


def warn_if_far_apart(X, X_val, name):
    """Warn, once, where many columns of a validation set were prepared in another way."""
    far = far_apart(X, X_val)
    if far.mean() > FAR:
        warn(
            f"{far.sum()} of {len(far)} columns of {name} have far other means or standard "
            f"deviations than those of {name[0]}. Prepare both in the same way: in a Pipeline "
            f"{name} reaches the network as it is; transform_input=['X_val'] changes that of X.",
            once=True,
        )


def far_apart(A, B):
    """A mask of the columns whose means or deviations in A and B have little in common.

    Columns that are constant in one of them tell nothing: a rare category is.
    """
    if min(A.shape[0], B.shape[0]) < 10:  # few rows are far from the others by chance
        return np.zeros(A.shape[1], bool)
    (m_a, s_a), (m_b, s_b) = (_moments_of_some(X) for X in (A, B))
    larger, smaller = np.maximum(s_a, s_b), np.minimum(s_a, s_b)
    return (smaller > 0) & ((np.abs(m_a - m_b) > 3 * larger) | (larger > 10 * smaller))


def large_columns(X, size=100):
    """How many columns have a mean or a deviation above this size."""
    mean, deviation = _moments_of_some(X)
    return int(((np.abs(mean) > size) | (deviation > size)).sum())


def _moments_of_some(X):
    """Of rows from all over, few enough to cost nothing."""
    n_rows = int(np.clip(CHUNK_NUMBERS // X.shape[1], 200, 10_000))
    rows = np.arange(X.shape[0])[:: -(-X.shape[0] // n_rows)]
    with np.errstate(over="ignore", invalid="ignore"):
        moments = ColumnMoments().add(X, rows)
        return moments.mean, moments.deviation


def _dense(A, rows):
    """A chunk with all of its zeros, in float64; a copy."""
    chunk = checked_rows(A, rows).toarray() if sp.issparse(A) else A[rows]
    return chunk.astype(np.float64, copy=False)
