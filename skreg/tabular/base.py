"""Tabular: encoder, networks and ensemble; what its classifier and its regressor share."""

import copy
import math
import time
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import _num_samples, check_is_fitted

from skreg.common import all_or_nothing
from skreg.ensemble.telling import FoldTasks, checkpoints_for
from skreg.tabular.choice import validation_losses
from skreg.tabular.encoding import encoded, encoders_for, fitted_table, is_auto
from skreg.tabular.importances import permutation_importances
from skreg.training.callbacks import CallbackSupportMixin

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


class Tabular(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
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
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "verbose": ["verbose"],
    }

    def _fit(self, X, y, sample_weight, params):
        begin = time.monotonic()
        tasks = FoldTasks(self, X, y, sample_weight)
        with all_or_nothing(self):
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            Z = self._begin(X, y, sample_weight, seed)
            self.ensemble_._warns = self.estimator is not None or self.max_iter != "auto"
            self.ensemble_.set_callbacks(*checkpoints_for(self))
            self.ensemble_._train(Z, y, sample_weight, params, tasks, begin)
            self._take()
        tasks.end(self.ensemble_.estimators_)
        return self

    def _begin(self, X, y, sample_weight, seed, known=None):
        """Decide on parameters, ensemble and encoder; the encoded table.

        `known` are an encoder and its table, where another model of the same encoder has begun.
        """
        self.params_ = self._resolved(_num_samples(X))
        self.ensemble_ = self._ensemble(
            self._network(),
            cv=self.params_["cv"],
            n_jobs=self.n_jobs,
            random_state=seed,
            time_limit=self.time_limit,
            verbose=self.verbose,
        )
        self.encoder_, Z = known or self._encode(X, y, sample_weight, seed)
        self.params_["encoder"] = clone(self.encoder_)
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(self.encoder_, name):
                setattr(self, name, getattr(self.encoder_, name))
        if hasattr(self, "feature_names_in_"):  # of skrub's encoders a list
            self.feature_names_in_ = np.asarray(self.feature_names_in_, dtype=object)
        return Z

    def _take(self):
        """What the trained ensemble tells, this one tells."""
        self.oof_prediction_ = self.ensemble_.oof_prediction_
        self.oof_score_ = self.ensemble_.oof_score_
        self.n_iter_ = max(member.n_iter_ for member in self.ensemble_.estimators_)
        if hasattr(self.ensemble_, "classes_"):
            self.classes_ = self.ensemble_.classes_

    def _with_members(self, members):
        """Attributes with which a copy predicts as these members do."""
        ensemble = copy.copy(self.ensemble_)
        attributes = ensemble._with_members(members)
        vars(ensemble).update(attributes)
        classes = {name: value for name, value in attributes.items() if name == "classes_"}
        return {"ensemble_": ensemble, **classes}

    def _encode(self, X, y, sample_weight, seed):
        """Encoder and table; of several encodings the one that a first network prefers."""
        encoders, tables = self._encoders(_num_samples(X)), []
        for encoder in encoders:
            tables.append(fitted_table(encoder, X, y, sample_weight))
        best = 0
        if len(tables) > 1 and y is not None:  # without y the ensemble says what is wrong
            check_consistent_length(X, y, sample_weight)
            losses = validation_losses(
                tables,
                y,
                sample_weight,
                self.ensemble_._member(),
                seed=seed,
                n_threads=joblib.effective_n_jobs(self.n_jobs),
                seconds=math.inf if self.time_limit is None else self.time_limit / 4,
            )
            best = int(np.argmin(losses))
            if self.verbose:
                print(f"Validation losses {losses} of {encoders}", flush=True)
        return encoders[best], tables[best]

    def _encoders(self, n_rows):
        """From which the encoder is chosen, unfitted."""
        return encoders_for(self.encoder, n_rows)

    def _resolved(self, n_rows):
        """The parameters in use, by the number of rows; measured in examples/benchmarks."""
        many, large = n_rows >= 10_000, n_rows >= 20_000
        auto = {
            "hidden_layer_sizes": (256, 256) if large else (128, 128) if many else (96, 96),
            "dropout": 0.15,
            "learning_rate_init": 2e-3,
            "batch_size": 256 if large else max(1, min(64, n_rows // 2)),  # half trains at least
            "weight_decay": 0.0,
            "max_iter": 200,
            # Folds of fewer than fifty rows stop a network by chance.
            "cv": 5 if many else max(5, min(8, n_rows // 50)),
            **self._flat(),
        }
        given = {name: getattr(self, name) for name in auto}
        given = {n: v for n, v in given.items() if v is not None and not is_auto(v)}
        if self.estimator is None:
            return {**auto, **given}
        beside = sorted(set(given) - {"cv"})
        if beside:
            raise ValueError(
                f"{', '.join(beside)} and estimator are both given. Set the parameters of the "
                "estimator, or leave it out."
            )
        own = self.estimator.get_params(deep=False)
        return {name: own.get(name, value) for name, value in {**auto, **given}.items()}

    def _network(self):
        if self.estimator is not None:
            if not hasattr(self.estimator, "hidden_layer_sizes"):
                raise TypeError(
                    f"estimator must be a network, got a {type(self.estimator).__name__}. Steps "
                    "before it belong into the encoder, as make_pipeline(step, TableEncoder())."
                )
            return clone(self.estimator)
        params = {name: self.params_[name] for name in OF_THE_NETWORK}
        return self._default().set_params(**params)

    def _encoded(self, X):
        check_is_fitted(self)
        return encoded(self.encoder_, X)

    def _mean(self, X):
        """What the ensemble averages."""
        Z = self._encoded(X)
        return self.ensemble_._mean(Z)

    def _decided(self, mean):
        return self.ensemble_._decided(mean)

    @validate_params(
        {
            "scoring": [str, callable, None],
            "n_repeats": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
    def permutation_importances(
        self, X, y, *, scoring=None, n_repeats=5, random_state=None, sample_weight=None
    ):
        """How much worse held-out rows are predicted without each input column.

        The values of one column of X are shuffled, and each row is predicted by the members that
        have not trained on it. A :class:`~skreg.TableEncoder` encodes the table
        once; any other encoder encodes it anew for each shuffle.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table that was passed to `fit`.
        y : array-like of shape (n_samples,)
            The targets that were passed to `fit`.
        scoring : str, callable or None, default=None
            What is lost; None is `score`: accuracy, R2 or the D2 pinball score.
        n_repeats : int, default=5
            Shuffles of each column.
        random_state : int, RandomState instance or None, default=None
            Determines the shuffles.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the score.

        Returns
        -------
        result : Bunch
            As of :func:`sklearn.inspection.permutation_importance`: `importances` of shape
            (n_features, n_repeats), the score as it is minus that with the column shuffled;
            `importances_mean` and `importances_std`, their means and standard deviations.
        """
        check_is_fitted(self)
        return permutation_importances(
            self.encoder_,
            self.ensemble_,
            X,
            y,
            scoring=scoring,
            n_repeats=n_repeats,
            random_state=check_random_state(random_state),
            sample_weight=sample_weight,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._encoders(0)[0]).input_tags
        tags.input_tags.allow_nan = inner.allow_nan
        tags.input_tags.string = inner.string
        tags.input_tags.categorical = inner.categorical
        tags.input_tags.sparse = inner.sparse
        return tags

    def get_metadata_routing(self):
        """Routes `groups` and what else the splitter of `cv` asks for, as the ensemble does.

        Returns
        -------
        routing : MetadataRouter
            To the splitter.
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        cv = self.cv if hasattr(self.cv, "split") else check_cv(5)
        mapping = MethodMapping().add(caller="fit", callee="split")
        return router.add(splitter=cv, method_mapping=mapping)

    # ------------------------------------------------------------- what a subclass writes

    @abstractmethod
    def _default(self):
        """The network of which the flat parameters are."""

    @abstractmethod
    def _flat(self):
        """Parameters of a task alone, as they are where they are 'auto'."""

    @abstractmethod
    def _ensemble(self, network, **options):
        """The ensemble, unfitted."""
