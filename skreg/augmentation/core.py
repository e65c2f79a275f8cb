"""What the compiled core does for augmentation; the only module of the package that imports it.

Random numbers are keyed by (seed, epoch, index of the row in the training set, number of the draw):
a row gets the same numbers in whatever batch and order it comes. Pictures have shape (n, height,
width, channels), signals (n, channels, length), C-ordered; they are changed in place and returned.
"""

import joblib
import numpy as np

from skreg import _core


def count_cpus():
    """Tell the core what the affinity of this process and its control group leave it, now."""
    _core.set_cpu_count(joblib.cpu_count())


class RowRandom:
    """Random numbers for a batch of rows.

    Each call of a method draws anew, so the calls of one `_augment` must not depend on the batch.

    Parameters
    ----------
    seed : int
        64 bits.
    epoch : int
        Number of the pass over the rows, below 2**32: another one gives other numbers.
    rows : int64 ndarray of shape (n_rows,)
        Indices of the rows in the training set, below 2**32.
    draw : int
        Number of the next draw.
    """

    def __init__(self, seed, epoch, rows, draw=0):
        self.seed = seed
        self.epoch = epoch
        self.rows = np.ascontiguousarray(rows, dtype=np.int64)
        self.draw = draw

    def uniform(self, k, dtype=np.float64):
        """Numbers in the open interval (0, 1), of shape (n_rows, k)."""
        return self._fill(_core.uniform_rows, k, dtype)

    def normal(self, k, dtype=np.float64):
        """Standard normal numbers of shape (n_rows, k)."""
        return self._fill(_core.normal_rows, k, dtype)

    def between(self, low, high):
        """One number a row, uniform between low and high; exactly low where both are equal."""
        u = self.uniform(1)[:, 0]
        if np.isinf(high - low):
            return low * (1 - u) + high * u
        return low + (high - low) * u

    def below(self, n):
        """One integer a row, uniform in 0 to n - 1; n is a number or an array with one a row."""
        return np.minimum((self.uniform(1)[:, 0] * n).astype(np.int64), np.asarray(n) - 1)

    def key(self, n_draws):
        """Seed, epoch, rows and number of the first of n_draws, for a function of the core."""
        first = self.draw
        self.draw += n_draws
        return self.seed, self.epoch, self.rows, first

    def take(self, chosen):
        """The same numbers for some of the rows."""
        return RowRandom(self.seed, self.epoch, self.rows[chosen], self.draw)

    def child(self, position):
        """Numbers of their own for the part at a position of a composition."""
        words = _core.philox([position, 0, 0, 0xC0FFEE], self.seed & 0xFFFFFFFF, self.seed >> 32)
        return RowRandom(words[0] | words[1] << 32, self.epoch, self.rows)

    def _fill(self, function, k, dtype):
        out = np.empty((len(self.rows), k), dtype=dtype)
        function(*self.key(1), out)
        return out


def affine(X, maps, *, interpolation, fill, fill_value):
    """Pictures by a map of coordinates each: out[i, j] = in[m0 i + m1 j + m2, m3 i + m4 j + m5]."""
    _core.affine_rows(X, maps, interpolation, fill, fill_value, X)
    return X


def elastic(X, alphas, sigma, rng, *, interpolation, fill, fill_value):
    """Pictures by two smooth random fields each, for the displacements of rows and columns."""
    key = rng.key(2)
    _core.elastic_rows(X, alphas, sigma, *key, interpolation, fill, fill_value, X)
    return X


def smooth(X, sigmas):
    """Pictures, each convolved with a Gaussian of its own, reflected at the edges."""
    _core.smooth_rows(X, sigmas, X)
    return X


def fill_boxes(X, boxes, values):
    """Sets in each picture, in place, the box (top, left, height, width) to a value."""
    _core.fill_box_rows(boxes, np.ascontiguousarray(values, dtype=X.dtype), X)
    return X


def warp_time(X, shifts, *, fill, fill_value=0.0):
    """Signals with out[j] = in[j + shifts[j]] by linear interpolation, for all channels alike."""
    shifts = np.ascontiguousarray(shifts, dtype=X.dtype)
    pictures = X[..., None]
    _core.time_warp_rows(pictures, shifts, "bilinear", fill, fill_value, pictures)
    return X
