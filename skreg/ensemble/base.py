"""FoldEnsemble: one network a fold, averaged; what its classifier and its regressor share."""

import copy
import math
import time
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import joblib
import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import _check_method_params, check_is_fitted, validate_data

from skreg.common import all_or_nothing, warn
from skreg.data.rows import check_arrays, check_weights
from skreg.ensemble.folds import Folds
from skreg.ensemble.splits import splits_of
from skreg.ensemble.telling import FoldTasks, Lines, checkpoints_for
from skreg.training.callbacks import CallbackSupportMixin, checkpoints_of, has_callbacks

# Parameters of a member that an ensemble decides on itself.
MOOT = ("random_state", "validation_fraction", "warm_start")


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
        network, random_state = self._network(), check_random_state(self.random_state)
        X, y = check_arrays(self, X, y, numeric=self._numeric, reset=True)
        sample_weight = check_weights(sample_weight, X)
        splits = self._splits(X, y, sample_weight, params, random_state)
        seed = int(random_state.randint(2**31 - 1))
        tasks.begin(len(splits))
        folds = Folds(
            [network],
            X,
            y,
            sample_weight,
            splits,
            random_state=seed,
            n_threads=joblib.effective_n_jobs(self.n_jobs),
            listeners=tasks.listeners,
        )
        self._run(folds, network.max_iter, begin)
        self.estimators_ = [folds.member((0, k)) for k in range(len(splits))]
        if hasattr(self, "feature_names_in_"):
            for member in self.estimators_:  # now, since they have validated on arrays
                member.feature_names_in_ = self.feature_names_in_
        self.oof_score_ = folds.score_by_the_others(0)
        self._held_out = [held_out for _, held_out in folds.splits]
        self._keep(folds)

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

    def _network(self):
        """The unfitted member; its validation set is its fold."""
        default = self._default()
        network = default if self.estimator is None else clone(self.estimator)
        if not isinstance(network, type(default)):
            raise TypeError(
                f"estimator must be a {type(default).__name__}, got {type(network).__name__}. Its "
                "validation set is the fold that it does not train on."
            )
        if network.solver == "lbfgs":
            raise ValueError(
                "solver='lbfgs' does not train in epochs, which a validation fold could stop. Use "
                "solver='adam' or 'sgd'."
            )
        if has_callbacks(network):
            warn(
                "Callbacks of the estimator are not called, since its networks train side by side. "
                f"Set them by the set_callbacks of {type(self).__name__}."
            )
        moot = [name for name in MOOT if getattr(network, name) != getattr(default, name)]
        if moot:
            warn(
                f"{', '.join(moot)} of the estimator: no effect, since each network of an ensemble "
                "has a seed from the ensemble's random_state, begins anew, and validates on the "
                "fold that it does not train on.",
                once=True,
            )
        network.set_callbacks(*checkpoints_for(self), *checkpoints_of(network))
        return network.set_params(early_stopping=True, warm_start=False)

    def _splits(self, X, y, weight, params, random_state):
        if params and not hasattr(self.cv, "split"):  # nobody asks for them
            passed = sorted(name for name, value in params.items() if value is not None)
            if passed:
                raise TypeError(
                    f"fit got {', '.join(passed)}, for which cv has no use. Pass a splitter, such "
                    "as GroupKFold, as cv, and switch metadata routing on."
                )
            params = {}
        if params and not _routing_enabled():
            _raise_for_params(params, self, "fit")
        if _routing_enabled():
            params = dict(process_routing(self, "fit", **params).splitter.split)
        arguments = {"X": X, "y": y, **_check_method_params(X, params)}
        cv = 5 if self.cv is None else self.cv
        if self.n_repeats > 1 and not isinstance(cv, Integral):
            warn("n_repeats has an effect with a number of folds as cv only.", once=True)
        options = {"weight": weight, "arguments": arguments}
        n_rows, labels = X.shape[0], self._strata(y)
        return splits_of(cv, self.n_repeats, labels, n_rows, random_state, **options)

    # ----------------------------------------------------------------------- prediction

    def _outputs_of_members(self, X):
        """Of shape (n_members, n_samples, n_outputs)."""
        X = self._checked(X)
        return np.stack([m._network.outputs(X, self._link) for m in self.estimators_])

    def _mean(self, X):
        """Over the members, of what is averaged of them."""
        return self._averaged(self._outputs_of_members(X)).mean(axis=0)

    def _checked(self, X):
        check_is_fitted(self)
        dtype = self.estimators_[0].coefs_[0].dtype
        with np.errstate(all="ignore"):
            return validate_data(
                self, X, dtype=dtype, accept_sparse=["csr", "csc"], order="C", reset=False
            )

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
        if X.shape[0] != len(self.oof_prediction_):
            raise ValueError(
                f"X must hold the {len(self.oof_prediction_)} rows of fit, got {X.shape[0]}."
            )
        shape = self.oof_prediction_.reshape(len(self.oof_prediction_), -1).shape
        total, count = np.zeros(shape), np.zeros(len(self.oof_prediction_))
        for member, held_out in zip(self.estimators_, self._held_out, strict=True):
            outputs = member._network.outputs(X[held_out], self._link)
            total[held_out] += self._averaged(outputs.astype(np.float64))  # sums of one to its eps
            count[held_out] += 1
        return total / np.maximum(count, 1)[:, None], count > 0

    def _saying_of_held_out(self, X):
        """A copy for scorers, which predicts the known rows of X whatever it is given; the rows."""
        mean, known = self._held_out_mean(X)
        rows, said = np.flatnonzero(known), copy.copy(self)
        said._mean = lambda _: mean[rows]
        return said, rows

    # ------------------------------------------------------------------------ metadata

    def get_metadata_routing(self):
        """Routes `groups` and what else the splitter of `cv` asks for.

        Returns
        -------
        routing : MetadataRouter
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
    def _keep(self, folds):
        """Fitted attributes beside the members."""

    @abstractmethod
    def _with_members(self, members):
        """Attributes with which a copy predicts as these members do."""


def nameless(member):
    """A copy that takes arrays for the frames that it knows, without a warning."""
    member = copy.copy(member)
    vars(member).pop("feature_names_in_", None)
    return member
