"""Mean and standard deviation of the columns of the training rows: the units of noise."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skreg.data.sparse import checked_copy

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
        A = checked_copy(A) if sp.issparse(A) else A
        for chunk in gen_batches(len(rows), max(1, CHUNK_NUMBERS // A.shape[1])):
            w = np.ones(len(rows[chunk])) if weight is None else weight[rows[chunk]]
            if w.sum() > 0:
                self._merge(_dense(A[rows[chunk]]), w.astype(np.float64))
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


def _dense(a):
    """A chunk with all of its zeros, in float64; a copy."""
    return (a.toarray() if sp.issparse(a) else a).astype(np.float64)
