"""TabularClassifier and TabularRegressor: a raw table in, an ensemble of networks out."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context, clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from skreg.classifier import MLPClassifier
from skreg.common import all_or_nothing
from skreg.ensemble import FoldEnsembleClassifier, FoldEnsembleRegressor
from skreg.preprocessing import TableEncoder
from skreg.regressor import MLPRegressor, pinball_score

AUTO = StrOptions({"auto"})
# Parameters of the network that are flat ones here.
OF_THE_NETWORK = (
    "hidden_layer_sizes",
    "dropout",
    "learning_rate_init",
    "batch_size",
    "weight_decay",
    "max_iter",
)


class _Tabular(BaseEstimator, metaclass=ABCMeta):
    """What both have in common."""

    _parameter_constraints: dict = {
        "encoder": [AUTO, HasMethods(["fit", "transform"])],
        "hidden_layer_sizes": [AUTO, Integral, "array-like"],
        "dropout": [AUTO, Interval(Real, 0, 1, closed="left"), "array-like"],
        "learning_rate_init": [AUTO, Interval(Real, 0, None, closed="neither")],
        "batch_size": [AUTO, Interval(Integral, 1, None, closed="left")],
        "weight_decay": [AUTO, Interval(Real, 0, None, closed="left")],
        "max_iter": [AUTO, Interval(Integral, 1, None, closed="left")],
        "cv": [AUTO, "cv_object"],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def _fit(self, X, y, sample_weight, params):
        with all_or_nothing(self):
            random_state = check_random_state(self.random_state)
            self.encoder_ = self._encoder()
            takes = has_fit_parameter(self.encoder_, "sample_weight")
            weights = {"sample_weight": sample_weight} if takes else {}
            Z = self.encoder_.fit(X, **weights).transform(X)
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(self.encoder_, name):
                    setattr(self, name, getattr(self.encoder_, name))
            self.params_ = self._resolved(_num_samples(X))
            seed = int(random_state.randint(2**31 - 1))
            self.ensemble_ = self._ensemble(self._network(), self.params_["cv"], seed)
            self.ensemble_._warns = self.estimator is not None or self.max_iter != "auto"
            self.ensemble_.fit(Z, y, sample_weight=sample_weight, **params)
            self.oof_prediction_ = self.ensemble_.oof_prediction_
            self.oof_score_ = self.ensemble_.oof_score_
            self.n_iter_ = max(member.n_iter_ for member in self.ensemble_.estimators_)
        return self

    def _encoder(self):
        if not isinstance(self.encoder, str):
            return clone(self.encoder)
        return TableEncoder(numeric="piecewise_linear")

    def _resolved(self, n_rows):
        """The parameters in use, by the number of rows; measured in examples/benchmarks."""
        large = n_rows >= 20_000
        auto = {
            "hidden_layer_sizes": (256, 256) if large else (128, 128),
            "dropout": 0.15,
            "learning_rate_init": 2e-3,
            "batch_size": 256 if large else max(1, min(64, n_rows // 2)),  # half trains at least
            "weight_decay": 0.0,
            "max_iter": 200,
            "cv": 5,
            **self._flat(),
        }
        given = {name: getattr(self, name) for name in auto}
        given = {name: v for name, v in given.items() if not (isinstance(v, str) and v == "auto")}
        if self.estimator is None:
            return {**auto, **given}
        beside = sorted(set(given) - {"cv"})
        beside += ["class_weight"] if getattr(self, "class_weight", None) is not None else []
        if beside:
            raise ValueError(
                f"{', '.join(beside)} and estimator are both given. Set the parameters of the "
                "estimator, or leave it out."
            )
        own = self.estimator.get_params(deep=False)
        return {name: own.get(name, value) for name, value in {**auto, **given}.items()}

    def _network(self):
        if self.estimator is not None:
            return clone(self.estimator)
        params = {name: self.params_[name] for name in OF_THE_NETWORK}
        return self._default().set_params(**params)

    def _encoded(self, X):
        check_is_fitted(self)
        return self.encoder_.transform(X)

    def permutation_importances(self, X, y, *, n_repeats=5, random_state=None):
        """How much worse held-out rows are predicted without each input column.

        The values of one column of X are shuffled, before they are encoded, and each row is
        predicted by the members that have not trained on it.

        Parameters
        ----------
        X, y : as they were passed to `fit`
        n_repeats : int, default=5
            Shuffles of each column.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        importances : ndarray of shape (n_features, n_repeats)
            Accuracy or R2 as it is, minus that with the column shuffled.
        """
        random_state = check_random_state(random_state)
        as_it_is = self._held_out_score(X, y)
        importances = np.empty((self.n_features_in_, n_repeats))
        for column in range(self.n_features_in_):
            for repeat in range(n_repeats):
                order = random_state.permutation(_num_samples(X))
                shuffled = _with_column(X, column, order)
                importances[column, repeat] = as_it_is - self._held_out_score(shuffled, y)
        return importances

    def _held_out_score(self, X, y):
        predicted, known = self.ensemble_.predict_held_out(self._encoded(X))
        return self._score_of(np.asarray(y)[known], predicted[known])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._encoder()).input_tags
        tags.input_tags.allow_nan = inner.allow_nan
        tags.input_tags.string = inner.string
        tags.input_tags.categorical = inner.categorical
        tags.input_tags.sparse = inner.sparse
        return tags

    # ------------------------------------------------------------- what a subclass writes

    @abstractmethod
    def _default(self):
        """The network of which the flat parameters are."""

    @abstractmethod
    def _flat(self):
        """Parameters of a task alone, as they are where they are 'auto'."""

    @abstractmethod
    def _ensemble(self, network, cv, seed):
        """The ensemble, unfitted."""

    @abstractmethod
    def _score_of(self, y, predicted):
        """Accuracy or R2."""


def _with_column(X, column, order):
    """X with the values of one column in another order."""
    if hasattr(X, "iloc"):
        X = X.copy()
        X[X.columns[column]] = X.iloc[:, column].to_numpy()[order]
        return X
    X = np.array(X)
    X[:, column] = X[order, column]
    return X


class TabularClassifier(ClassifierMixin, _Tabular):
    """Classifier for tables as they are: numbers, categories, missing values.

    A :class:`~skreg.preprocessing.TableEncoder` and a
    :class:`~skreg.ensemble.FoldEnsembleClassifier` of networks, whose parameters follow from the
    number of rows where they are 'auto'.

    Parameters
    ----------
    encoder : transformer or 'auto', default='auto'
        Makes numbers of the table; 'auto' is ``TableEncoder(numeric="piecewise_linear")``. It is
        fitted once, on all rows, so it must not look at y.
    hidden_layer_sizes : int, array-like or 'auto', default='auto'
        Of each network; 'auto' is (128, 128), from 20,000 rows on (256, 256).
    dropout : float, array-like or 'auto', default='auto'
        In [0, 1); 'auto' is 0.15.
    learning_rate_init : float or 'auto', default='auto'
        In (0, inf); 'auto' is 0.002.
    batch_size : int or 'auto', default='auto'
        'auto' is 64, at most half of the rows, from 20,000 rows on 256.
    weight_decay : float or 'auto', default='auto'
        In [0, inf); 'auto' is 0.
    label_smoothing : float or 'auto', default='auto'
        In [0, 1); 'auto' is 0.
    max_iter : int or 'auto', default='auto'
        Largest number of epochs; 'auto' is 200.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes.
    cv : int, splitter, iterable or 'auto', default='auto'
        The folds; 'auto' is 5.
    estimator : MLPClassifier, default=None
        The network as it is given; the parameters above that belong to a network must then be
        'auto'.
    n_jobs : int, default=None
        Threads; None is one, -1 all processors. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Determines folds and networks.

    Attributes
    ----------
    params_ : dict
        The parameters that were in use.
    encoder_ : transformer
        Fitted.
    ensemble_ : FoldEnsembleClassifier
        Fitted.
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.
    oof_prediction_, oof_score_
        As of the ensemble: probabilities and score of the rows that were held out.
    n_iter_ : int
        Epochs of the network that took most.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where all are strings.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import TabularClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X["size"] = pd.cut(X.pop("mean area"), 3, labels=["small", "medium", "large"])
    >>> model = TabularClassifier(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.95
    True
    """

    _parameter_constraints: dict = {
        **_Tabular._parameter_constraints,
        "label_smoothing": [AUTO, Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        encoder="auto",
        hidden_layer_sizes="auto",
        dropout="auto",
        learning_rate_init="auto",
        batch_size="auto",
        weight_decay="auto",
        label_smoothing="auto",
        max_iter="auto",
        class_weight=None,
        cv="auto",
        estimator=None,
        n_jobs=None,
        random_state=None,
    ):
        self.encoder = encoder
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.cv = cv
        self.estimator = estimator
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Encode the table and train the networks.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or an indicator matrix of multilabel targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows.
        **params : dict
            Metadata of the splitter, such as `groups`.

        Returns
        -------
        self : object
            The fitted model.
        """
        self._fit(X, y, sample_weight, params)
        self.classes_ = self.ensemble_.classes_
        return self

    def predict(self, X):
        """The most probable labels.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels, or the indicator matrix of multilabel targets.
        """
        Z = self._encoded(X)
        return self.ensemble_.predict(Z)

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        Z = self._encoded(X)
        return self.ensemble_.predict_proba(Z)

    def _default(self):
        return MLPClassifier(
            label_smoothing=self.params_["label_smoothing"], class_weight=self.class_weight
        )

    def _flat(self):
        return {"label_smoothing": 0.0}

    def _ensemble(self, network, cv, seed):
        return FoldEnsembleClassifier(network, cv=cv, n_jobs=self.n_jobs, random_state=seed)

    def _score_of(self, y, predicted):
        return accuracy_score(y, predicted)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class TabularRegressor(RegressorMixin, _Tabular):
    """Regressor for tables as they are: numbers, categories, missing values; y is scaled inside.

    A :class:`~skreg.preprocessing.TableEncoder` and a
    :class:`~skreg.ensemble.FoldEnsembleRegressor` of networks, whose parameters follow from the
    number of rows where they are 'auto'.

    Parameters
    ----------
    encoder : transformer or 'auto', default='auto'
        Makes numbers of the table; 'auto' is ``TableEncoder(numeric="piecewise_linear")``. It is
        fitted once, on all rows, so it must not look at y.
    hidden_layer_sizes : int, array-like or 'auto', default='auto'
        Of each network; 'auto' is (128, 128), from 20,000 rows on (256, 256).
    dropout : float, array-like or 'auto', default='auto'
        In [0, 1); 'auto' is 0.15.
    learning_rate_init : float or 'auto', default='auto'
        In (0, inf); 'auto' is 0.002.
    batch_size : int or 'auto', default='auto'
        'auto' is 64, from 20,000 rows on 256.
    weight_decay : float or 'auto', default='auto'
        In [0, inf); 'auto' is 0.
    max_iter : int or 'auto', default='auto'
        Largest number of epochs; 'auto' is 200.
    cv : int, splitter, iterable or 'auto', default='auto'
        The folds; 'auto' is 5.
    estimator : MLPRegressor, default=None
        The network as it is given; the parameters above that belong to a network must then be
        'auto'.
    n_jobs : int, default=None
        Threads; None is one, -1 all processors. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Determines folds and networks.

    Attributes
    ----------
    params_ : dict
        The parameters that were in use.
    encoder_ : transformer
        Fitted.
    ensemble_ : FoldEnsembleRegressor
        Fitted.
    oof_prediction_, oof_score_
        As of the ensemble: predictions and score of the rows that were held out.
    n_iter_ : int
        Epochs of the network that took most.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where all are strings.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = TabularRegressor(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.4
    True
    """

    def __init__(
        self,
        *,
        encoder="auto",
        hidden_layer_sizes="auto",
        dropout="auto",
        learning_rate_init="auto",
        batch_size="auto",
        weight_decay="auto",
        max_iter="auto",
        cv="auto",
        estimator=None,
        n_jobs=None,
        random_state=None,
    ):
        self.encoder = encoder
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.cv = cv
        self.estimator = estimator
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Encode the table and train the networks.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows.
        **params : dict
            Metadata of the splitter, such as `groups`.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, params)

    def score(self, X, y, sample_weight=None):
        """R2, or for quantiles the mean D2 pinball score.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            1 is perfect; 0 is what a constant reaches.
        """
        Z = self._encoded(X)
        return self.ensemble_.score(Z, y, sample_weight)

    def predict(self, X, *, return_std=False):
        """Mean of the networks' predictions.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.
        return_std : bool, default=False
            Whether to return a spread as well; see
            :meth:`skreg.ensemble.FoldEnsembleRegressor.predict`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values.
        std : ndarray of the shape of y
            With `return_std`.
        """
        Z = self._encoded(X)
        return self.ensemble_.predict(Z, return_std=return_std)

    def _default(self):
        return MLPRegressor(standardize_y=True)

    def _flat(self):
        return {}

    def _ensemble(self, network, cv, seed):
        return FoldEnsembleRegressor(network, cv=cv, n_jobs=self.n_jobs, random_state=seed)

    def _score_of(self, y, predicted):
        quantiles = self.ensemble_.estimators_[0].quantiles_
        return (
            r2_score(y, predicted)
            if quantiles is None
            else pinball_score(quantiles, predicted, y, None)
        )
