"""Augmenters that combine two rows, and with them, in general, their targets.

A MixingAugmenter writes `_mix(X, rng, pool)`, which returns the mixed rows, the index of each row's
partner in the training set, and the row's own share of the target. As a step of a pipeline, which
cannot change y, it raises; `Augmented` and `AugmentationSampler` call `_mixtures`.
"""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from scipy.special import betaincinv
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import type_of_target

from skreg.augmentation.base import takes_sparse
from skreg.augmentation.core import RowRandom
from skreg.augmentation.image import drawn_boxes, image_row_shape
from skreg.augmentation.tabular import TableAugmenter, in_range

NOT_NEGATIVE = Interval(Real, 0, None, closed="left")


class MixingAugmenter(TableAugmenter):
    """Base class of the augmenters that combine two rows; a subclass writes `_mix`."""

    mixes_targets = mixes_classes = True

    @takes_sparse
    def _learn(self, X, y):
        self.mixes_numbers_ = self.regression
        if self.regression is None:
            self.mixes_numbers_ = y is not None and type_of_target(y).startswith("continuous")

    @np.errstate(all="ignore")
    def _mixtures(self, X, rows, *, epoch, seed):
        """Mixed variants of rows of X; the partner of each; the row's own share of the target."""
        rng = RowRandom(seed, epoch, rows)
        drawn = rng.uniform(1)[:, 0]
        variants, partners, shares = X[rows], rows.copy(), np.ones(len(rows))
        chosen = np.flatnonzero(drawn < self.p)
        if not len(chosen):
            return variants, partners, shares
        mixed = self._mix(self._samples(X[rows[chosen]]), rng.take(chosen), self._samples(X))
        variants[chosen] = mixed[0].reshape(len(chosen), *X.shape[1:])
        partners[chosen], shares[chosen] = mixed[1:]
        return variants, partners, shares

    def _augment_from(self, X, rng, pool):
        name = type(self).__name__
        raise ValueError(
            f"{name} mixes the targets of rows, which a transformer in a pipeline cannot do. Wrap "
            f"the estimator: Augmented(estimator, {name}(...)); or resample with "
            f"AugmentationSampler({name}(...)); or use the parameters mixup and cutmix of skreg's "
            "networks."
        )

    def _augment(self, X, rng):
        return self._augment_from(X, rng, X)

    @abstractmethod
    def _mix(self, X, rng, pool):
        """Mixed samples, indices of the partners in pool, shares of the rows themselves."""

    def _blend(self, X, others, share, rng):
        """share * X + (1 - share) * others; a category comes from X with probability share."""
        share = share.astype(X.dtype)[:, None]
        own = share == 1  # as it is, also where the other is missing
        blended = np.where(own, X, share * X + (1 - share) * others)
        kept = rng.uniform(X.shape[1]) < share
        return np.where(self.is_categorical_, np.where(own | kept, X, others), blended)


def drawn_share(rng, alpha):
    """Shares from the Beta(alpha, alpha) distribution; 1 for alpha 0."""
    u = rng.uniform(1)[:, 0]
    return betaincinv(alpha, alpha, u) if alpha > 0 else np.ones_like(u)


class MixUp(MixingAugmenter):
    """Average each row, and its target, with a random other row (Zhang et al. 2018).

    `share * x_i + (1 - share) * x_j` with share drawn from Beta(alpha, alpha) for each row, and
    the partner j from all rows. The target is mixed with the same share.

    Parameters
    ----------
    alpha : float, default=0.2
        Strength >= 0: small values give shares near 0 and 1, 1 uniform ones; 0 is the identity.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As in :class:`FeatureNoise`. A category is taken from i with probability share, else from j.
    p : float, default=1.0
        Probability, for each row, of being mixed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import AugmentationSampler, MixUp
    >>> X, y = np.array([[0.0, 0.0], [4.0, 8.0], [8.0, 4.0]]), np.array([0.1, 0.5, 0.9])
    >>> X_new, y_new = AugmentationSampler(MixUp(1.0, random_state=1)).fit_resample(X, y)
    >>> X_new[3:].round(2)
    array([[6.79, 3.4 ],
           [4.26, 7.74],
           [6.8 , 5.2 ]])
    >>> y_new[3:].round(2)
    array([0.78, 0.53, 0.78])
    """

    _parameter_constraints: dict = {
        **MixingAugmenter._parameter_constraints,
        "alpha": [NOT_NEGATIVE],
    }

    def __init__(self, alpha=0.2, *, categorical_features="from_dtype", p=1.0, random_state=None):
        self.alpha = alpha
        self.categorical_features = categorical_features
        self.p = p
        self.random_state = random_state

    def _mix(self, X, rng, pool):
        share, partner = drawn_share(rng, self.alpha), rng.below(len(pool))
        return self._blend(X, pool[partner], share, rng), partner, share


class CutMix(MixingAugmenter):
    """Replace a part of each row by that of a random other row (Yun et al. 2019).

    For pictures the part is a rectangle, for tables a random set of features. Its expected share
    is drawn from Beta(alpha, alpha); the target is mixed with the share that was really cut, a
    whole number of pixels or features. The networks' parameter `cutmix`, for tables alone, is the
    expected share itself, the same for all rows.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength >= 0: small values cut nearly nothing or nearly all, 1 any share alike; 0 is the
        identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row as a picture. None: rows are those of a table.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As in :class:`FeatureNoise`; no value is averaged.
    p : float, default=1.0
        Probability, for each row, of being mixed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import AugmentationSampler, CutMix
    >>> X, y = np.repeat([[0.0], [1.0], [2.0]], 4, axis=1), np.array([0.1, 1.1, 2.1])
    >>> X_new, y_new = AugmentationSampler(CutMix(random_state=1)).fit_resample(X, y)
    >>> X_new[3:]
    array([[2., 2., 2., 2.],
           [1., 1., 1., 1.],
           [2., 2., 1., 2.]])
    >>> y_new[3:].round(3)
    array([2.1 , 1.1 , 1.85])
    """

    _parameter_constraints: dict = {
        **MixingAugmenter._parameter_constraints,
        "alpha": [NOT_NEGATIVE],
        "image_shape": [tuple, list, None],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        image_shape=None,
        categorical_features="from_dtype",
        p=1.0,
        random_state=None,
    ):
        self.alpha = alpha
        self.image_shape = image_shape
        self.categorical_features = categorical_features
        self.p = p
        self.random_state = random_state

    def _row_shape(self, shape):
        if self.image_shape is None:
            return super()._row_shape(shape)
        return image_row_shape(self.image_shape, shape)

    def _mix(self, X, rng, pool):
        cut, partner = 1 - drawn_share(rng, self.alpha), rng.below(len(pool))
        mask = cut_features(X, rng, cut) if X.ndim == 2 else cut_boxes(X, rng, cut)
        share = 1 - mask.reshape(len(X), -1).mean(axis=1)
        return np.where(mask, pool[partner], X), partner, share


def cut_features(X, rng, cut):
    """Masks (n, n_features) with each feature cut with probability `cut`."""
    return rng.uniform(X.shape[1]) < cut[:, None]


def cut_boxes(X, rng, cut):
    """Masks (n, height, width, 1) of rectangles with the shares `cut` and the picture's shape."""
    top, left, tall, wide = drawn_boxes(rng, *X.shape[1:3], cut, (1, 1)).T[..., None, None, None]
    row, column = np.arange(X.shape[1])[:, None, None], np.arange(X.shape[2])[:, None]
    return (row >= top) & (row < top + tall) & (column >= left) & (column < left + wide)


class Interpolate(MixingAugmenter):
    """Move each row toward one of its nearest neighbors (SMOTE's step, Chawla et al. 2002).

    `x_i + u * (x_j - x_i)` with u uniform in (0, 1) and j one of the `k_neighbors` nearest rows.
    Where y holds classes, neighbors are those of the same class, and the target stays; where y
    holds numbers, neighbors are any, and the target moves along (Torgo et al. 2013); without y,
    neighbors are any. Distances are Euclidean in features divided by their standard deviations; a
    category that differs counts as one.

    Parameters
    ----------
    k_neighbors : int, default=5
        Number of neighbors to choose from, >= 1; a smaller class has fewer. The only row of its
        class stays as it is.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As in :class:`FeatureNoise`. A category is taken from i with probability 1 - u, else from j.
    p : float, default=1.0
        Probability, for each row, of being moved.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    neighbors_ : ndarray of shape (n_samples, k_neighbors)
        Indices of the neighbors of each row of the training set.
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which features are categories.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import AugmentationSampler, Interpolate
    >>> X, y = np.array([[0.0], [1.0], [10.0], [12.0]]), np.array([0, 0, 1, 1])
    >>> X_new, y_new = AugmentationSampler(Interpolate(1, random_state=0)).fit_resample(X, y)
    >>> X_new[4:].ravel().round(2)
    array([ 0.38,  0.72, 11.23, 11.76])
    >>> y_new[4:]
    array([0, 0, 1, 1])
    """

    _parameter_constraints: dict = {
        **MixingAugmenter._parameter_constraints,
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
    }
    _allow_nan = False
    mixes_classes = False

    def __init__(
        self, k_neighbors=5, *, categorical_features="from_dtype", p=1.0, random_state=None
    ):
        self.k_neighbors = k_neighbors
        self.categorical_features = categorical_features
        self.p = p
        self.random_state = random_state

    def _learn(self, X, y):
        super()._learn(X, y)
        groups = np.zeros(len(X), dtype=np.int64)
        if y is not None and not self.mixes_numbers_:
            groups = np.unique(np.asarray(y), axis=0, return_inverse=True)[1].ravel()
        self.neighbors_ = np.repeat(np.arange(len(X))[:, None], self.k_neighbors, axis=1)
        points = self._points(X)
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            if len(rows) > 1:
                self.neighbors_[rows] = rows[nearest(points[rows], self.k_neighbors)]

    def _points(self, X):
        """Rows in the space where distances are measured."""
        numbers, _ = in_range(X[:, ~self.is_categorical_])
        std = numbers.std(axis=0)
        columns = [(numbers - numbers.mean(axis=0)) / np.where(std > 0, std, 1)]
        for j in np.flatnonzero(self.is_categorical_):
            columns.append((X[:, j, None] == np.unique(X[:, j])) / np.sqrt(2))
        return np.hstack(columns)

    def _augment_from(self, X, rng, pool):
        if self.mixes_numbers_:
            return super()._augment_from(X, rng, pool)
        return self._mix(X, rng, self._samples(pool))[0]

    def _mix(self, X, rng, pool):
        share = 1 - rng.uniform(1)[:, 0]
        partner = self.neighbors_[rng.rows, rng.below(self.k_neighbors)]
        return self._blend(X, pool[partner], share, rng), partner, share


def nearest(points, k):
    """Indices (n, k) of the nearest other points; from the first again where there are fewer."""
    found = NearestNeighbors(n_neighbors=min(k, len(points) - 1)).fit(points)
    neighbors = found.kneighbors(return_distance=False)
    return neighbors[:, np.arange(k) % neighbors.shape[1]]
