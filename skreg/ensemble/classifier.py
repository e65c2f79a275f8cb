"""FoldEnsembleClassifier: networks on folds, their calibrated probabilities averaged."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions

from skreg.classifier import MLPClassifier
from skreg.ensemble.base import FoldEnsemble
from skreg.ensemble.members import network_within
from skreg.ensemble.splits import strata_of
from skreg.ensemble.temperature import fit_temperature


class FoldEnsembleClassifier(ClassifierMixin, FoldEnsemble):
    """One network for each fold, validated on the rows that it does not train on, averaged.

    A single network with early stopping needs rows to validate on, from which it does not learn.
    Here each row is validated on by one network and trained on by the others, so that none is
    lost; the mean of the probabilities is more accurate, and better calibrated, than those of
    any one of them. The members train side by side on `n_jobs` threads.

    Parameters
    ----------
    estimator : MLPClassifier, or Pipeline that ends in one, default=None
        The network; steps before it are fitted to the rows that it trains on. Its `early_stopping`
        is switched on; its `random_state`, `warm_start` and `validation_fraction` have no effect.
        None: ``MLPClassifier()``.
    cv : int, splitter or iterable of (train, held_out), default=5
        Number of folds, at most that of the rows of the largest class; they hold the classes in
        proportion, and a row that is alone in its class is always trained on. Or a splitter, to
        which `groups` come by metadata routing, or the splits themselves.
    n_repeats : int, default=1
        How often rows are divided into folds anew; for a number of folds.
    calibration : {'temperature'} or None, default='temperature'
        With 'temperature' one number T, for which the log loss of ``softmax(logits / T)`` is lowest
        on the rows that the members have held out [1]_, divides the logits of each member before
        they are averaged. Networks with `label_smoothing` need it.
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
    estimators_ : list of MLPClassifier
        The fitted members; all know all classes.
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.
    temperature_ : float
        T; 1.0 without calibration.
    oof_prediction_ : ndarray of shape (n_samples, n_classes)
        Probabilities for each training row by the members that have not trained on it; nan where
        there is none.
    oof_score_ : float
        Minus the mean log loss of the folds, each at the epoch that the other folds choose.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where all are strings.

    See Also
    --------
    FoldEnsembleRegressor : The same for regression.
    WeightedEnsembleClassifier : Weighted mean of several such ensembles.
    TabularClassifier : An encoder and such an ensemble, for raw tables.

    References
    ----------
    .. [1] Guo, Pleiss, Sun and Weinberger (2017). "On calibration of modern neural networks". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skreg import MLPClassifier
    >>> from skreg.ensemble import FoldEnsembleClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> X = (X - X.mean(axis=0)) / X.std(axis=0)
    >>> network = MLPClassifier((32,), learning_rate_init=0.02, dropout=0.1)
    >>> model = FoldEnsembleClassifier(network, random_state=0)
    >>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    0.9...
    >>> model.oof_prediction_.shape  # of each training row, by the network that has not seen it
    (89, 3)
    """

    _numeric = False
    _link = "identity"  # logits
    _parameter_constraints: dict = {
        **FoldEnsemble._parameter_constraints,
        "calibration": [StrOptions({"temperature"}), None],
    }

    def __init__(
        self,
        estimator=None,
        *,
        cv=5,
        n_repeats=1,
        calibration="temperature",
        n_jobs=None,
        random_state=None,
        time_limit=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.cv = cv
        self.n_repeats = n_repeats
        self.calibration = calibration
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
            Labels, or an indicator matrix of multilabel targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows, in training, validation and calibration.
        **params : dict
            Metadata of the splitter, such as `groups`.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        return self._fit(X, y, sample_weight, params)

    def _default(self):
        return MLPClassifier()

    def _strata(self, y):
        return strata_of(y)

    def _keep(self, folds, c):
        first = self._first
        self.classes_ = first.classes_
        logits = folds.held_out_outputs(c, link="identity")
        seen = np.isfinite(logits).all(axis=1)
        self.temperature_ = 1.0
        if self.calibration is not None and len(self.classes_) > 1:
            y, weight = folds.targets(c)
            weight = None if weight is None else weight[seen]
            self.temperature_ = fit_temperature(
                logits[seen], y[seen], weight, first.out_activation_
            )
        self.oof_prediction_ = self._averaged(logits)

    def _with_members(self, members):
        temperature = getattr(self, "temperature_", 1.0)
        classes = network_within(members[0]).classes_
        return {"estimators_": members, "classes_": classes, "temperature_": temperature}

    def _averaged(self, outputs):
        z = outputs / self.temperature_
        if self._first.out_activation_ == "softmax":
            return softmax(z, axis=-1)
        p = expit(z)
        if len(self.classes_) == 1:  # which is certain; where nothing is known, nan stays
            return 0 * p + 1
        return p if p.shape[-1] > 1 else np.concatenate([1 - p, p], axis=-1)

    def predict_proba(self, X):
        """Mean of the members' calibrated probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; for multilabel targets of each label on its own.
        """
        return self._mean(X)

    def predict(self, X):
        """The most probable labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels, or the indicator matrix of multilabel targets.
        """
        return self._decided(self.predict_proba(X))

    def _decided(self, mean):
        if self._first._multilabel:
            return (mean > 0.5).astype(int)
        return self.classes_[np.minimum(mean.argmax(axis=1), len(self.classes_) - 1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
