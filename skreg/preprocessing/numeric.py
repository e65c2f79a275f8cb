"""Columns of numbers: what is learned of one, and how it is scaled.

A scaling is made of a `Sample` and writes the values of a column, float64 with NaN for what is
missing, into its `width` columns of the result; what it writes for NaN does not count. Centers are
such that 0 is the middle, which is what a missing number gets.
"""

from functools import cached_property

import numpy as np
from scipy.special import ndtri

# Of float64 numbers: small enough that the temporaries of a chunk stay in cache.
CHUNK = 2**14
BOUND, WIDE_BOUND = 3.0, 10.0  # of robust values, and of those beside piecewise-linear codes
# As in scikit-learn's QuantileTransformer: the largest normal score is about 5.2.
N_QUANTILES, LEAST_SHARE = 1000, 1e-7


class Sample:
    """The known numbers of a column, with the weights of their rows, or None.

    Weights count repetitions. As in the moments of batch norm their sum is at least Kish's number
    of rows, (sum w)^2 / sum w^2, so that weights that sum to one keep a meaning.
    """

    def __init__(self, x, weight=None):
        self.x, self.weight = x, weight if weight is None else repetitions(weight)
        self.size = len(x) if weight is None else self.weight.sum()
        self.low, self.high = (x.min(), x.max()) if len(x) else (0.0, 0.0)
        self.range = self.high - self.low

    @cached_property
    def _sorted(self):
        if self.weight is None:
            return np.sort(self.x), None
        order = np.argsort(self.x)
        return self.x[order], np.cumsum(self.weight[order])

    def quantiles(self, shares):
        """Those of the sample in which each number comes as often as its weight says.

        For whole weights this is numpy.quantile of that sample, interpolated linearly; in general
        the mean of the sorted numbers between the places h and h + 1, h = share * (size - 1).
        """
        x, ends = self._sorted
        at = np.asarray(shares) * max(self.size - 1, 0)
        whole = np.rint(at)  # a rounding error would make two edges of one value
        at = np.where(np.abs(at - whole) < 1e-12 * self.size, whole, at)
        if ends is not None:
            return np.array([mean_between(x, ends, h) for h in at])
        below = at.astype(np.intp)
        above = np.minimum(below + 1, len(x) - 1)
        return x[below] + (at - below) * (x[above] - x[below])

    def distinct(self):
        """The values without repetition, and how often each comes."""
        x, ends = self._sorted
        last = np.flatnonzero(np.append(np.diff(x) > 0, True))
        ends = last + 1 if ends is None else ends[last]
        return x[last], np.diff(ends, prepend=0)

    def without(self, values):
        """The rest of the sample; it has some."""
        rest = ~np.isin(self.x, values)
        return Sample(self.x[rest], self.weight if self.weight is None else self.weight[rest])


def repetitions(weight):
    """The weights on the scale on which they count rows."""
    total = weight.sum()
    return weight * max(1.0, total / np.square(weight).sum())


def mean_between(x, ends, h):
    """Mean over [h, h + 1] of the step function that is x[i] up to ends[i]."""
    first, last = np.searchsorted(ends, h, side="right"), np.searchsorted(ends, h + 1)
    first, last = min(first, len(x) - 1), min(last, len(x) - 1)
    beyond = np.clip(h + 1 - ends[first:last], 0, 1)
    return x[first] + beyond @ np.diff(x[first : last + 1])  # sums of steps: exact for ties


class OneColumn:
    """What scalings with one value for each number have in common."""

    width = 1

    def names(self, name):
        return [name]


class Nothing(OneColumn):
    """A column without a known number: zeros, whatever comes."""

    def write(self, x, out):
        out[...] = 0


class Standard(OneColumn):
    """(x - center) / scale, within the range of the number type."""

    def __init__(self, sample):
        self.center, self.scale = sample.low, 1.0
        if sample.range:
            x = (sample.x - sample.low) / sample.range  # within [0, 1]: squares are finite
            mean = np.average(x, weights=sample.weight)
            deviation = np.sqrt(np.average(np.square(x - mean), weights=sample.weight))
            self.center, self.scale = sample.low + sample.range * mean, sample.range * deviation

    def write(self, x, out):
        largest = np.finfo(out.dtype).max
        out[:, 0] = np.clip((x - self.center) / self.scale, -largest, largest)


class Robust(OneColumn):
    """Distance from the median in interquartile ranges, bounded smoothly."""

    def __init__(self, sample):
        low, self.center, high = sample.quantiles([0.25, 0.5, 0.75])
        if low == high and sample.range:  # mostly one value: the others are what has a scale
            low, high = sample.without(self.center).quantiles([0.25, 0.75])
        self.scale = (high - low) or sample.range or 1.0

    def write(self, x, out):
        out[:, 0] = bounded((x - self.center) / self.scale, BOUND)


class BoundedStandard(Standard):
    """The standard score, bounded smoothly."""

    def write(self, x, out):
        out[:, 0] = bounded((x - self.center) / self.scale, WIDE_BOUND)


def bounded(z, bound):
    """z, nearly as it is in the middle, and never beyond the bound; the order stays."""
    np.clip(z, -1e9, 1e9, out=z)  # where the square would overflow; rounds to the bound
    return z / np.sqrt(1 + np.square(z / bound))


class Ranks(OneColumn):
    """The standard normal's quantile at the rank among the numbers of the fit; ties in the middle.

    Between quantiles ranks are interpolated, as QuantileTransformer does.
    """

    def __init__(self, sample):
        self.shares = np.linspace(0, 1, int(min(N_QUANTILES, max(2, sample.size))))
        self.values = sample.quantiles(self.shares)
        self.has_ties = bool((np.diff(self.values) == 0).any())

    def write(self, x, out):
        rank = np.interp(x, self.values, self.shares)
        if self.has_ties:  # from below, and the mean of the two
            below = np.interp(-x, -self.values[::-1], 1 - self.shares[::-1])
            rank = (rank + (1 - below)) / 2
        out[:, 0] = ndtri(np.clip(rank, LEAST_SHARE, 1 - LEAST_SHARE))


class PiecewiseLinear:
    """A scaled value, and beside it for each bin how much of it lies below x, centered.

    At their own size the codes outweigh the value of their column, and with few rows a network
    learns these by heart by them before it has learned the trend; with many rows they find what
    jumps within a column.
    """

    def __init__(self, sample, n_bins, scale):
        self.value = BoundedStandard(sample)
        self.edges = bin_edges(sample, n_bins(sample.size) if callable(n_bins) else n_bins)
        self.width = len(self.edges)
        total = np.zeros(self.width - 1)
        for begin in range(0, len(sample.x), CHUNK):
            rows = slice(begin, begin + CHUNK)
            weight = np.ones(len(sample.x[rows])) if sample.weight is None else sample.weight[rows]
            total += weight @ self._codes(sample.x[rows])
        self.means = total / sample.size
        self.scale = scale

    def names(self, name):
        return [name, *(f"{name}_bin{t}" for t in range(1, self.width))]

    def write(self, x, out):
        self.value.write(x, out)
        codes = self._codes(x)
        codes -= self.means
        codes *= self.scale
        out[:, 1:] = codes

    def _codes(self, x):
        """Of shape (n_rows, n_bins), in [0, 1]."""
        codes = x[:, None] - self.edges[:-1]
        codes /= np.diff(self.edges)
        return np.clip(codes, 0, 1, out=codes)


def bin_edges(sample, n_bins):
    """The edges of bins with about as many rows each.

    A value that comes so often that it would fill a bin is an edge, and what is left is divided
    into the bins that are left, as LightGBM does: a column of zeros with a tail keeps its tail.
    """
    values, counts = sample.distinct()
    if len(values) <= n_bins + 1:
        return values
    frequent, n_left = np.zeros(len(values), bool), n_bins
    while n_left > 1:
        more = ~frequent & (counts > counts[~frequent].sum() / n_left)
        if not more.any():
            break
        frequent |= more
        n_left = n_bins - frequent.sum()
    others = sample.without(values[frequent])
    shares = np.linspace(0, 1, max(n_left, 1) + 1)
    return np.unique(np.concatenate([values[frequent], others.quantiles(shares)]))


def auto_bins(n_rows, most=32):
    """A bin for 250 rows, at least 8 and at most 32, if there is room for as many."""
    return int(max(1, min(np.clip(n_rows // 250, 8, 32), most)))


SCALINGS = {
    "robust": lambda sample, **codes: Robust(sample),
    "standard": lambda sample, **codes: Standard(sample),
    "quantile": lambda sample, **codes: Ranks(sample),
    "piecewise_linear": PiecewiseLinear,
}


class Numbers:
    """A column of numbers: its scaling, and a column that marks what is missing."""

    categories = None

    @np.errstate(over="ignore", under="ignore")
    def __init__(self, x, weight, numeric, missing_indicator, **codes):
        known = ~np.isnan(x)
        self.marks_missing = missing_indicator and not known.all()
        if not known.all():
            x, weight = x[known], weight if weight is None else weight[known]
        sample = Sample(x, weight)
        if not np.isfinite(sample.range):
            raise ValueError("holds numbers so large that float64 does not hold their range")
        self.scaling = SCALINGS[numeric](sample, **codes) if len(x) else Nothing()
        self.width = self.scaling.width + self.marks_missing

    def names(self, name):
        return self.scaling.names(name) + [f"{name}_missing"] * self.marks_missing

    @np.errstate(over="ignore", under="ignore")
    def write(self, x, out):
        """Fill `out`, of shape (n_rows, width), for the values x of the column."""
        for begin in range(0, len(x), CHUNK):
            part, rows = x[begin : begin + CHUNK], out[begin : begin + CHUNK]
            missing = np.isnan(part)
            self.scaling.write(part, rows[:, : self.scaling.width])
            if missing.any():
                rows[missing] = 0
            if self.marks_missing:
                rows[:, -1] = missing
