"""Compose and OneOf: augmenters made of augmenters.

The parts are given as a plain list, and get the names of their classes in lower case for
`set_params` (`compose__randomrotation__max_angle`), numbered where a class comes twice. Their
random numbers come from the whole, keyed by their positions in it.
"""

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import _name_estimators
from sklearn.utils.metaestimators import _BaseComposition

from skreg.augmentation.base import Augmenter
from skreg.augmentation.frames import category_columns, encoded, rows_like


class CompositeAugmenter(Augmenter, _BaseComposition):
    """Base class of augmenters with parts; a subclass writes `_augment_from`."""

    _parameter_constraints: dict = {
        **Augmenter._parameter_constraints,
        "augmenters": [list, tuple],
    }

    def get_params(self, deep=True):
        """Parameters of this augmenter and, with deep=True, of its parts.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include those of the parts.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = Augmenter.get_params(self, deep=False)
        if not deep:
            return params
        for name, part in self._named_parts:
            params[name] = part
            params.update({f"{name}__{key}": v for key, v in part.get_params(deep=True).items()})
        return params

    def set_params(self, **params):
        """Set parameters of this augmenter, of its parts (`name__parameter`), or the parts.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : object
            The augmenter.
        """
        self._set_params("_named_parts", **params)
        return self

    @property
    def _named_parts(self):
        parts = self.augmenters if isinstance(self.augmenters, list | tuple) else []
        return _name_estimators([p for p in parts if hasattr(p, "get_params")])

    @_named_parts.setter
    def _named_parts(self, named):
        self.augmenters = [part for _, part in named]

    def _validate_params(self):
        super()._validate_params()
        for part in self.augmenters:
            if isinstance(part, Augmenter):  # others are refused below
                part._validate_params()

    def _check_parameters(self):
        if not self.augmenters or not all(isinstance(a, Augmenter) for a in self.augmenters):
            raise ValueError(
                f"augmenters must be a list of one or more augmenters, got {self.augmenters!r}."
            )
        for name, part in self._named_parts:
            if getattr(part, "random_state", None) is not None:
                raise ValueError(
                    f"{name} has random_state={part.random_state!r}, but within "
                    f"{type(self).__name__} the random_state of the whole counts. Set that one."
                )

    @property
    def _allow_nan(self):
        return all(getattr(part, "_allow_nan", False) for _, part in self._named_parts)

    def _check_input(self, X, **options):
        return super()._check_input(encoded(X), **options)

    def _begin(self, X, y, **options):
        checked = super()._begin(X, y, **options)
        self.augmenters_ = [clone(part) for part in self.augmenters]
        with config_context(skip_parameter_validation=True):  # that of the parts is done
            for part in self.augmenters_:
                part._begin(X, y, **options)
        return checked

    def _returned(self, X, passed):
        if not category_columns(passed):
            return X
        return rows_like(passed, np.arange(len(X)), X)

    def _augment(self, X, rng):
        return self._augment_from(X, rng, X)

    def _row_shape(self, shape):
        return shape


class Compose(CompositeAugmenter):
    """Apply several augmenters, one after another.

    Parameters
    ----------
    augmenters : list of augmenters
        Applied in this order. Each learns from the original training set, and takes other rows,
        where it needs any, from there.
    p : float, default=1.0
        Probability, for each row, that the augmenters are applied at all.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call. The parts must not have their own.

    Attributes
    ----------
    augmenters_ : list
        The fitted augmenters.
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> from skreg.augmentation import Compose, RandomRotation, RandomShift
    >>> augmenter = Compose([RandomRotation(15), RandomShift(2)])
    >>> augmenter.set_params(randomrotation__max_angle=20).augmenters[0].max_angle
    20
    """

    def __init__(self, augmenters, *, p=1.0, random_state=None):
        self.augmenters = augmenters
        self.p = p
        self.random_state = random_state

    def _augment_from(self, X, rng, pool):
        for position, part in enumerate(self.augmenters_):
            X = part._apply(X, rng.child(position), pool)
        return X


class OneOf(CompositeAugmenter):
    """Apply to each row one of several augmenters, drawn at random.

    Parameters
    ----------
    augmenters : list of augmenters
        What to choose from.
    weights : array-like of shape (n_augmenters,), optional
        Relative probabilities, >= 0; None: all alike.
    p : float, default=1.0
        Probability, for each row, that one is applied at all.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call. The parts must not have their own.

    Attributes
    ----------
    augmenters_ : list
        The fitted augmenters.
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import OneOf, RandomBrightness, RandomFlip
    >>> X = np.tile([1.0, 2.0, 3.0], (4, 1))
    >>> parts = [RandomFlip(image_shape=(1, 3)), RandomBrightness(0.2, image_shape=(1, 3))]
    >>> OneOf(parts, random_state=0).fit_transform(X).round(2)
    array([[1.  , 2.  , 3.  ],
           [1.  , 2.  , 3.  ],
           [1.07, 2.07, 3.07],
           [3.  , 2.  , 1.  ]])
    """

    _parameter_constraints: dict = {
        **CompositeAugmenter._parameter_constraints,
        "weights": ["array-like", None],
    }

    def __init__(self, augmenters, weights=None, *, p=1.0, random_state=None):
        self.augmenters = augmenters
        self.weights = weights
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        super()._check_parameters()
        weights = np.ones(len(self.augmenters)) if self.weights is None else self.weights
        weights = np.asarray(weights, dtype=np.float64)
        fits = weights.shape == (len(self.augmenters),)
        if not fits or not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise ValueError(
                f"weights must be {len(self.augmenters)} numbers >= 0, one for each augmenter and "
                f"not all zero, got {self.weights!r}."
            )
        weights = weights / weights.max()  # whose sum is finite
        self.shares_ = weights / weights.sum()

    def _augment_from(self, X, rng, pool):
        bounds = np.cumsum(self.shares_)[:-1]
        choice = np.searchsorted(bounds, rng.uniform(1)[:, 0], side="right")
        for position, part in enumerate(self.augmenters_):
            chosen = np.flatnonzero(choice == position)
            if len(chosen):
                child = rng.child(position).take(chosen)
                X[chosen] = part._apply(X[chosen], child, pool)
        return X
