"""WeightedEnsemble: the weighted mean of several ensembles over folds."""

from abc import ABCMeta

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    _fit_context,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from skreg.common import all_or_nothing


class WeightedEnsemble(MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta):
    """What both have in common."""

    _parameter_constraints: dict = {"estimators": ["array-like"], "weights": ["array-like", None]}

    def __init__(self, estimators, *, weights=None):
        self.estimators = estimators
        self.weights = weights

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Fit all ensembles anew, and keep their weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows.
        **params : dict
            Metadata of the splitters, such as `groups`.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        passed = [params] * len(self.estimators)
        if _routing_enabled():
            routed = process_routing(self, "fit", **params)
            passed = [routed[f"estimator{i}"].fit for i in range(len(self.estimators))]
        with all_or_nothing(self):
            weights = self._checked_weights()
            fitted = [
                clone(estimator).fit(X, y, sample_weight, **own)
                for estimator, own in zip(self.estimators, passed, strict=True)
            ]
            self._keep(fitted, weights)
        return self

    def _checked_weights(self):
        n = len(self.estimators)
        if not n:
            raise ValueError("estimators is empty. Give at least one ensemble.")
        weights = np.ones(n) if self.weights is None else np.asarray(self.weights, np.float64)
        if wrong := [e for e in self.estimators if not hasattr(e, "_mean")]:
            raise TypeError(
                "estimators must be ensembles over folds or tabular models, got "
                f"{type(wrong[0]).__name__}. FoldEnsembleClassifier(estimator) makes one of it."
            )
        if weights.shape != (n,) or (weights < 0).any() or not 0 < weights.sum() < np.inf:
            raise ValueError(
                f"weights must be one number >= 0 for each of the {n} estimators, not all 0, got "
                f"{self.weights!r}."
            )
        return weights / weights.sum()

    def _keep(self, fitted, weights):
        """Fitted attributes."""
        first = fitted[0]
        self.estimators_, self.weights_ = fitted, weights
        vars(self).pop("feature_names_in_", None)
        for name in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
        return self

    def _mean(self, X):
        check_is_fitted(self)
        means = zip(self.weights_, self.estimators_, strict=True)
        return sum(weight * of_one._mean(X) for weight, of_one in means)

    def predict(self, X):
        """What the mean of all says.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers.
        """
        mean = self._mean(X)
        return self.estimators_[0]._decided(mean)

    def get_metadata_routing(self):
        """Routes to each ensemble what its `fit` asks for.

        Returns
        -------
        routing : MetadataRouter
            To the ensembles.
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for i, estimator in enumerate(self.estimators):
            router.add(**{f"estimator{i}": estimator}, method_mapping=mapping)
        return router

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if len(self.estimators):
            tags.input_tags = get_tags(self.estimators[0]).input_tags
        return tags


class WeightedEnsembleClassifier(ClassifierMixin, WeightedEnsemble):
    """Weighted mean of the probabilities of several ensembles over folds.

    What :class:`~skreg.RegularizationSearchCV` makes with ``final="ensemble"``.
    Each ensemble brings its own encoding, preprocessing and temperature.

    Parameters
    ----------
    estimators : list of FoldEnsembleClassifier or TabularClassifier
        With the same classes to be predicted from the same X.
    weights : array-like of shape (n_estimators,), default=None
        Weights >= 0; None: equal ones.

    Attributes
    ----------
    estimators_ : list
        The fitted ensembles.
    weights_ : ndarray of shape (n_estimators,)
        The weights, which add up to one.
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where all are strings.

    See Also
    --------
    FoldEnsembleClassifier : The ensembles that are averaged.
    WeightedEnsembleRegressor : The same for regression.

    References
    ----------
    .. [1] Caruana, Niculescu-Mizil, Crew and Ksikes (2004). "Ensemble selection from libraries of
       models". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skreg import MLPClassifier
    >>> from skreg.ensemble import FoldEnsembleClassifier, WeightedEnsembleClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> X = (X - X.mean(axis=0)) / X.std(axis=0)
    >>> networks = [MLPClassifier(sizes, learning_rate_init=0.02) for sizes in ((64,), (16, 16))]
    >>> ensembles = [FoldEnsembleClassifier(network, random_state=0) for network in networks]
    >>> model = WeightedEnsembleClassifier(ensembles, weights=[2, 1])
    >>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    0.9...
    """

    def predict_proba(self, X):
        """Weighted mean of the ensembles' probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; for multilabel targets of each label on its own.
        """
        return self._mean(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class WeightedEnsembleRegressor(RegressorMixin, WeightedEnsemble):
    """Weighted mean of the predictions of several ensembles over folds.

    What :class:`~skreg.RegularizationSearchCV` makes with ``final="ensemble"``.

    Parameters
    ----------
    estimators : list of FoldEnsembleRegressor or TabularRegressor
        With the same targets to be predicted from the same X.
    weights : array-like of shape (n_estimators,), default=None
        Weights >= 0; None: equal ones.

    Attributes
    ----------
    estimators_ : list
        The fitted ensembles.
    weights_ : ndarray of shape (n_estimators,)
        The weights, which add up to one.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where all are strings.

    See Also
    --------
    FoldEnsembleRegressor : The ensembles that are averaged.
    WeightedEnsembleClassifier : The same for classification.

    References
    ----------
    .. [1] Caruana, Niculescu-Mizil, Crew and Ksikes (2004). "Ensemble selection from libraries of
       models". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import MLPRegressor
    >>> from skreg.ensemble import FoldEnsembleRegressor, WeightedEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True, scaled=True)
    >>> plain = MLPRegressor(hidden_layer_sizes=(32,), standardize_y=True, max_iter=400)
    >>> some = [plain, MLPRegressor(**{**plain.get_params(), "dropout": 0.1})]
    >>> model = WeightedEnsembleRegressor([FoldEnsembleRegressor(m, random_state=0) for m in some])
    >>> model.fit(X[::2] * 20, y[::2]).score(X[1::2] * 20, y[1::2])
    0.4...
    """

    def score(self, X, y, sample_weight=None):
        """R2, or for quantiles the mean D2 pinball score.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            1 is perfect; 0 is what a constant reaches.
        """
        prediction = self.predict(X)
        return self.estimators_[0]._score_of(prediction, y, sample_weight)
