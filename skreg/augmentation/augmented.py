"""Augmented, an estimator fitted on more rows, and AugmentationSampler, which only makes them."""

import inspect
import math
import warnings
from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    _fit_context,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from skreg.augmentation.base import Augmenter
from skreg.augmentation.copies import (
    all_rows,
    averaged,
    make_copies,
    mixes_classes,
    split_in_two,
    take,
)
from skreg.common import all_or_nothing

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score")


def _estimator_has(name):
    """Whether the estimator, fitted where there is one, has a method."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)  # raises AttributeError
        return True

    return check


class Augmented(MetaEstimatorMixin, BaseEstimator):
    """Fit an estimator on the training set and on random variants of it.

    The estimator sees each row once as it is and `n_copies` times as a variant. Targets,
    `sample_weight` and other metadata with one value a row go along; a validation set passed as
    `X_val`, `y_val` is not augmented. Prediction is the estimator's own.

    Augmenters that mix targets: for a regressor the target of a variant is the average; for a
    classifier a variant becomes two rows, one of each class, weighted by the shares, which is exact
    for the log loss. This needs an estimator whose `fit` takes `sample_weight`.

    Where the estimator's `early_stopping` is on and its `fit` takes `X_val`, the rows for
    validation are split off before anything is augmented, with the estimator's own
    `validation_fraction` and `random_state`, stratified for a classifier. Where it takes none,
    variants of a row can end on both sides of its split: a warning says so, as for `oob_score`.

    Parameters
    ----------
    estimator : estimator
        What is fitted, a clone of it.
    augmenter : augmenter
        Its `random_state` decides the variants.
    n_copies : int, default=4
        Variants of each row, >= 0; 0 fits the originals alone.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    augmenter_ : augmenter
        The fitted augmenter.
    classes_ : ndarray of shape (n_classes,)
        Those of the estimator, if it has any.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, where X had them.

    See Also
    --------
    AugmentationSampler : Makes the rows, and fits nothing.
    skreg.MLPClassifier : Its parameter `augmentation` draws new variants in every epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skreg.augmentation import Augmented, FeatureNoise
    >>> X, y = load_iris(return_X_y=True)
    >>> augmenter = FeatureNoise(0.1, random_state=0)
    >>> model = Augmented(DecisionTreeClassifier(random_state=0), augmenter).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"])],
        "augmenter": [Augmenter],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, estimator, augmenter, n_copies=4):
        self.estimator = estimator
        self.augmenter = augmenter
        self.n_copies = n_copies

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Fit the estimator on the rows of X and on their variants.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Targets.
        **params : dict
            Passed to the estimator's `fit`. What has one value a row is extended for the variants;
            `X_val`, `y_val` and `sample_weight_val` are passed as they are.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        if _routing_enabled():
            params = dict(process_routing(self, "fit", **params).estimator.fit)
        params = {name: value for name, value in params.items() if value is not None}
        check_consistent_length(X, y)
        check_weights(X, params.get("sample_weight"))
        with all_or_nothing(self):
            X, y, params = self._with_validation(X, y, params)
            self.augmenter_ = clone(self.augmenter)
            X, y, params = self._with_copies(X, y, params)
            self.estimator_ = self._fitted(clone(self.estimator), X, y, params)
        return self

    def _fitted(self, estimator, X, y, params):
        """The estimator, fitted; in a search of scikit-learn 1.9 it reports in our place."""
        if not hasattr(self, "_parent_callback_ctx"):
            return estimator.fit(X, y, **params)
        estimator._parent_callback_ctx = self._parent_callback_ctx
        try:
            return estimator.fit(X, y, **params)
        finally:
            del estimator._parent_callback_ctx

    # ------------------------------------------------------------------------- callbacks

    @available_if(_estimator_has("set_callbacks"))
    def set_callbacks(self, *callbacks):
        """Set callbacks of the estimator, in place; clones share them.

        Parameters
        ----------
        *callbacks : callbacks
            As the estimator's `set_callbacks` takes them.

        Returns
        -------
        self : object
            The estimator.
        """
        self.estimator.set_callbacks(*callbacks)
        return self

    @property
    def _skl_callbacks(self):
        """Where scikit-learn's searches and pipelines look for them."""
        return self.estimator._skl_callbacks

    @_skl_callbacks.setter
    def _skl_callbacks(self, callbacks):
        self.estimator._skl_callbacks = callbacks

    def _with_copies(self, X, y, params):
        """X, y and metadata, with those of the variants below them."""
        copies = make_copies(self.augmenter_, X, y, self.n_copies, regression=self._regression)
        in_two = mixes_classes(self.augmenter_)
        if in_two:
            self._check_takes_weights()
            copies, weight = split_in_two(copies)
            params["sample_weight"] = _check_sample_weight(params.get("sample_weight"), X)
        X_all, source = all_rows(X, copies)
        if y is not None:
            y = averaged(y, copies) if self.augmenter_.mixes_numbers_ else take(y, source)
        params = extended(params, _num_samples(X), source)
        if in_two:
            params["sample_weight"][_num_samples(X) :] *= weight
        return X_all, y, params

    @property
    def _regression(self):
        """Whether y holds numbers, as far as the estimator tells."""
        if is_regressor(self.estimator):
            return True
        return False if is_classifier(self.estimator) else None

    def _check_takes_weights(self):
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"{type(self.augmenter).__name__} mixes classes, which needs an estimator whose "
                f"fit takes sample_weight; that of {type(self.estimator).__name__} does not. In a "
                "pipeline put Augmented around the last step; or use AugmentationSampler, which "
                "draws one of the two classes."
            )

    # --------------------------------------------------------------------- early stopping

    def _with_validation(self, X, y, params):
        """X, y and metadata; where the estimator stops early, with X_val and y_val split off."""
        if getattr(self.estimator, "oob_score", False) and self.n_copies:
            warn_of_copies("oob_score", "is measured on variants of rows that a tree has seen")
        if "X_val" in params or not self.n_copies or not self._stops_early(X):
            return X, y, params
        takes = inspect.signature(self.estimator.fit).parameters
        if "X_val" not in takes:
            warn_of_copies("early_stopping", "validates on variants of rows that it trains on")
            return X, y, params
        if self.estimator.validation_fraction is None:  # stops by the training loss
            return X, y, params
        return self._split(X, y, params, takes)

    def _stops_early(self, X):
        """Whether the estimator, or one inside of it, stops early."""
        settings = self.estimator.get_params(deep=True)
        for name, value in settings.items():
            if name == "early_stopping" and value == "auto":  # gradient boosting: from 10,000 rows
                value = _num_samples(X) * (self.n_copies + 1) > 10_000
            if name.split("__")[-1] == "early_stopping" and value is True:
                return True
        return False

    def _split(self, X, y, params, takes):
        n_rows, fraction = _num_samples(X), self.estimator.validation_fraction
        whole = isinstance(fraction, Integral)  # a number of rows, of gradient boosting
        n_val = fraction if whole else math.ceil(fraction * n_rows)
        if n_val < 2:
            raise ValueError(
                f"The validation set is too small: validation_fraction={fraction} of "
                f"n_samples={n_rows} are {n_val}. Increase validation_fraction, or pass X_val."
            )
        train, val = train_test_split(
            np.arange(n_rows),
            test_size=fraction,
            random_state=self.estimator.random_state,
            stratify=self._strata(y, n_val),
        )
        validation = {"X_val": take(X, val), "y_val": take(y, val)}
        if "sample_weight" in params and "sample_weight_val" in takes:
            validation["sample_weight_val"] = extended(params, n_rows, val)["sample_weight"]
        return take(X, train), take(y, train), {**extended(params, n_rows, train), **validation}

    def _strata(self, y, n_val):
        """Labels, where each can be in both parts."""
        if not is_classifier(self.estimator) or np.ndim(y) != 1:
            return None
        counts = np.unique(np.asarray(y), return_counts=True)[1]
        fits = counts.min() > 1 and len(counts) <= min(n_val, counts.sum() - n_val)
        return y if fits else None

    # ----------------------------------------------------------------------- prediction

    @available_if(_estimator_has("predict"))
    def predict(self, X, **params):
        """Predictions of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input data.
        **params : dict
            Passed to the estimator.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            What the estimator predicts.
        """
        return self._call("predict", X, **params)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Probabilities of the classes, from the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input data.
        **params : dict
            Passed to the estimator.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._call("predict_proba", X, **params)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Logarithms of the probabilities of the classes, from the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input data.
        **params : dict
            Passed to the estimator.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._call("predict_log_proba", X, **params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Decision function of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input data.
        **params : dict
            Passed to the estimator.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the estimator returns them.
        """
        return self._call("decision_function", X, **params)

    @available_if(_estimator_has("score"))
    def score(self, X, y=None, **params):
        """Score of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            True targets.
        **params : dict
            Passed to the estimator.

        Returns
        -------
        score : float
            As the estimator returns it.
        """
        return self._call("score", X, y, **params)

    def _call(self, method, *args, **params):
        check_is_fitted(self)
        if _routing_enabled():
            params = getattr(process_routing(self, method, **params).estimator, method)
        return getattr(self.estimator_, method)(*args, **params)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    @property
    def classes_(self):
        """Classes of the fitted estimator."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self):
        """Number of features seen in `fit`."""
        return self.augmenter_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features seen in `fit`."""
        return self.augmenter_.feature_names_in_

    def get_metadata_routing(self):
        """Which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            To the estimator and to the augmenter.
        """
        to_estimator = MethodMapping().add(caller="fit", callee="fit")
        for method in METHODS:
            to_estimator.add(caller=method, callee=method)
        to_augmenter = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self)
        router.add(estimator=self.estimator, method_mapping=to_estimator)
        return router.add(augmenter=self.augmenter, method_mapping=to_augmenter)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        for name in ("estimator_type", "classifier_tags", "regressor_tags", "target_tags"):
            setattr(tags, name, getattr(inner, name))
        both_allow_nan = inner.input_tags.allow_nan and self.augmenter._allow_nan
        tags.input_tags.allow_nan = both_allow_nan
        tags.non_deterministic = inner.non_deterministic
        return tags


class AugmentationSampler(BaseEstimator):
    """Make more rows for training: a sampler as in imbalanced-learn, for its `Pipeline`.

    The result holds the rows of X as they are, and below them `n_copies` variants of each. It
    cannot carry weights: where an augmenter mixes classes, a variant gets the class of one of its
    two rows, drawn with their shares, which is right on average. Numbers in y are averaged; whole
    numbers count as classes.

    Parameters
    ----------
    augmenter : augmenter
        Its `random_state` decides the variants.
    n_copies : int, default=1
        Variants of each row, >= 0.

    Attributes
    ----------
    augmenter_ : augmenter
        The fitted augmenter.
    sample_indices_ : ndarray of shape (n_new,)
        The row of X that each row of the result comes from.

    See Also
    --------
    Augmented : An estimator that is fitted on the rows and their variants.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skreg.augmentation import AugmentationSampler, FeatureNoise
    >>> X, y = load_iris(return_X_y=True)
    >>> X_new, y_new = AugmentationSampler(FeatureNoise(0.1), n_copies=2).fit_resample(X, y)
    >>> X_new.shape, y_new.shape
    ((450, 4), (450,))
    """

    _parameter_constraints: dict = {
        "augmenter": [Augmenter],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, augmenter, n_copies=1):
        self.augmenter = augmenter
        self.n_copies = n_copies

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X, y):
        """The rows of X and y with variants below them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        Returns
        -------
        X_new : ndarray or data frame of shape (n_samples * (1 + n_copies), n_features)
            The rows of X, then the variants.
        y_new : ndarray or series of the same length
            Their targets.
        """
        check_consistent_length(X, y)
        with all_or_nothing(self):
            self.augmenter_ = clone(self.augmenter)
            copies = make_copies(self.augmenter_, X, y, self.n_copies)
            X_new, self.sample_indices_ = all_rows(X, copies)
            return X_new, self._targets(y, copies)

    def _targets(self, y, copies):
        if self.augmenter_.mixes_numbers_:
            return averaged(y, copies)
        if mixes_classes(self.augmenter_):
            target_of = np.where(copies.draw < copies.share, copies.own, copies.partner)
            return take(y, np.append(np.arange(_num_samples(y)), target_of))
        return take(y, self.sample_indices_)


def extended(params, n_rows, source):
    """Metadata for other rows: what has one value for each of n_rows is taken at `source`."""
    return {
        name: take(value, source) if belongs_to_rows(name, value, n_rows) else value
        for name, value in params.items()
    }


def belongs_to_rows(name, value, n_rows):
    """Whether metadata has one value a row of X; that of a validation set does not count."""
    if name.endswith("_val") or isinstance(value, str) or not hasattr(value, "__len__"):
        return False
    return _num_samples(value) == n_rows


def check_weights(X, sample_weight):
    """One weight a row of X, before there are more rows."""
    if not hasattr(sample_weight, "__len__") or isinstance(sample_weight, str):
        return  # what else it may be, the estimator knows
    n_rows, n_weights = _num_samples(X), _num_samples(sample_weight)
    if n_weights != n_rows:
        raise ValueError(
            f"sample_weight must have one number for each of the {n_rows} rows of X, got "
            f"{n_weights}."
        )


def warn_of_copies(parameter, what):
    """Variants of one row stand on both sides of a split."""
    warnings.warn(
        f"With Augmented, {parameter} {what}, and so looks too good. Use a validation set apart, "
        f"or set {parameter}=False.",
        stacklevel=4,
    )
