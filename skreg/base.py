"""BaseMLP: a fit from top to bottom, and predictions. Read `_fit` first."""

import copy
import math
from abc import ABCMeta, abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skreg.common import NON_FINITE_OUTPUTS, all_or_nothing, warn
from skreg.data.rows import TrainingRows, check_arrays, check_given, check_weights
from skreg.inspection.summary import SummaryMixin
from skreg.network.fitted import FittedNetwork
from skreg.regularization.plan import Plan
from skreg.training.callbacks import CallbackSupportMixin, callbacks_of, savings_of


class BaseMLP(SummaryMixin, CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class for MLPClassifier and MLPRegressor, which write `_targets`."""

    def set_params(self, **params):
        """Set parameters; those of an augmenter that is not there are left out, with a warning.

        Parameters
        ----------
        **params : dict
            By name, ``augmentation__p=0.1`` those of `augmentation`.

        Returns
        -------
        self : object
            The estimator.
        """
        if params.get("augmentation", self.augmentation) is None:  # as in the product of a grid
            moot = [name for name in params if name.startswith("augmentation__")]
            params = {name: value for name, value in params.items() if name not in moot}
            if moot:
                warn(f"{', '.join(moot)}: no effect with augmentation=None.", once=True)
        return super().set_params(**params)

    # -------------------------------------------------------------------------- fitting

    def _fit(self, X, y, sample_weight, validation):
        callbacks = callbacks_of(self, X, y, sample_weight)
        with all_or_nothing(self):
            plan = self._plan()
            given = check_given(*validation, solver=self.solver, early_stopping=self.early_stopping)
            before = plan.earlier() if self.warm_start else None
            rows = self._rows(plan, X, y, sample_weight, before, partial=False)
            if given:
                rows.validate_on(self, *validation)
            savings = savings_of(plan, rows, before)
            trainer = self._trainer(plan, rows, before, plan.trainer.warm, callbacks, savings)
            trainer.run(self.max_iter)
            self._keep(plan, trainer, trainer.fitted())
            for saving in savings:
                saving.done(trainer)
        for callback in callbacks:
            callback.fit_end()
        return self

    def _partial_fit(self, X, y, sample_weight):
        """One epoch, without an end: nothing is validated, averaged or recomputed after it."""
        with all_or_nothing(self):
            plan = self._plan()
            plan.check_partial_fit()
            before = plan.earlier()
            rows = self._rows(plan, X, y, sample_weight, before, partial=True)
            trainer = self._trainer(plan, rows, before, plan.trainer.continued)
            trainer.advance(1)
            self._keep(plan, trainer, trainer.network.snapshot())
        return self

    def _plan(self):
        plan = Plan(self)
        for message in plan.without_effect():
            warn(message, once=True)
        return plan

    def _rows(self, plan, X, y, sample_weight, before, *, partial):
        """X, y and weights, checked."""
        passed = X, y
        X, y = check_arrays(self, X, y, numeric=self._y_numeric, reset=before is None)
        plan.check_type(X.dtype)
        targets = self._targets(y, before, partial=partial)
        y = targets.check(y)
        sample_weight = check_weights(sample_weight, X)
        plan.weigh(targets, y)
        return TrainingRows(passed, X, y, sample_weight, targets)

    def _trainer(self, plan, rows, before, go_on, callbacks=(), savings=()):
        random_state = check_random_state(self.random_state)
        for callback in callbacks:
            callback.attributes = plan.attributes_with_report
        for saving in savings:
            random_state = saving.begin(random_state)
        listeners = [*callbacks, *savings]
        if before is None:
            trainer = plan.trainer.fresh(plan, rows, random_state, listeners)
        else:
            trainer = go_on(plan, rows, random_state, before, listeners)
        for saving in savings:
            saving.resume(trainer)
        return trainer

    def _keep(self, plan, trainer, snapshot):
        """The fitted attributes."""
        rows = trainer.rows
        fitted = plan.fitted(trainer.network, rows, snapshot, rows.X.dtype)
        self._check_outputs(fitted, rows)
        for name in ("loss_curve_", "lr_curve_"):  # lbfgs has none
            self.__dict__.pop(name, None)
        self._state = trainer.remember(snapshot, plan.norm)
        self._description = plan.describe(trainer)
        noise = rows.targets.learn_noise(fitted, rows.validation, trainer.network.seed)
        for attributes in (rows.targets.attributes(), fitted.attributes(), trainer.report(), noise):
            self.__dict__.update(attributes)
        for message, category in trainer.warnings:
            warn(message, category, once=True)

    @staticmethod
    def _check_outputs(fitted, rows):
        """What the network has learned from, it must be able to predict.

        The last loss is that of the weights before the last steps, in float64 for lbfgs.
        """
        with np.errstate(all="ignore"):
            if fitted.may_overflow(rows.norm()) and not fitted.predicts(rows.weighted()):
                raise ValueError(NON_FINITE_OUTPUTS)

    # ------------------------------------------------------------------- the fitted network

    @property
    def _is_fitted(self):
        return hasattr(self, "coefs_")

    @property
    def _network(self):
        return FittedNetwork(
            self.coefs_, self.intercepts_, **self._predictor, link=self.out_activation_
        )

    def _outputs(self, X, link=None):
        """Outputs of shape (n_samples, n_outputs), in the type of the fitted weights.

        `link` is one of the core's; by default the output activation.
        """
        X, network = self._prepare_prediction(X)
        return network.outputs(X, link)

    def _sampled_outputs(self, X, n_draws):
        """Mean and standard deviation over passes with dropout."""
        check_is_fitted(self)
        if (
            isinstance(n_draws, bool)
            or not isinstance(n_draws, Integral)
            or not 0 < n_draws < 2**31
        ):
            raise ValueError(f"n_draws must be an integer from 1 to 2**31 - 1, got {n_draws!r}.")
        if not self._network.has_dropout:
            raise ValueError(
                "Passes with dropout were asked for, but the network was fitted without. Fit it "
                "with dropout or input_dropout above 0."
            )
        X, network = self._prepare_prediction(X)
        return network.sample(X, seed=self._state["seed"], n_draws=int(n_draws))

    def _prepare_prediction(self, X):
        if not self._is_fitted:
            check_is_fitted(self)
        network = self._network
        if not self._is_ready(X, network.dtype):
            options = {"accept_sparse": ["csr", "csc"], "order": "C", "reset": False}
            with np.errstate(all="ignore"):  # of a cast to float32, whose infinity is refused
                X = validate_data(self, X, dtype=network.dtype, **options)
        return X, network

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
        fitted = self._network.compact()
        small = copy.deepcopy(self)
        plain = {"batch_norm": False, "batch_norm_momentum": 0.1, "batch_norm_epsilon": 1e-5}
        plain |= {"hidden_layer_sizes": tuple(c.shape[1] for c in fitted.coefs[:-1])}
        plain |= {"standardize_y": False}  # folded in, as batch norm is
        vars(small).update({name: plain[name] for name in plain.keys() & vars(small).keys()})
        small.__dict__.update(fitted.attributes())
        small._description = {**getattr(self, "_description", {}), "layers": fitted.sampling}
        small._state = {name: self._state[name] for name in ("seed",) if name in self._state}
        return small

    def _check_partial_fit(self):
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ------------------------------------------------------------- what a subclass writes

    _y_numeric = False  # whether y holds numbers rather than labels

    @abstractmethod
    def _targets(self, y, before, *, partial):
        """What y means, as an object of data/targets.py: anew, or as in the fit before."""
