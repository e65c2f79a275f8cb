"""TabularClassifier: labels of raw tables."""

from numbers import Real

from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.classifier import MLPClassifier
from skreg.ensemble import FoldEnsembleClassifier
from skreg.tabular.base import AUTO, Tabular


class TabularClassifier(ClassifierMixin, Tabular):
    """Classifier for tables as they are: numbers, categories, missing values.

    A :class:`~skreg.TableEncoder` and a
    :class:`~skreg.FoldEnsembleClassifier` of networks, whose parameters follow from the
    number of rows where they are 'auto'.

    Parameters
    ----------
    encoder : transformer or 'auto', default='auto'
        Makes numbers of the table; 'auto' is ``TableEncoder()``, and from 10,000 rows on that or
        ``TableEncoder(code_scale=1.0)``, whichever gives a first network the lower validation loss.
        It is fitted once, on all rows, so it must not look at y.
    hidden_layer_sizes : int, array-like or 'auto', default='auto'
        Of each network; 'auto' is (96, 96), from 10,000 rows on (128, 128), from 20,000 on
        (256, 256).
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
        The folds; 'auto' is 8, from 10,000 rows and below 400 fewer, at least 5.
    estimator : MLPClassifier, default=None
        The network as it is given; the parameters above that belong to a network must then be
        'auto'.
    n_jobs : int, default=None
        Threads; None is one, -1 all processors. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Determines folds and networks.
    time_limit : float or None, default=None
        Seconds, > 0, from the beginning of `fit`, after which no network begins another epoch; each
        makes one at least. They take turns, so that all are trained about equally long, and a
        warning tells how far they came. The result then depends on the speed of the machine.
    verbose : bool or int, default=False
        Whether to print a line for each network that has come to its end.

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

    See Also
    --------
    TabularRegressor : The same for regression.
    FoldEnsembleClassifier : The ensemble alone, for arrays of numbers.
    TableEncoder : The encoder alone.
    RegularizationSearchCV : Tunes the parameters that are 'auto'.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import TabularClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> X["size"] = pd.cut(X.pop("mean area"), 3, labels=["small", "medium", "large"])
    >>> model = TabularClassifier(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2])
    0.9...
    """

    _parameter_constraints: dict = {
        **Tabular._parameter_constraints,
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
        time_limit=None,
        verbose=False,
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
        self.time_limit = time_limit
        self.verbose = verbose

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
        return self._fit(X, y, sample_weight, params)

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
        own = {name: self.params_[name] for name in self._flat()}
        return MLPClassifier(**own)

    def _flat(self):
        return {"label_smoothing": 0.0, "class_weight": None}

    def _ensemble(self, network, **options):
        return FoldEnsembleClassifier(network, **options)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
