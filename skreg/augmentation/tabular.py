"""TableAugmenter, for rows of tables with numbers and categories, and the augmenters that keep y.

`_augment` gets rows of shape (n, n_features); categories are numbers that may be taken from another
row, but never averaged. Missing values (NaN) pass through.
"""

import itertools
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.augmentation.base import FINITE, Augmenter, takes_sparse
from skreg.augmentation.frames import category_columns, encoded, rows_like


class TableAugmenter(Augmenter):
    """Base class of the augmenters for tables; after `fit`, `is_categorical_` marks categories."""

    _parameter_constraints: dict = {
        **Augmenter._parameter_constraints,
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    }
    _allow_nan = True

    def _check_input(self, X, *, reset, **options):
        checked = super()._check_input(encoded(X), reset=reset, **options)
        if reset:
            self.is_categorical_ = self._categorical_mask(X, checked.shape[1])
        return checked

    def _categorical_mask(self, X, n_features):
        columns = category_columns(X)
        if isinstance(self.categorical_features, str):
            return np.isin(np.arange(n_features), columns)
        mask = self._marked(n_features)
        missing = [j for j in columns if not mask[j]]
        if missing:
            raise ValueError(
                f"The columns {[X.columns[j] for j in missing]} hold categories, but "
                f"categorical_features={self.categorical_features!r} does not name them. Add "
                'them, or use categorical_features="from_dtype".'
            )
        return mask

    def _marked(self, n_features):
        """The mask that indices, names or a mask in `categorical_features` stand for."""
        given = np.asarray([] if self.categorical_features is None else self.categorical_features)
        mask = np.zeros(n_features, dtype=bool)
        if given.size == 0:
            return mask
        if given.dtype.kind == "b" and given.shape == (n_features,):
            return given.copy()
        if given.dtype.kind in "iu" and given.min() >= -n_features and given.max() < n_features:
            mask[given] = True
            return mask
        names = getattr(self, "feature_names_in_", np.array([], dtype=object))
        if given.dtype.kind in "UO" and np.isin(given, names).all():
            return np.isin(names, given)
        raise ValueError(
            f"categorical_features={self.categorical_features!r} fits none of: indices of the "
            f"{n_features} features, a mask of this length, names of columns of a data frame X."
        )

    def _returned(self, X, passed):
        if not category_columns(passed):
            return X
        return rows_like(passed, np.arange(len(X)), X)


class FeatureNoise(TableAugmenter):
    """Add normal noise to each number, in units of its feature's standard deviation.

    `x + std * s * z` with s the standard deviation of the feature in the training set (missing
    values left out) and z standard normal: to first order a penalty on the squared gradient of
    the prediction (Bishop 1995). Categories and missing values stay.

    Parameters
    ----------
    std : float, default=0.1
        Standard deviation of the noise over the feature's, >= 0; 0 is the identity.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        Which features are categories: indices, names of columns, a mask, or "from_dtype" for the
        columns of a data frame with the type "category". A frame with such columns comes back as
        a frame with the same categories.
    p : float, default=1.0
        Probability, for each row, of being changed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    std_ : ndarray of shape (n_features,)
        Standard deviation of each feature; 0 for categories.
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import FeatureNoise
    >>> X = np.random.RandomState(0).normal(size=(1000, 2)) * [1, 100]
    >>> noise = FeatureNoise(0.1, random_state=0).fit_transform(X) - X
    >>> np.round(noise.std(axis=0) / X.std(axis=0), 2)
    array([0.1, 0.1])
    """

    _parameter_constraints: dict = {
        **TableAugmenter._parameter_constraints,
        "std": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, std=0.1, *, categorical_features="from_dtype", p=1.0, random_state=None):
        self.std = std
        self.categorical_features = categorical_features
        self.p = p
        self.random_state = random_state

    @takes_sparse
    def _learn(self, X, y):
        self.std_ = np.zeros(X.shape[1], dtype=X.dtype)
        for j, column in enumerate(columns_of(X)):
            known, unit = in_range(column[~np.isnan(column)])
            if known.size and not self.is_categorical_[j]:
                self.std_[j] = known.std() * unit

    def _augment(self, X, rng):
        noise = rng.normal(X.shape[1], X.dtype)
        noise *= (self.std * self.std_.astype(np.float64)).astype(X.dtype)
        return np.add(X, noise, out=X, where=noise != 0)


def columns_of(X):
    """The columns of an array or of a CSR matrix one after another, with all of their zeros."""
    if not sp.issparse(X):
        yield from X.T
        return
    X = X.tocsc()
    for begin, end in itertools.pairwise(X.indptr):
        column = np.zeros(X.shape[0], X.dtype)
        np.add.at(column, X.indices[begin:end], X.data[begin:end])  # what is stored twice, summed
        yield column


def in_range(X):
    """X in float64, each column over a unit near its largest value, and the units.

    They are powers of two: the division rounds nothing, and squares and sums are finite.
    """
    X = X.astype(np.float64)
    _, exponent = np.frexp(np.abs(X).max(axis=0, initial=0))
    unit = np.ldexp(1.0, exponent - 1)
    return X / unit, unit


class SwapNoise(TableAugmenter):
    """Replace values by those of the same feature in random other rows.

    Each value of a row is replaced with probability p by a draw from the feature's values in the
    training set: the result keeps the distribution of each feature, and breaks those between them.
    Works for numbers and categories alike, and needs no scale.

    Parameters
    ----------
    p : float, default=0.1
        Probability, for each value, of being replaced; 0 is the identity.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As in :class:`FeatureNoise`; all features are swapped.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import SwapNoise
    >>> X = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    >>> SwapNoise(0.5, random_state=0).fit_transform(X)
    array([[ 1., 10.],
           [ 3., 20.],
           [ 3., 30.],
           [ 4., 10.]])
    """

    def __init__(self, p=0.1, *, categorical_features="from_dtype", random_state=None):
        self.p = p
        self.categorical_features = categorical_features
        self.random_state = random_state

    @property
    def _row_probability(self):
        return 1.0 if self.p > 0 else 0.0

    def _augment_from(self, X, rng, pool):
        n = pool.shape[0]
        swapped = rng.uniform(X.shape[1]) < self.p
        donors = (rng.uniform(X.shape[1]) * n).astype(np.int64)
        row, column = np.nonzero(swapped)
        X[row, column] = values_at(pool, np.minimum(donors[row, column], n - 1), column)
        return X

    def _augment(self, X, rng):
        return self._augment_from(X, rng, X)


def values_at(X, rows, columns):
    """Single values of an array or of a CSR matrix."""
    values = X[rows, columns]
    values = values.toarray() if sp.issparse(values) else np.asarray(values)
    return values.ravel()


class FeatureMask(TableAugmenter):
    """Replace values by one that says nothing: the feature's mean, median, or a constant.

    Each value of a row is replaced with probability p, as input dropout does, but without a change
    of scale. A category is replaced by the most frequent one.

    Parameters
    ----------
    p : float, default=0.1
        Probability, for each value, of being replaced; 0 is the identity.
    fill_value : {"mean", "median"} or float, default="mean"
        What takes the place of a number.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As in :class:`FeatureNoise`.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    fill_ : ndarray of shape (n_features,)
        What takes the place of each feature.
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import FeatureMask
    >>> X = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    >>> FeatureMask(0.5, random_state=0).fit_transform(X)
    array([[ 2.5, 25. ],
           [ 2.5, 20. ],
           [ 3. , 30. ],
           [ 2.5, 25. ]])
    """

    _parameter_constraints: dict = {
        **TableAugmenter._parameter_constraints,
        "fill_value": [StrOptions({"mean", "median"}), FINITE],
    }

    def __init__(
        self,
        p=0.1,
        *,
        fill_value="mean",
        categorical_features="from_dtype",
        random_state=None,
    ):
        self.p = p
        self.fill_value = fill_value
        self.categorical_features = categorical_features
        self.random_state = random_state

    @property
    def _row_probability(self):
        return 1.0 if self.p > 0 else 0.0

    @takes_sparse
    def _learn(self, X, y):
        fill = [self._fill_of(column, j) for j, column in enumerate(columns_of(X))]
        self.fill_ = np.array(fill, X.dtype)

    def _fill_of(self, column, j):
        known = column[~np.isnan(column)]
        if not known.size:
            return np.nan
        if self.is_categorical_[j]:
            values, counts = np.unique(known, return_counts=True)
            return values[counts.argmax()]
        if isinstance(self.fill_value, Real):
            return self.fill_value
        known, unit = in_range(known)
        return unit * (np.mean(known) if self.fill_value == "mean" else np.median(known))

    def _augment(self, X, rng):
        masked = rng.uniform(X.shape[1]) < self.p
        np.copyto(X, self.fill_, where=masked)
        return X
