"""BaseMLP: what classifier and regressor share, from parameters to a fitted state."""

import copy
import math
from abc import ABCMeta, abstractmethod
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skreg import lbfgs
from skreg.averaging import ExponentialAverage, StochasticWeightAverage
from skreg.callbacks import CallbackSupportMixin, callbacks_of
from skreg.columns import ColumnMoments
from skreg.messages import NON_FINITE, NON_FINITE_OUTPUTS, warn
from skreg.network import Network, make_data, may_overflow, predict, sample
from skreg.recipe import AUTO_BATCH_SIZE, PARAMETER_CONSTRAINTS, ROW_CHANGES, Recipe
from skreg.stopping import EarlyStopping, ScoreStopping, TrainingLoss
from skreg.training import Progress, train
from skreg.validation import Validation, check_given, check_total_weight, split_rows, take_rows
from skreg.variants import VariantEpochs, fitted_augmenter, variant_seed


class BaseMLP(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class for MLPClassifier and MLPRegressor: these write what stands at the end."""

    _parameter_constraints: dict = PARAMETER_CONSTRAINTS

    # -------------------------------------------------------------------------- fitting

    def _fit(self, X, y, sample_weight, validation=(None, None, None), incremental=False):
        callbacks = None if incremental else callbacks_of(self, X, y, sample_weight)
        with self._all_or_nothing():
            self._fit_parts(X, y, sample_weight, validation, incremental, callbacks)
        if callbacks is not None:
            callbacks.fit_end()
        return self

    def _fit_parts(self, X, y, sample_weight, validation, incremental, callbacks):
        recipe = Recipe(self)
        for message in recipe.without_effect():
            warn(message)
        if incremental:
            recipe.check_incremental()
        explicit = check_given(*validation, solver=self.solver, early_stopping=self.early_stopping)
        warm = hasattr(self, "coefs_") and (self.warm_start or incremental)

        passed = X, y
        X, y = self._check_arrays(X, y, reset=not warm)
        recipe.check_rows(X)
        y = self._check_targets(y, warm, incremental)
        sample_weight = self._check_weights(sample_weight, X)
        self._class_weights = self._find_class_weights(y, incremental)
        weight = self._row_weights(y, sample_weight)
        self._random_state = check_random_state(self.random_state)

        network = self._make_network(recipe, X, warm, incremental)
        if not recipe.stochastic:
            self._fit_lbfgs(recipe, network, X, y, weight)
            self._check_outputs(X, np.arange(X.shape[0]), weight)
            return
        data = self._make_data(X, y, weight)
        if self.early_stopping and not explicit:
            rows, watched = self._split(data, passed, X, y, sample_weight)
        else:
            rows = np.arange(X.shape[0], dtype=np.int32)
            watched = self._explicit_validation(X.dtype, *validation) if explicit else None
        check_total_weight(data, rows, "training")
        if recipe.row_changes:
            self._learn_columns(network, X, y, rows, weight)
        variants = self._make_variants(network, X, y, weight, rows)
        self._fit_stochastic(
            recipe, network, data, rows, watched, warm, incremental, callbacks, variants
        )
        self._check_outputs(X, rows, weight)
        self._learn_noise(watched)

    @contextmanager
    def _all_or_nothing(self):
        """A fit that fails leaves the estimator as it was.

        Nothing reachable from the old attributes is changed in place meanwhile.
        """
        before = self.__dict__.copy()
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _check_arrays(self, X, y, *, reset, dtype=(np.float64, np.float32)):
        return validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=self._y_numeric,
            dtype=dtype,
            order="C",
            reset=reset,
        )

    @staticmethod
    def _check_weights(sample_weight, X):
        if sample_weight is None:
            return None
        sample_weight = _check_sample_weight(sample_weight, X)
        if (sample_weight < 0).any():
            raise ValueError(
                "sample_weight holds negative numbers, with which the loss has no minimum. "
                "Use weights >= 0."
            )
        if not sample_weight.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return sample_weight

    def _row_weights(self, y, sample_weight):
        """Sample weight times class weight of each row, or None for ones."""
        class_weight = self._class_weight_of_rows(y)
        if sample_weight is None or class_weight is None:
            return class_weight if sample_weight is None else sample_weight
        return sample_weight * class_weight

    def _make_data(self, X, y, weight):
        """The arrays for the core."""
        return make_data(X, **self._core_targets(y), weight=weight)

    def _explicit_validation(self, dtype, X_val, y_val, weight_val):
        passed = X_val, y_val
        try:
            X_val, y_val = self._check_arrays(X_val, y_val, reset=False, dtype=dtype)
            if X_val.shape[0] < 2:
                raise ValueError("it has only one row. Pass at least two.")
            y_val = self._check_validation_targets(y_val)
            weight_val = self._check_weights(weight_val, X_val)
            data = self._make_data(X_val, y_val, self._row_weights(y_val, weight_val))
            rows = np.arange(X_val.shape[0], dtype=np.int32)
            check_total_weight(data, rows, "validation")
        except ValueError as error:
            raise ValueError(f"The validation set X_val, y_val is not valid: {error}") from error
        return Validation(data, rows, (X_val, y_val), *passed, weight_val)

    def _split(self, data, passed, X, y, sample_weight):
        train_rows, rows = split_rows(
            y.shape[0],
            self.validation_fraction,
            self._stratify(y),
            self._random_state,
        )
        check_total_weight(data, rows, "validation")
        weight = None if sample_weight is None else sample_weight[rows]
        # Copies for a scorer; the loss looks at the rows where they are.
        X_val, y_val = (take_rows(a, rows) if self.scoring != "loss" else None for a in passed)
        return train_rows, Validation(data, rows, (X, y), X_val, y_val, weight)

    def _learn_columns(self, network, X, y, rows, weight):
        """Hand over the units of noise: deviations of the columns, over all partial fits."""
        before = self._state.get("columns", {})
        features = ColumnMoments(before.get("features")).add(X, rows, weight)
        targets = ColumnMoments(before.get("targets"))
        if self._y_numeric:
            targets.add(y, rows, weight)
        self._state["columns"] = {"features": features.state(), "targets": targets.state()}
        # A target that several outputs share counts once in distances.
        deviation = np.zeros(self.n_outputs_)
        deviation[: np.size(targets.deviation)] = targets.deviation
        network.set_columns(features.mean, features.deviation, deviation)

    # ---------------------------------------------------------------- the network and its state

    def _make_network(self, recipe, X, warm, incremental):
        """A network with initial weights, or with those of the fit that is continued."""
        state = getattr(self, "_state", {}) if warm else {}
        # Drawn from a copy: the numbers that scikit-learn draws stay the same.
        seed = copy.deepcopy(self._random_state).randint(2**63 - 1, dtype=np.int64)
        network = Network(
            recipe.layers(self.n_outputs_),
            self._loss(),
            recipe.parts(),
            n_features=X.shape[1],
            dtype=X.dtype if recipe.stochastic else np.dtype(np.float64),
            seed=state.get("seed", int(seed)),
        )
        self._set_predictor(recipe)
        if warm:
            self._load(recipe, network, state)
        else:
            network.initialize(self._random_state, recipe.initial_bounds(), self.weight_init)
            self._reset(recipe)
        if recipe.stochastic:
            self._attach(recipe, network, state, incremental)
        else:
            self._state = {}
            network.attach()
        return network

    def _set_predictor(self, recipe):
        self._predictor = {
            "layers": recipe.predictor(self.n_outputs_),
            "sampling": recipe.predictor(self.n_outputs_, sampling=True),
        }

    def _reset(self, recipe):
        self.t_ = 0
        self.n_layers_ = len(recipe.hidden_sizes) + 2
        self._no_curves()

    def _no_curves(self):
        self.__dict__.pop("loss_curve_", None)
        self.__dict__.pop("lr_curve_", None)
        self._no_improvement_count = 0
        self.validation_scores_ = self.validation_loss_curve_ = None
        self.best_loss_ = self.best_validation_score_ = self.best_iter_ = None

    def _load(self, recipe, network, state):
        """Take the weights of the fitted estimator."""
        sizes = [c.shape[1] for c in self.coefs_[:-1]]
        if sizes != recipe.hidden_sizes:
            raise ValueError(
                f"hidden_layer_sizes is {tuple(recipe.hidden_sizes)}, but the fitted network has "
                f"{tuple(sizes)}. To train another network use warm_start=False or a new estimator."
            )
        if recipe.norm != state.get("norm"):
            raise ValueError(
                "batch_norm and layer_norm cannot change between fits that continue each other. "
                "Use warm_start=False or a new estimator."
            )
        if not network.has_norm:
            network.load(self.coefs_, self.intercepts_)
            return
        snapshot = state["parameters"], state["statistics"]
        network.restore(snapshot)
        folded = [a for arrays in network.fold(snapshot, state["epsilon"]) for a in arrays]
        given = [*self.coefs_, *self.intercepts_]
        if not all(
            np.array_equal(f.astype(np.result_type(g)), g)
            for f, g in zip(folded, given, strict=True)
        ):
            raise ValueError(
                f"coefs_ or intercepts_ were changed, but with {recipe.norm}=True training "
                "continues from the network with its normalization. Fit a new estimator."
            )

    def _attach(self, recipe, network, state, incremental):
        """Give the network its optimizer.

        partial_fit continues its moments, a warm start begins with new ones, as in scikit-learn.
        The number of steps ever made goes on in both cases: no mask comes twice.
        """
        optimizer = recipe.optimizer()
        counters = state.get("counters", np.zeros(2, dtype=np.int64)).copy()
        size, dtype = network.parameters.size, network.parameters.dtype
        if incremental and state.get("optimizer") == self.solver:
            moments = [m.astype(dtype) for m in state["moments"]]
            reach = state["reach"].copy()
            schedule = state["schedule"]
        else:
            n_moments = network.count_moments(self.solver)
            moments = [np.zeros(size, dtype=dtype) for _ in range(n_moments)]
            schedule, reach = {}, np.zeros(1)
            counters[1] = 0
        self._state = {
            "seed": network.seed,
            "optimizer": self.solver,
            "moments": moments,
            "counters": counters,
            "reach": reach,
            "schedule": schedule,
        }
        if incremental and "columns" in state:
            self._state["columns"] = state["columns"]
        network.attach(optimizer, moments, counters, reach)

    def _store(self, recipe, network, dtype):
        if network.has_norm:
            self._state["norm"] = recipe.norm
            self._state["parameters"], self._state["statistics"] = network.snapshot()
            self._state["epsilon"] = network.epsilon
        self._show(network, dtype)

    def _predicting(self, network, dtype=None):
        """The attributes that predict as the network does now."""

        def copies(arrays):
            return [a.astype(dtype or a.dtype, copy=False) for a in arrays]

        coefs, intercepts = network.fold()
        with np.errstate(over="ignore"):  # lbfgs casts to float32, and _check_outputs looks at it
            predictor = {**self._predictor, "norms": copies(network.layer_norms())}
            return {
                "coefs_": copies(coefs),
                "intercepts_": copies(intercepts),
                "_predictor": predictor,
            }

    def _show(self, network, dtype=None):
        self.__dict__.update(self._predicting(network, dtype))

    # --------------------------------------------------------------------------- solvers

    def _fit_lbfgs(self, recipe, network, X, y, weight):
        data = self._make_data(X.astype(np.float64, copy=False), y, weight)
        rows = np.arange(X.shape[0], dtype=np.int32)
        check_total_weight(data, rows, "training")
        self._no_curves()
        self.n_iter_, self.loss_ = lbfgs.minimize(
            network,
            data,
            rows,
            l1=recipe.l1,
            tol=self.tol,
            max_iter=self.max_iter,
            max_fun=self.max_fun,
            verbose=self.verbose,
        )
        if not (network.finite and np.isfinite(self.loss_)):
            raise ValueError(NON_FINITE)
        self._store(recipe, network, X.dtype)

    def _check_outputs(self, X, rows, weight):
        """What the network has learned from, it must be able to predict.

        The last loss is that of the weights before the last steps, in float64 for lbfgs.
        """
        layers, parameters = self._predictor["layers"], self._parameters()
        values = (X.data if sp.issparse(X) else X).ravel()
        with np.errstate(all="ignore"):
            largest = float(np.sqrt(np.vdot(values, values)))
            if not may_overflow(layers, parameters, largest):
                return
        X = X[rows if weight is None else rows[weight[rows] > 0]]
        for link in ("identity", self.out_activation_):
            if not np.isfinite(predict(X, layers, parameters, link)).all():
                raise ValueError(NON_FINITE_OUTPUTS)

    def _make_variants(self, network, X, y, weight, rows):
        """Epochs of variants of the given rows, where augmentation is on."""
        if self.augmentation is None:
            return None
        X_train = X if len(rows) == X.shape[0] else X[rows]
        augmenter = fitted_augmenter(self, X_train, y[rows])

        def make_data(variants, positions):
            picked = rows[positions]
            return self._make_data(variants, y[picked], None if weight is None else weight[picked])

        seed, epoch = variant_seed(augmenter, network.seed), len(getattr(self, "loss_curve_", []))
        return VariantEpochs(network, augmenter, X_train, make_data, seed, epoch)

    def _fit_stochastic(
        self, recipe, network, data, rows, watched, warm, incremental, callbacks, variants
    ):
        batch_size = self._batch_size(len(rows))
        schedule = recipe.schedule(n_steps=-(-len(rows) // batch_size))
        schedule.restore(self._state["schedule"])
        monitor = self._make_monitor(network, watched, warm)
        curves = (list(getattr(self, name, [])) for name in ("loss_curve_", "lr_curve_"))
        progress = Progress(*curves, self.t_)
        train(
            network,
            data,
            rows if variants is None else variants.rows,
            batch_size=batch_size,
            schedule=schedule,
            monitor=monitor,
            random_state=self._random_state,
            progress=progress,
            max_epochs=1 if incremental else self.max_iter,
            n_iter_no_change=self.n_iter_no_change,
            shuffle=self.shuffle,
            verbose=self.verbose,
            warn_at_end=not incremental,
            callbacks=callbacks,
            time_limit=np.inf if self.time_limit is None else self.time_limit,
            average=self._make_average(network, data, rows),
            variants=variants,
        )
        if network.has_statistics and not incremental and not progress.interrupted:
            self._recalibrate(network, data, rows, watched)
        self._state["schedule"] = schedule.state()
        self._report(progress, monitor, watched)
        self._store(recipe, network, network.parameters.dtype)

    @staticmethod
    def _recalibrate(network, data, rows, watched):
        """Exact batch-norm statistics of the rows, unless the running ones validate better."""
        running = network.snapshot()
        try:
            before = np.inf if watched is None else watched.loss(network)
            network.recalibrate(data, rows)
            worse = watched is not None and not watched.loss(network) <= before
        except KeyboardInterrupt:
            warn("Training interrupted by user.")
            worse = True
        if worse or not network.finite:
            network.restore(running)

    def _make_average(self, network, data, rows):
        if self.weight_averaging == "ema":
            counters = self._state["counters"]
            return ExponentialAverage(network, data, rows, self.ema_decay, counters)
        if self.weight_averaging == "swa":
            start = int(self.swa_start * self.max_iter) + 1
            return StochasticWeightAverage(network, data, rows, start)
        return None

    def _make_monitor(self, network, watched, warm):
        if watched is None:
            best = getattr(self, "best_loss_", None)
            best = np.inf if best is None else best
            return TrainingLoss(network, self.tol, best, self._no_improvement_count)
        rule = ScoreStopping if self.scoring is None else EarlyStopping
        return rule(
            network,
            self.tol,
            lambda: watched.loss(network),
            watched.scorer(self, network),
            scores=list(getattr(self, "validation_scores_", None) or []),
            losses=list(getattr(self, "validation_loss_curve_", None) or []),
            restore_best=self.restore_best,
            warm=warm,
        )

    def _batch_size(self, n_rows):
        if self.batch_size == "auto":
            return min(AUTO_BATCH_SIZE, n_rows)
        if self.batch_size > n_rows:
            warn(
                f"batch_size={self.batch_size} is larger than the {n_rows} training rows. It is "
                "clipped to their number."
            )
        return min(int(self.batch_size), n_rows)

    def _report(self, progress, monitor, watched):
        self.n_iter_, self.t_ = progress.n_iter, progress.t
        self.loss_curve_, self.lr_curve_ = progress.loss_curve, progress.lr_curve
        self.loss_ = progress.loss_curve[-1] if progress.loss_curve else np.nan
        self._no_improvement_count = monitor.no_improvement_count
        if watched is None:
            self.best_loss_ = monitor.best_loss
            self.validation_scores_ = self.validation_loss_curve_ = None
            self.best_validation_score_ = self.best_iter_ = None
            return
        self.best_loss_ = None
        self.validation_scores_ = monitor.scores
        self.validation_loss_curve_ = monitor.losses
        self.best_validation_score_ = monitor.best_score
        self.best_iter_ = monitor.best_epoch

    # ------------------------------------------------------------------- the fitted network

    def _outputs(self, X, link=None):
        """Outputs of shape (n_samples, n_outputs), in the type of the fitted weights.

        `link` is one of the core's; by default the output activation.
        """
        X, parameters = self._prepare_prediction(X)
        link = self.out_activation_ if link is None else link
        return predict(X, self._predictor["layers"], parameters, link)

    def _sampled_outputs(self, X, n_draws):
        """Mean and standard deviation over passes with dropout."""
        check_is_fitted(self)
        if (
            isinstance(n_draws, bool)
            or not isinstance(n_draws, Integral)
            or not 0 < n_draws < 2**31
        ):
            raise ValueError(f"n_draws must be an integer from 1 to 2**31 - 1, got {n_draws!r}.")
        if not self._has_dropout:
            raise ValueError(
                "Passes with dropout were asked for, but the network was fitted without. Fit it "
                "with dropout or input_dropout above 0."
            )
        return self._sample(*self._prepare_prediction(X), n_draws)

    @property
    def _has_dropout(self):
        return any("drop" in name for name, _ in self._predictor["sampling"])

    def _sample(self, X, parameters, n_draws):
        options = {"seed": self._state["seed"], "n_draws": int(n_draws)}
        return sample(X, self._predictor["sampling"], parameters, self.out_activation_, **options)

    def _prepare_prediction(self, X):
        if not hasattr(self, "coefs_"):
            check_is_fitted(self)
        dtype = np.result_type(*self.coefs_, *self.intercepts_)
        dtype = dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)
        if not self._is_ready(X, dtype):
            X = validate_data(
                self, X, accept_sparse=["csr", "csc"], dtype=dtype, order="C", reset=False
            )
        return X, self._parameters()

    def _parameters(self):
        return [*self.coefs_, *self.intercepts_, *self._predictor["norms"]]

    def _is_ready(self, X, dtype):
        """Whether validate_data would return X as it is, which for few rows takes it longest."""
        if type(X) is not np.ndarray or X.dtype != dtype or not X.flags.c_contiguous:
            return False
        if X.ndim != 2 or X.shape[0] == 0 or X.shape[1] != self.n_features_in_:
            return False
        with np.errstate(all="ignore"):
            return not hasattr(self, "feature_names_in_") and math.isfinite(X.sum())

    @property
    def sparsity_(self):
        """Fraction of the weights in `coefs_` that are exactly zero."""
        check_is_fitted(self)
        return 1 - sum(map(np.count_nonzero, self.coefs_)) / sum(c.size for c in self.coefs_)

    @property
    def feature_importances_(self):
        """L2 norm of each input's outgoing weights over the sum of all; (n_features,)."""
        check_is_fitted(self)
        norms = np.linalg.norm(self.coefs_[0], axis=1)
        total = norms.sum()
        return norms / total if total > 0 else norms

    @property
    def support_(self):
        """Mask of the features with a weight that is not zero; (n_features,)."""
        check_is_fitted(self)
        return (self.coefs_[0] != 0).any(axis=1)

    def compact(self):
        """A smaller estimator that predicts the same, without the units that lead nowhere.

        A hidden unit whose outgoing weights are all exactly 0, as `unit_alpha` makes them, has no
        part in the prediction. One unit stays in each layer. The result is a plain network, batch
        norm folded in, without the memory of the optimizer.

        Returns
        -------
        compact : object
            A fitted estimator of the same class with its own `hidden_layer_sizes`.
        """
        check_is_fitted(self)
        names = {name for name, _ in self._predictor["layers"]}
        if names & {"layer_norm", "residual"}:
            raise ValueError(
                "compact() needs a network without layer_norm and residual links: in these a unit "
                "whose outgoing weights are 0 still has a part in the prediction."
            )
        coefs, intercepts = copy.deepcopy((self.coefs_, self.intercepts_))
        for i in range(len(coefs) - 1, 0, -1):  # from the last: what leaves there can free more
            kept = np.flatnonzero((coefs[i] != 0).any(axis=1))
            if not len(kept):  # one must stay, but needs no input
                kept = np.array([0])
                coefs[i - 1][:, 0] = 0
            coefs[i] = coefs[i][kept]
            coefs[i - 1], intercepts[i - 1] = coefs[i - 1][:, kept], intercepts[i - 1][kept]
        small = copy.deepcopy(self)
        small.set_params(
            hidden_layer_sizes=tuple(c.shape[1] for c in coefs[:-1]),
            batch_norm=False,
            batch_norm_momentum=0.1,
            batch_norm_epsilon=1e-5,
        )
        small.coefs_, small.intercepts_ = coefs, intercepts
        small._state = {"seed": self._state["seed"]} if self._state else {}
        for layers in (small._predictor["layers"], small._predictor["sampling"]):
            dense = [i for i, (name, _) in enumerate(layers) if name == "dense"]
            for i, weights in zip(dense, coefs, strict=True):
                layers[i] = ("dense", {"units": float(weights.shape[1])})
        return small

    def _check_solver(self):
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        unchanged = all(getattr(self, name) == 0 for name in ROW_CHANGES)
        tags.input_tags.sparse = unchanged and self.augmentation is None
        return tags

    # ------------------------------------------------------------- what a subclass writes

    _y_numeric = False  # whether y holds numbers rather than labels

    @abstractmethod
    def _check_targets(self, y, warm, incremental):
        """y in the form of _core_targets, after setting n_outputs_, out_activation_ (classes_)."""

    @abstractmethod
    def _check_validation_targets(self, y):
        """The same for a validation set, with nothing set."""

    @abstractmethod
    def _core_targets(self, y):
        """Dict with `target` or `label` for the core."""

    @abstractmethod
    def _loss(self):
        """The core's loss, a name with options."""

    def _find_class_weights(self, y, incremental):
        """Weight of each class, from all of y, or None."""
        return None

    def _class_weight_of_rows(self, y):
        """Weight of each row by its class, or None."""
        return None

    def _learn_noise(self, watched):
        """What predictions with a spread need to know of the validation set, or None."""

    def _stratify(self, y):
        """Labels that a validation split keeps in proportion, or None."""
