"""Augmenter: the contract of a transformer that makes random variants of the rows it is fitted on.

A subclass writes one method, `_augment(X, rng)`: a batch in, a batch of the same shape out, where
`rng` (core.RowRandom) has the random numbers of these rows. X is a copy that may be changed. What
the rows look like there (pictures, signals, plain rows) is decided by `_row_shape`; what is learned
from the training set by `_learn`. Everything else is here: validation, probability, seeds, types.
NumPy's warnings of overflow are off throughout: a result that is not finite is an error instead.
Networks may have sparse X: their batches are made dense, and only a `_learn` that is marked by
`takes_sparse` gets it.

Variants come from `_variants`, which the three uses share: `fit_transform` takes one of each row
(epoch 0), `Augmented` and `AugmentationSampler` one for each copy, a network one for each epoch.
"""

import math
from abc import ABCMeta, abstractmethod
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn import get_config
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from skreg.augmentation.core import RowRandom, count_cpus
from skreg.common import all_or_nothing

FINITE = Interval(Real, None, None, closed="neither")

# Of a batch: small enough to stay in cache from one pass over it to the next, and for the allocator
# to keep the memory of the one before.
CHUNK_BYTES = 2**21


def takes_sparse(learn):
    """Mark a `_learn` for X that may be CSR, too, which it must not make dense as a whole."""
    learn.takes_sparse = True
    return learn


class Augmenter(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of all augmenters; a subclass writes `_augment`.

    ``_augment(X, rng)`` gets a batch of rows, which it may change, and returns one of the same
    shape. ``rng.uniform(k)`` and ``rng.normal(k)`` return k random numbers for each row.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import Augmenter
    >>> class RandomSign(Augmenter):
    ...     def __init__(self, p=1.0, random_state=None):
    ...         self.p = p
    ...         self.random_state = random_state
    ...
    ...     def _augment(self, X, rng):
    ...         return np.where(rng.uniform(1) < 0.5, -X, X)
    ...
    >>> RandomSign(random_state=0).fit_transform(np.ones((4, 2)))
    array([[-1., -1.],
           [-1., -1.],
           [ 1.,  1.],
           [-1., -1.]])
    """

    _parameter_constraints: dict = {
        "p": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    }
    _allow_nan = False

    # ------------------------------------------------------------------ what a pipeline calls

    def fit(self, X, y=None):
        """Learn what the variants need to know of the training set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or of the shape of the samples
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Ignored by all but the augmenters that mix targets.

        Returns
        -------
        self : object
            The fitted augmenter.
        """
        with all_or_nothing(self):
            self._begin(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Fit, and return one random variant of each row; this is what `Pipeline.fit` calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or of the shape of the samples
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Ignored by all but the augmenters that mix targets.

        Returns
        -------
        X_new : ndarray of the shape of X
            float32 where X is float32, else float64.
        """
        with all_or_nothing(self):
            checked = self._begin(X, y)
            seed = draw_seed(self.random_state)
            variants = self._variants(checked, np.arange(len(checked)), epoch=0, seed=seed)
            return self._returned(variants, X)

    def transform(self, X):
        """Return X as it is: what is predicted or scored is never augmented.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or of the shape of the samples
            Rows to predict or to score.

        Returns
        -------
        X : ndarray of the same shape
            The rows as they came.
        """
        check_is_fitted(self)
        return self._returned(self._check_input(X, reset=False), X)

    # -------------------------------------------------------------------------- variants

    @np.errstate(all="ignore")
    def _begin(self, X, y, *, accept_sparse=False):
        """Fit on X, and return it in the form that `_variants` takes; every use goes through here.

        So this, and not `fit`, is the place to validate. Networks accept sparse X.
        """
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        X = self._check_input(X, reset=True, accept_sparse=accept_sparse)
        self._check_parameters()
        self._learn(self._checked_sparse(X) if sp.issparse(X) else self._samples(X), y)
        return X

    def _check_input(self, X, *, reset, accept_sparse=False):
        X = validate_data(
            self,
            X,
            accept_sparse="csr" if accept_sparse else False,
            dtype=(np.float64, np.float32),
            order="C",
            allow_nd=True,
            ensure_all_finite="allow-nan" if self._allow_nan else True,
            reset=reset,
        )
        shape = X.shape[1:]
        if not reset and shape != self.sample_shape_:
            raise ValueError(
                f"X has samples of shape {shape}, but {type(self).__name__} was fitted on samples "
                f"of shape {self.sample_shape_}. Pass samples of the same shape."
            )
        self.sample_shape_ = shape
        return X

    def _checked_sparse(self, X):
        self._row_shape(X.shape[1:])
        if not hasattr(self._learn, "takes_sparse"):
            raise ValueError(
                f"{type(self).__name__} learns from all values of X at once, and expects a dense "
                "array, got a sparse matrix. Pass X.toarray(), or use another augmenter."
            )
        return X

    @np.errstate(all="ignore")
    def _variants(self, X, rows, *, epoch, seed):
        """One variant of each of the given rows of the training set X, in their order."""
        count_cpus()
        out = np.empty((len(rows), *X.shape[1:]), dtype=X.dtype)
        chunk = max(1, CHUNK_BYTES // max(1, row_bytes(X)))
        for begin in range(0, len(rows), chunk):
            part, batch = rows[begin : begin + chunk], out[begin : begin + chunk]
            if sp.issparse(X):
                X[part].toarray(out=batch)
            else:
                np.take(X, part, axis=0, out=batch, mode="clip")  # the default needs a buffer
            variants = self._apply(batch, RowRandom(seed, epoch, part), X)
            if not np.may_share_memory(variants, batch):
                batch[...] = variants
        return out

    def _apply(self, X, rng, pool):
        """Variants of a batch that is a copy, with rows as they came; pool is the training set."""
        p = self._row_probability
        drawn = rng.uniform(1)[:, 0]  # drawn in any case: p changes no other number
        if p == 1:
            return self._augment_from(self._samples(X), rng, pool).reshape(X.shape)
        chosen = np.flatnonzero(drawn < p)
        if not len(chosen):
            return X
        variants = self._augment_from(self._samples(X[chosen]), rng.take(chosen), pool)
        X[chosen] = variants.reshape(len(chosen), *X.shape[1:])
        return X

    def _samples(self, X):
        """A batch with each row in the shape that `_augment` reads."""
        return X.reshape(len(X), *self._row_shape(X.shape[1:]))

    def _augment_from(self, X, rng, pool):
        """Variants of the samples X; row-mixing augmenters take donors from pool, as it came."""
        return self._finite(self._augment(X, rng))

    def _finite(self, X):
        """Variants that have no other numbers than samples may have."""
        if math.isfinite(X.sum()):  # a quick look
            return X
        wrong = np.isinf(X) if self._allow_nan else ~np.isfinite(X)
        if wrong.any():
            raise ValueError(
                f"{type(self).__name__} makes values that are not finite: its magnitudes are too "
                f"large for X, which holds {X.dtype} up to {np.finfo(X.dtype).max:.1e}. Choose "
                "smaller ones, or scale X."
            )
        return X

    @property
    def _row_probability(self):
        return self.p

    # ------------------------------------------------------- what those that mix targets change

    regression = None  # whether y holds numbers, where the caller knows better than y shows
    mixes_targets = False  # whether variants have, in general, a target of their own
    mixes_classes = False  # whether a row and its partner may be of different classes
    mixes_numbers_ = False  # whether the target of a variant is an average

    def _mixtures(self, X, rows, *, epoch, seed):
        """Variants of rows of X; the partner of each; the row's own share of the target."""
        return self._variants(X, rows, epoch=epoch, seed=seed), rows, np.ones(len(rows))

    # ------------------------------------------------------------------- what a subclass writes

    @abstractmethod
    def _augment(self, X, rng):
        """Variants of a batch of samples, of the same shape and type."""

    def _row_shape(self, shape):
        """The shape in which `_augment` reads a sample that comes in `shape`."""
        if len(shape) != 1:
            raise ValueError(
                f"Found array with dim {len(shape) + 1}, while dim <= 2 is required by "
                f"{type(self).__name__}, whose rows are plain samples of shape (n_features,)."
            )
        return shape

    def _check_parameters(self):
        """Raise where parameters do not go together."""

    @takes_sparse
    def _learn(self, X, y):
        """Learn from the samples X of the training set."""

    def _returned(self, X, passed):
        """What a caller gets for the rows X, which were `passed` in his own container."""
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._allow_nan
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def draw_seed(random_state):
    """A 63-bit seed from a random state in scikit-learn's sense."""
    return int(check_random_state(random_state).randint(2**63 - 1, dtype=np.int64))


def row_bytes(X):
    """Memory of one dense row of X."""
    return math.prod(X.shape[1:]) * X.dtype.itemsize


def checked_range(name, value, *, lowest=-np.inf, highest=np.inf):
    """(low, high) as floats, with low <= high, both within [lowest, highest]."""
    expected = f"{name} must be a pair (low, high) of numbers with {lowest:g} <= low <= high"
    expected += f" <= {highest:g}" if highest < np.inf else ""
    try:
        low, high = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{expected}, got {value!r}.") from error
    if not lowest <= low <= high <= highest or not np.isfinite([low, high]).all():
        hint = " Swap the two numbers." if low > high else ""
        raise ValueError(f"{expected}, got {value!r}.{hint}")
    return low, high
