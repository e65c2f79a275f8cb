"""Plan: what a set of hyperparameters means, as loops over the techniques."""

import numpy as np

from skreg.network.architecture import Architecture
from skreg.network.fitted import FittedNetwork
from skreg.network.network import Network
from skreg.regularization.techniques import TECHNIQUES
from skreg.training.earlier import EarlierFit
from skreg.training.optimization import Optimization


class Plan:
    """The parts of a training.

    Parameters
    ----------
    estimator : BaseMLP
        With parameters that are valid one by one.

    Raises
    ------
    ValueError
        For values or combinations that contradict themselves.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        self.architecture = Architecture(estimator)
        self.optimization = Optimization(estimator)
        self.techniques = [
            technique(estimator, self.architecture)
            for technique in TECHNIQUES
            if hasattr(estimator, technique.name)
        ]
        self.on = [technique for technique in self.techniques if technique.on]
        self._check()

    # ----------------------------------------------------------------------------- checks

    def is_on(self, name):
        """Whether the technique of this parameter is on."""
        return any(technique.name == name for technique in self.on)

    def _check(self):
        for technique in self.on:
            if technique.in_epochs and not self.optimization.in_epochs:
                raise ValueError(
                    f"{technique.name}={technique.value!r} needs training in epochs, which "
                    "solver='lbfgs' does not do. Use solver='adam' or 'sgd', or leave it out."
                )
        for technique in self.on:
            technique.check(self)

    def check_partial_fit(self):
        """Errors for what partial_fit, which has no validation set and no end, cannot do."""
        for technique in self.on:
            technique.check_partial_fit()
        self.optimization.check_partial_fit()

    def check_type(self, dtype):
        """A number above 0 must be one in the type of X too, and a finite one."""
        dtype = dtype if self.optimization.in_epochs else np.dtype(np.float64)
        tiny, largest = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
        names = [name for part in (*self.on, self.optimization) for name in part.cast]
        for name in names:
            value = getattr(self.estimator, name)
            if value is not None and (value > largest or 0 < value < tiny):
                raise ValueError(
                    f"{name}={value!r} does not fit into {dtype}, in which training goes because "
                    f"X has this type: it holds numbers from {tiny:.2g} to {largest:.2g}. Choose "
                    f"another {name}, or pass X in float64."
                )

    def without_effect(self):
        """Messages about parameters that do nothing here; a grid's product makes them natural."""
        for technique in self.techniques:
            yield from technique.without_effect(self)
        yield from self.optimization.without_effect()

    # ------------------------------------------------------------------------- the network

    @property
    def norm(self):
        """Name of the normalization, or None."""
        return next((n for n in ("batch_norm", "layer_norm") if self.is_on(n)), None)

    @property
    def l1(self):
        """Strength of the L1 penalty, which lbfgs deals with by itself."""
        return sum(technique.l1 for technique in self.on)

    def layers(self, n_outputs):
        """The parts of the network that is trained."""
        return self._inputs() + self._stack(n_outputs, (t.layers() for t in self.on))

    def predicting_layers(self, n_outputs):
        """Those of the network that predicts, batch norm folded into its dense layers."""
        return self._stack(n_outputs, (t.predicting() for t in self.on))

    def sampling_layers(self, n_outputs):
        """The same with dropout."""
        return self._inputs() + self._stack(n_outputs, (t.sampling() for t in self.on))

    def _inputs(self):
        return [part for technique in self.on for part in technique.inputs()]

    def _stack(self, n_outputs, parts):
        places = {place: by_layer for part in parts for place, by_layer in part.items()}
        return self.architecture.layers(n_outputs, **places)

    def network(self, rows, seed):
        """The network that is trained, without weights."""
        loss, dtype = rows.targets.loss, rows.X.dtype
        name, options = loss.spec()
        for technique in self.techniques:
            options = {**options, **technique.loss()}
        return Network(
            self.layers(loss.n_outputs),
            (name, options),
            [part for t in self.on for part in (*t.rows(), *t.steps())],
            n_features=rows.X.shape[1],
            dtype=dtype if self.optimization.in_epochs else np.dtype(np.float64),
            seed=seed,
        )

    def initialize(self, network, random_state):
        """Draw the initial weights."""
        bounds = self.architecture.initial_bounds()
        network.initialize(random_state, bounds, self.estimator.weight_init)

    def fitted(self, network, rows, snapshot=None, dtype=None):
        """The network that predicts as this one does, now or by a snapshot, in copies."""
        loss = rows.targets.loss
        with np.errstate(over="ignore", invalid="ignore"):  # `FittedNetwork.predicts` looks at it
            folded = rows.targets.restored(*network.fold(snapshot))
            arrays = [*folded, network.layer_norms(snapshot)]
            arrays = [[a.astype(dtype or a.dtype, copy=False) for a in g] for g in arrays]
        specs = self.predicting_layers(loss.n_outputs), self.sampling_layers(loss.n_outputs)
        return FittedNetwork(*arrays, *specs, loss.link)

    def earlier(self):
        """The fit of this estimator that another one may go on from, or None."""
        attributes = vars(self.estimator)
        return EarlierFit(attributes) if "coefs_" in attributes else None

    def describe(self, trainer):
        """What a fit was made of, as plain data: `summary` tells it, whatever changes afterwards.

        The regularizers stand by their place in the training step.
        """
        loss, places = trainer.rows.targets.loss, {}
        for technique in self.on:
            places.setdefault(technique.place, {}).update(technique.describe())
        return {
            "layers": self.layers(loss.n_outputs),
            "loss": loss.name,
            "regularizers": {place: values for place, values in places.items() if values},
            "optimizer": self.optimization.values(len(trainer.rows.train)),
            "ended": trainer.ended,
        }

    def attributes(self, trainer, snapshot=None):
        """Those with which a copy of the estimator predicts as the network does, now or then."""
        network, history = trainer.network, trainer.history
        counted = {"t_": history.t, "_state": {"seed": network.seed}}
        fitted = self.fitted(network, trainer.rows, snapshot).attributes()
        fitted["_description"] = self.describe(trainer)
        return {**trainer.rows.targets.attributes(), **fitted, **counted}

    def attributes_with_report(self, trainer):
        """The same, and what the training has come to; copies, since it goes on in place."""
        report = {n: list(v) if isinstance(v, list) else v for n, v in trainer.report().items()}
        return {**self.attributes(trainer), **report}

    # ------------------------------------------------------------------------ the training

    @property
    def trainer(self):
        """The class of what trains."""
        return self.optimization.trainer

    @property
    def plans_epochs(self):
        """Whether the epochs before the last depend on how many there will be."""
        return self.optimization.plans_epochs or any(t.plans_epochs for t in self.on)

    def weigh(self, targets, y):
        """Give the targets what the techniques want to know of all y."""
        for technique in self.on:
            technique.weigh(targets, y)

    def divided(self, rows, random_state):
        """The rows, some of them set aside where that is wanted."""
        for technique in self.on:
            rows = technique.divided(rows, random_state)
        return rows.with_units()

    @property
    def needs_columns(self):
        """Whether a technique needs the deviations of the columns."""
        return any(technique.columns for technique in self.on)

    def listeners(self, rows, history):
        """Those of all techniques."""
        found = (technique.listeners(self, rows, history) for technique in self.on)
        return [listener for listeners in found for listener in listeners]
