"""TabularRegressor: numbers of raw tables."""

from sklearn.base import RegressorMixin, _fit_context

from skreg.ensemble import FoldEnsembleRegressor
from skreg.regressor import MLPRegressor
from skreg.tabular.base import Tabular


class TabularRegressor(RegressorMixin, Tabular):
    """Regressor for tables as they are: numbers, categories, missing values; y is scaled inside.

    A :class:`~skreg.TableEncoder` and a
    :class:`~skreg.FoldEnsembleRegressor` of networks, whose parameters follow from the
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
        'auto' is 64, from 20,000 rows on 256.
    weight_decay : float or 'auto', default='auto'
        In [0, inf); 'auto' is 0.
    max_iter : int or 'auto', default='auto'
        Largest number of epochs; 'auto' is 200.
    cv : int, splitter, iterable or 'auto', default='auto'
        The folds; 'auto' is 8, from 10,000 rows and below 400 fewer, at least 5.
    estimator : MLPRegressor, default=None
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

    See Also
    --------
    TabularClassifier : The same for classification.
    FoldEnsembleRegressor : The ensemble alone, for arrays of numbers.
    TableEncoder : The encoder alone.
    RegularizationSearchCV : Tunes the parameters that are 'auto'.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = TabularRegressor(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2])
    0.4...
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
        time_limit=None,
        verbose=False,
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
            :meth:`skreg.FoldEnsembleRegressor.predict`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values.
        std : ndarray of the shape of y
            With `return_std`.
        """
        Z = self._encoded(X)
        return self.ensemble_.predict(Z, return_std=return_std)

    def _score_of(self, prediction, y, sample_weight):
        return self.ensemble_._score_of(prediction, y, sample_weight)

    def _default(self):
        return MLPRegressor(standardize_y=True)

    def _flat(self):
        return {}

    def _ensemble(self, network, **options):
        return FoldEnsembleRegressor(network, **options)
