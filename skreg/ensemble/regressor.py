"""FoldEnsembleRegressor: networks on folds, their predictions averaged."""

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skreg.ensemble.base import FoldEnsemble
from skreg.ensemble.members import nameless, reached
from skreg.regressor import MLPRegressor, pinball_score


class FoldEnsembleRegressor(RegressorMixin, FoldEnsemble):
    """One network for each fold, validated on the rows that it does not train on, averaged.

    See :class:`FoldEnsembleClassifier`.

    Parameters
    ----------
    estimator : MLPRegressor, or Pipeline that ends in one, default=None
        The network; steps before it are fitted to the rows that it trains on. Its `early_stopping`
        is switched on; its `random_state`, `warm_start` and `validation_fraction` have no effect.
        None: ``MLPRegressor(standardize_y=True)``.
    cv : int, splitter or iterable of (train, held_out), default=5
        Number of folds, or a splitter, to which `groups` come by metadata routing, or the splits
        themselves.
    n_repeats : int, default=1
        How often rows are divided into folds anew; for a number of folds.
    n_jobs : int, default=None
        Threads; None is one, -1 all processors. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Determines the folds, and with them the seed of each member.
    time_limit : float or None, default=None
        Seconds, > 0, after which no network begins another epoch; each makes one at least. They
        take turns, so that all are trained about equally long, and a warning tells how far they
        came. The result then depends on the speed of the machine.
    verbose : bool or int, default=False
        Whether to print a line for each network that has come to its end.

    Attributes
    ----------
    estimators_ : list of MLPRegressor
        The fitted members.
    oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Predictions for each training row by the members that have not trained on it; nan where
        there is none.
    oof_score_ : float
        Minus the mean loss of the folds, each at the epoch that the other folds choose.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where all are strings.

    See Also
    --------
    FoldEnsembleClassifier : The same for classification.
    WeightedEnsembleRegressor : Weighted mean of several such ensembles.
    TabularRegressor : An encoder and such an ensemble, for raw tables.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import MLPRegressor
    >>> from skreg.ensemble import FoldEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X *= 20  # each column has a standard deviation of about 1
    >>> params = {"learning_rate_init": 0.005, "standardize_y": True, "dropout": 0.1}
    >>> network = MLPRegressor(hidden_layer_sizes=(32,), **params)
    >>> model = FoldEnsembleRegressor(network, random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2])
    0.4...
    """

    _numeric = True

    def __init__(
        self,
        estimator=None,
        *,
        cv=5,
        n_repeats=1,
        n_jobs=None,
        random_state=None,
        time_limit=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.cv = cv
        self.n_repeats = n_repeats
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.time_limit = time_limit
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Train one network for each fold.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows, in training and validation.
        **params : dict
            Metadata of the splitter, such as `groups`.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        return self._fit(X, y, sample_weight, params)

    def _default(self):
        return MLPRegressor(standardize_y=True)

    def _strata(self, y):
        """Numbers have no proportions to keep."""

    def _keep(self, folds, c):
        self.oof_prediction_ = self._decided(folds.held_out_outputs(c))

    def _with_members(self, members):
        return {"estimators_": members}

    def _averaged(self, outputs):
        return outputs

    def _decided(self, mean):
        return self._first._as_predicted(mean)

    def predict(self, X, *, return_std=False, n_draws=100):
        """Mean of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.
        return_std : bool, default=False
            Whether to return a spread as well, of members with dropout: the root of the mean of
            their variances plus the variance of their predictions, which are then the means of
            passes with dropout.
        n_draws : int, default=100
            Number of passes with dropout of each member, with `return_std`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values; with several quantiles one column for each.
        std : ndarray of the shape of y
            With `return_std`.
        """
        if not return_std:
            return self._decided(self._mean(X))
        X = self._checked(X)
        passes = []
        for network, Z in (reached(member, X) for member in self.estimators_):
            network = nameless(network) if network in self.estimators_ else network
            passes.append(network.predict(Z, return_std=True, n_draws=n_draws))
        means, deviations = (np.stack(each) for each in zip(*passes, strict=True))
        return means.mean(axis=0), np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0))

    def score(self, X, y, sample_weight=None):
        """R2, or for quantiles the mean D2 pinball score.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
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
        check_is_fitted(self)
        return self._score_of(self.predict(X), y, sample_weight)

    def _score_of(self, prediction, y, sample_weight):
        if self._first.quantiles_ is None:
            return r2_score(y, prediction, sample_weight=sample_weight)
        return pinball_score(self._first.quantiles_, prediction, y, sample_weight)
