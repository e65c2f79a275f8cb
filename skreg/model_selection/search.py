"""RegularizationSearchCV: successive halving that trains on, and ends in an ensemble. See `fit`."""

import math
import time
import warnings
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterSampler
from sklearn.utils import check_random_state, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params, _num_samples, column_or_1d

from skreg.common import all_or_nothing, warn
from skreg.ensemble.splits import check_split_metadata, splits_of, strata_of
from skreg.model_selection.compatibility import BaseSearchCV, RoundTasks, scorers_of
from skreg.model_selection.contest import Contest
from skreg.model_selection.kinds import kind_of
from skreg.model_selection.spaces import NAMES, search_space

FINALS = ("folds", "ensemble", "retrain")


class RegularizationSearchCV(BaseSearchCV):
    """Hyperparameter search by successive halving that continues its networks.

    Candidates are drawn at random and trained on all folds side by side, for a few epochs. The
    better third goes on from where it stands, three times as long, and so on, until the last one
    trains to its end (successive halving [1]_). No epoch is made twice, and the networks that have
    won on the folds *are* the result: their mean was more accurate by 0.012 ± 0.005 than a network
    trained anew, over twenty splits of four tables (:doc:`/benchmarks`).

    What stops a network flatters it: the network of a fold is scored at the epoch that the curves
    of the *other* folds choose. That score ranks the candidates and is `mean_test_score`.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor or Pipeline
        The network to tune, or a Pipeline that ends in one, whose other steps are fitted to the
        training rows of each fold. Of the tabular models the flat parameters are tuned, and the
        folds of the search are theirs. Early stopping is switched on; `warm_start`,
        `validation_fraction` and the random state of a network have no effect.
    param_distributions : {'light', 'cocktail', 'architecture'}, dict or list of dict, \
            default='light'
        What to draw from: the name of a :func:`search_space`, of which the first candidate is the
        estimator as it is; or lists and distributions by parameter, as in
        :class:`~sklearn.model_selection.RandomizedSearchCV`.
    n_candidates : int, default=64
        Number of candidates, >= 1; where all parameters have lists, at most all combinations.
    cv : int, splitter or iterable of (train, held_out), default=5
        A number of folds divides the rows at random, classes in proportion.
    scoring : str, callable, list, tuple, dict or None, default=None
        What ranks candidates, as in :class:`~sklearn.model_selection.GridSearchCV`; None is the
        estimator's `score`. At which epoch a network is best, its own `scoring` tells, by default
        the validation loss.
    factor : int or float, default=3
        Each round keeps one in `factor` candidates of the round before, > 1, and trains them to
        `factor` times its epochs.
    min_epochs : int or 'auto', default='auto'
        Epochs of the first round, >= 1. 'auto': ``min(max_epochs, 200) / factor**k`` where k rounds
        follow, so that they end there, but at least fifty steps of the optimizer. With 27
        candidates and ``max_epochs=200`` the rounds have 27, 9, 3 and 1 of them and end at 8, 24,
        72 and 200 epochs.
    max_epochs : int, default=None
        Epochs of the last round; what depends on the length of training, such as a learning-rate
        schedule, is planned for these. None: `max_iter` of the estimator.
    final : {'folds', 'ensemble', 'retrain'}, default='folds'
        What `best_estimator_` is. 'folds': the fold networks of the winner, averaged, which costs
        nothing more. 'ensemble': candidates added greedily by the score of their held-out
        predictions [2]_, at most 25 times out of the 20 best. 'retrain': one network trained on all
        rows, for as many epochs as the folds find best, the smallest and fastest to predict with.
    refit : bool, str or callable, default=True
        Whether to make `best_estimator_`; with several metrics the name of the one that ranks, or a
        function from `cv_results_` to `best_index_`.
    n_jobs : int, default=None
        Threads; None is one, -1 all processors. The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Determines candidates, folds and networks.
    time_limit : float, default=None
        Seconds, > 0: each round gets an equal part of what is left. Rounds may then end before
        their epochs, candidates that have not begun are left out, with a warning, and the result
        depends on the speed of the machine. Each of the others makes one epoch at least;
        ``final="retrain"`` comes on top.
    error_score : 'raise' or float, default=nan
        Score of candidates that fail.
    return_train_score : bool, default=False
        Whether to score the rows that were trained on too.
    verbose : int, default=0
        Whether to print a line for each round.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        A row for each candidate and round, with the columns of
        :class:`~sklearn.model_selection.GridSearchCV`, times being those of the round, and

        - `candidate`, `round`, `epochs`: its number, the round from 0 on, and how many epochs it
          had made then, at most;
        - `mean_own_epoch_score`, `split0_own_epoch_score`, ...: scores of fold networks at the
          epoch that their own fold likes best, which flatters them; with several metrics
          `mean_own_epoch_<metric>`.
    best_estimator_ : estimator
        What `final` makes: a FoldEnsemble or Tabular model, a WeightedEnsemble, or the estimator.
        `predict`, `predict_proba` and the other methods of the search call its own; `score` takes
        the `scoring` of the search.
    best_params_ : dict
        Parameters of the winner.
    best_score_ : float
        Its `mean_test_score`.
    best_index_ : int
        Its row in `cv_results_`.
    best_epoch_ : int
        At which the mean of its folds is best.
    ensemble_score_ : float
        With ``final="ensemble"`` the score for which candidates were added, on the rows by which
        they were chosen.
    scorer_ : callable or dict
        The scorer, or those by name.
    n_splits_ : int
        Number of folds.
    rounds_ : list of (int, int)
        Candidates and epochs of each round, as planned.
    refit_time_ : float
        Seconds to make `best_estimator_`.
    multimetric_ : bool
        Whether there are several metrics.
    n_features_in_, feature_names_in_, classes_ :
        Those of `best_estimator_`.

    See Also
    --------
    search_space : What is drawn from, by name.
    SearchDisplay : Draws what was found.
    sklearn.model_selection.HalvingRandomSearchCV : Trains each candidate anew in each round.

    Notes
    -----
    The steps of a pipeline are fitted first, for all candidates, one after the other; `time_limit`
    counts that time, but does not cut it short.

    The networks of a round are in memory all at once: for each fold of each candidate about nine
    times its parameters, of rows eight bytes each, and X once for each setting of the steps before
    the network. A search that would need more than 8 GiB is refused.

    References
    ----------
    .. [1] Jamieson and Talwalkar (2016). "Non-stochastic best arm identification and hyperparameter
       optimization". AISTATS.
    .. [2] Caruana, Niculescu-Mizil, Crew and Ksikes (2004). "Ensemble selection from libraries of
       models". ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skreg import MLPClassifier, RegularizationSearchCV
    >>> X, y = load_wine(return_X_y=True)
    >>> network = MLPClassifier(learning_rate_init=0.01, max_iter=100)
    >>> pipe = make_pipeline(StandardScaler(), network)
    >>> search = RegularizationSearchCV(pipe, n_candidates=9, random_state=0)
    >>> search.fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    0.9...
    >>> search.rounds_  # candidates and epochs
    [(9, 12), (3, 36), (1, 100)]
    """

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [StrOptions(set(NAMES)), dict, list],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "factor": [Interval(Real, 1, None, closed="neither")],
        "min_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "final": [StrOptions(set(FINALS))],
        "random_state": ["random_state"],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
    }
    _parameter_constraints.pop("pre_dispatch")

    def __init__(
        self,
        estimator,
        param_distributions="light",
        *,
        n_candidates=64,
        cv=5,
        scoring=None,
        factor=3,
        min_epochs="auto",
        max_epochs=None,
        final="folds",
        refit=True,
        n_jobs=None,
        random_state=None,
        time_limit=None,
        error_score=np.nan,
        return_train_score=False,
        verbose=0,
    ):
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_candidates = n_candidates
        self.cv = cv
        self.scoring = scoring
        self.factor = factor
        self.min_epochs = min_epochs
        self.max_epochs = max_epochs
        self.final = final
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.time_limit = time_limit
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Run the search.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        **params : dict
            `groups` for the splitter; `sample_weight`, for a step of a pipeline
            ``step__sample_weight``; with metadata routing whatever estimator, splitter and scorer
            ask for.

        Returns
        -------
        self : object
            The fitted search.
        """
        begin = time.monotonic()
        tasks = RoundTasks(self, X, y)
        with all_or_nothing(self):
            scorers, refit_metric = self._get_scorers()
            X, y = indexable(X, y)
            if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1 and not issparse(y):
                y = column_or_1d(y, warn=True)  # once
            params = _check_method_params(X, params=params)
            routed = self._get_routed_params_for_fit(params)
            random_state = check_random_state(self.random_state)
            candidates = self._candidates(X, y, random_state)
            seed = int(random_state.randint(2**31 - 1))
            options = {"cv": self.cv, "n_jobs": self.n_jobs, "random_state": seed}
            kind = kind_of(self.estimator)(
                X, y, routed.estimator.fit, options, self.max_epochs, self.time_limit
            )
            kind.check(self.estimator)
            weight = kind.weight(self.estimator)
            splits = self._splits(X, y, weight, routed.splitter.split, random_state)
            if not (isinstance(self.cv, Integral) or hasattr(self.cv, "split") or self.cv is None):
                options["cv"] = splits  # of an iterator nothing is left
            contest = Contest(self, kind, candidates, splits, seed, scorers, routed.scorer.score)
            deadline = math.inf if self.time_limit is None else begin + self.time_limit
            contest.run(tasks, refit_metric, deadline)
            self._keep(contest, seed)
        tasks.over()
        return self

    def _candidates(self, X, y, random_state):
        """Parameters of each."""
        space, first = self.param_distributions, []
        if isinstance(space, str):
            space = search_space(space, self.estimator, X, y)
            own = self.estimator.get_params()
            first = [{name: own[name] for name in space.parameters}]
        if not space and isinstance(space, list):
            raise ValueError("param_distributions is an empty list. Give at least one dict.")
        n_sampled = self.n_candidates - len(first)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The total space of parameters")  # all of it, then
            return first + list(ParameterSampler(space, n_sampled, random_state=random_state))

    def _splits(self, X, y, weight, params, random_state):
        check_split_metadata(self.cv, params)
        labels = strata_of(y) if is_classifier(self.estimator) else None
        arguments = {"X": X, "y": y, **params}
        options = {"weight": weight, "arguments": arguments}
        cv, n_rows = 5 if self.cv is None else self.cv, _num_samples(X)
        return splits_of(cv, 1, labels, n_rows, random_state, **options)

    def _keep(self, contest, seed):
        """The fitted attributes."""
        self.cv_results_, self.multimetric_ = contest.results, contest.several
        self.n_splits_, self.rounds_ = contest.trials.n_folds, contest.rounds
        self.scorer_ = scorers_of(contest.scorer)
        for name in ("best_index_", "best_score_", "best_params_", "best_epoch_", "best_estimator_",
                     "ensemble_score_", "refit_time_", "feature_names_in_"):  # fmt: skip
            vars(self).pop(name, None)
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._best_row(contest)
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{contest.metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        winner = int(self.cv_results_["candidate"][self.best_index_])
        if not contest.goes_on(winner):
            raise ValueError(
                "refit has chosen a candidate that was left behind before the last round, whose "
                "networks are not there any more. Choose among the rows with the largest round; "
                "with min_epochs=max_epochs there is one round, for all."
            )
        self.best_epoch_ = contest.trials.best_epoch(winner)
        self._tell_of_the_end(contest.trials, winner)
        if self.refit:
            begin = time.perf_counter()
            self.best_estimator_ = self._made(contest, winner, seed)
            self.refit_time_ = time.perf_counter() - begin
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_

    def _tell_of_the_end(self, trials, winner):
        if n := trials.n_learning(winner):
            warn(
                f"{n} of the {self.n_splits_} networks of the best candidate were still learning "
                f"after {trials.epochs(winner)} epochs. Raise max_epochs (the estimator's max_iter)"
                f"{'' if self.time_limit is None else ' or time_limit'}.",
                ConvergenceWarning,
                once=True,
            )

    def _best_row(self, contest):
        if callable(self.refit):
            return self._select_best_index(self.refit, contest.metric, self.cv_results_)
        candidates, last = self.cv_results_["candidate"], contest.rows_of_the_last_round()
        return int(next(row for row in last if candidates[row] == contest.last[0]))

    def _made(self, contest, winner, seed):
        """What `final` names."""
        kind, candidate = contest.kind, contest.estimators[winner]
        if self.final == "ensemble":
            for c in contest.last:
                contest.pool.consider(c, contest.scores[c])
            best, self.ensemble_score_ = contest.pool.ensemble(winner)
            return best
        if self.final == "retrain":
            front = contest.trials.folds.tables.fronts[winner]
            return kind.retrained(candidate, self.best_epoch_, seed, front)
        return kind.ensemble(candidate, contest.trials.folds, winner)
