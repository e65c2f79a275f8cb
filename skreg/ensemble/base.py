"""FoldEnsemble: one network a fold, averaged; what its classifier and its regressor share."""

import copy
import math
import time
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import joblib
import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    _num_samples,
    check_is_fitted,
    validate_data,
)

from skreg.common import all_or_nothing, warn
from skreg.ensemble.folds import Folds
from skreg.ensemble.members import check_rows, know_columns, member_for, network_within, outputs
from skreg.ensemble.splits import check_split_metadata, splits_of
from skreg.ensemble.telling import FoldTasks, Lines
from skreg.training.callbacks import CallbackSupportMixin


class FoldEnsemble(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta):
    """What both have in common."""

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "verbose": ["verbose"],
    }

    _warns = True  # of networks that reach max_iter
    _link: str | None = None  # of the members' outputs that are averaged; None is their own

    # -------------------------------------------------------------------------- fitting

    def _fit(self, X, y, sample_weight, params):
        begin = time.monotonic()
        tasks = FoldTasks(self, X, y, sample_weight)
        with all_or_nothing(self):
            self._train(X, y, sample_weight, params, tasks, begin)
        tasks.end(self.estimators_)
        return self

    def _train(self, X, y, sample_weight, params, tasks, begin):
        """All of a fit but its frame; `begin` is when the time limit began."""
        estimator, random_state = self._member(), check_random_state(self.random_state)
        X, y, sample_weight = check_rows(self, estimator, X, y, sample_weight)
        splits = self._splits(X, y, sample_weight, params, random_state)
        seed = int(random_state.randint(2**31 - 1))
        tasks.begin(len(splits))
        folds = Folds(
            [estimator],
            X,
            y,
            sample_weight,
            splits,
            random_state=seed,
            n_threads=joblib.effective_n_jobs(self.n_jobs),
            listeners=tasks.listeners,
        )
        self._run(folds, network_within(estimator).max_iter, begin)
        self._take(folds, 0)

    def trained(self, folds, c):
        """This ensemble, fitted: its members are the networks of a candidate, trained elsewhere.

        For searches, which train the networks of all candidates side by side.

        Parameters
        ----------
        folds : Folds
            The trainings of all candidates.
        c : int
            The number of the candidate.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        know_columns(self, folds.tables.passed_to(c))
        self._take(folds, c)
        return self

    def _take(self, folds, c):
        """The trained networks of a candidate are those of this ensemble."""
        self.estimators_ = [folds.member((c, k)) for k in range(len(folds.splits))]
        if hasattr(self, "feature_names_in_"):
            for member in self.estimators_:  # now, since they have validated on arrays
                if member is network_within(member):
                    member.feature_names_in_ = self.feature_names_in_
        self.oof_score_ = folds.score_by_the_others(c)
        self._held_out = [held_out for _, held_out in folds.splits]
        self._keep(folds, c)

    def _run(self, folds, max_iter, begin):
        """All networks to their end, or until the time is over, but one epoch at least."""
        lines = Lines(len(folds.trainers))
        tell = (lambda job: lines(folds.trainers[job])) if self.verbose else None
        left = math.inf
        if self.time_limit is not None:
            folds.run(1)
            left = begin + self.time_limit - time.monotonic()
        folds.run(max_iter, seconds=left, tell=tell)
        for (_, k), error in folds.errors.items():
            error.add_note(f"Raised by the network of fold {k}.")
            raise error
        self._warn_of_ends(folds, max_iter)
        folds.done()

    def _warn_of_ends(self, folds, max_iter):
        """One warning for all members that were still learning."""
        trainers = folds.trainers.values()
        if any(trainer.ended == "interrupted" for trainer in trainers):
            raise KeyboardInterrupt
        late = [t.epoch for t in trainers if t.still_learns and t.epoch < max_iter]
        if late:
            warn(
                f"time_limit={self.time_limit} is over: {len(late)} of {len(trainers)} networks "
                f"were stopped after {min(late)} to {max(late)} epochs. Raise time_limit, or take "
                "fewer folds, smaller layers or larger batches."
            )
        cut = sum(trainer.still_learns for trainer in trainers) - len(late)
        if cut and self._warns:
            warn(
                f"{cut} of {len(trainers)} networks reached max_iter={max_iter} while they were "
                "still learning. Scale X, or use a larger max_iter or learning_rate_init.",
                ConvergenceWarning,
                once=True,
            )

    def _member(self):
        """The unfitted member; its validation set is its fold."""
        return member_for(self, self._default())

    def _splits(self, X, y, weight, params, random_state):
        check_split_metadata(self.cv, params)
        params = params if hasattr(self.cv, "split") else {}
        if params and not _routing_enabled():
            _raise_for_params(params, self, "fit")
        if _routing_enabled():
            params = dict(process_routing(self, "fit", **params).splitter.split)
        arguments = {"X": X, "y": y, **_check_method_params(X, params)}
        cv = 5 if self.cv is None else self.cv
        if self.n_repeats > 1 and not isinstance(cv, Integral):
            warn("n_repeats has an effect with a number of folds as cv only.", once=True)
        options = {"weight": weight, "arguments": arguments}
        n_rows, labels = _num_samples(X), self._strata(y)
        return splits_of(cv, self.n_repeats, labels, n_rows, random_state, **options)

    # ----------------------------------------------------------------------- prediction

    def _outputs_of_members(self, X):
        """Of shape (n_members, n_samples, n_outputs)."""
        X = self._checked(X)
        return np.stack([outputs(member, X, self._link) for member in self.estimators_])

    def _mean(self, X):
        """Over the members, of what is averaged of them."""
        return self._averaged(self._outputs_of_members(X)).mean(axis=0)

    def _checked(self, X):
        check_is_fitted(self)
        if self._first is not self.estimators_[0]:  # a pipeline looks at what X holds
            if hasattr(self, "n_features_in_"):
                X = validate_data(self, X, reset=False, skip_check_array=True)
            return X.tocsr() if sp.issparse(X) else X
        dtype = self._first.coefs_[0].dtype
        with np.errstate(all="ignore"):
            return validate_data(
                self, X, dtype=dtype, accept_sparse=["csr", "csc"], order="C", reset=False
            )

    @property
    def _first(self):
        """The network of the first member."""
        return network_within(self.estimators_[0])

    def predict_held_out(self, X):
        """Predictions for the training rows, in their order, by members that held them out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows of `fit`, or what has become of them, such as with a column shuffled.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers.
        known : ndarray of bool of shape (n_samples,)
            Rows that a member has held out; `y` means nothing for the others.
        """
        mean, known = self._held_out_mean(self._checked(X))
        return self._decided(mean), known

    def _held_out_mean(self, X):
        """What is averaged, for the training rows; and which of them a member has held out."""
        n_rows = len(self.oof_prediction_)
        if _num_samples(X) != n_rows:
            raise ValueError(f"X must hold the {n_rows} rows of fit, got {_num_samples(X)}.")
        shape = self.oof_prediction_.reshape(len(self.oof_prediction_), -1).shape
        total, count = np.zeros(shape), np.zeros(n_rows)
        for member, held_out in zip(self.estimators_, self._held_out, strict=True):
            of_member = outputs(member, _safe_indexing(X, held_out), self._link)
            total[held_out] += self._averaged(of_member.astype(np.float64))  # sums of one to eps
            count[held_out] += 1
        return total / np.maximum(count, 1)[:, None], count > 0

    def _saying_of_held_out(self, X):
        """A copy for scorers, which predicts the known rows of X whatever it is given; the rows."""
        mean, known = self._held_out_mean(X)
        rows = np.flatnonzero(known)
        return self._saying(mean[rows]), rows

    def _saying(self, mean):
        """A copy for scorers, which predicts from this mean whatever it is given."""
        said = copy.copy(self)
        said._mean = lambda _: mean
        return said

    # ------------------------------------------------------------------------ metadata

    def get_metadata_routing(self):
        """Routes `groups` and what else the splitter of `cv` asks for.

        Returns
        -------
        routing : MetadataRouter
            To the splitter.
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        cv = self.cv if hasattr(self.cv, "split") else check_cv(5)
        mapping = MethodMapping().add(caller="fit", callee="split")
        return router.add(splitter=cv, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._default() if self.estimator is None else self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags

    # ------------------------------------------------------------- what a subclass writes

    @abstractmethod
    def _default(self):
        """The member that stands for None."""

    @abstractmethod
    def _strata(self, y):
        """Labels from 0 on that folds hold in proportion, or None."""

    @abstractmethod
    def _averaged(self, outputs):
        """What is averaged over members, of their outputs behind `_link`."""

    @abstractmethod
    def _decided(self, mean):
        """Predictions from these means."""

    @abstractmethod
    def _keep(self, folds, c):
        """Fitted attributes beside the members, of a candidate."""

    @abstractmethod
    def _with_members(self, members):
        """Attributes with which a copy predicts as these members do."""
