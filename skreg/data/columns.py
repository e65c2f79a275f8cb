"""Mean and standard deviation of the columns of the training rows: the units of noise."""

import numpy as np
from sklearn.utils import gen_batches

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
        """Take in the rows of A, of shape (n, n_columns)."""
        for chunk in gen_batches(len(rows), max(1, CHUNK_NUMBERS // A.shape[1])):
            w = np.ones(len(rows[chunk])) if weight is None else weight[rows[chunk]]
            if w.sum() > 0:
                self._merge(A[rows[chunk]].astype(np.float64), w.astype(np.float64))
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
