"""Kinds: what a search may be asked to tune, and what it makes of the trained candidates.

A kind turns a candidate into a `Front`, puts a trained network back into the whole estimator, and
makes the estimators that `final` names.
"""

import copy
import warnings
from contextlib import contextmanager

import joblib
import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from skreg.data.rows import check_arrays
from skreg.ensemble import FoldEnsembleClassifier, FoldEnsembleRegressor
from skreg.ensemble.fronts import Front
from skreg.ensemble.members import (
    check_kind,
    check_network,
    network_within,
    refuse_checkpoints,
    tell_callbacks,
)
from skreg.tabular.base import Tabular


def kind_of(estimator):
    """The class that knows how to search for such an estimator."""
    return Table if isinstance(estimator, Tabular) else Network


def ensemble_for(estimator):
    """The ensemble over folds of the task that a network has."""
    regression = is_regressor(network_within(estimator))
    return FoldEnsembleRegressor if regression else FoldEnsembleClassifier


def check_callbacks(estimator):
    """Networks of a search train side by side, and keep no file."""
    refuse_checkpoints(estimator, "RegularizationSearchCV")
    tell_callbacks(estimator, "RegularizationSearchCV")


class Network:
    """Networks, and pipelines and Augmented that end in one.

    Parameters
    ----------
    X, y : as they were passed
    metadata : dict
        What `fit` was passed for the estimator.
    options : dict
        Parameters of the ensembles over folds: cv, n_jobs, random_state.
    max_epochs : int or None
    time_limit : float or None
    """

    def __init__(self, X, y, metadata, options, max_epochs, time_limit):
        self.X, self.y, self.metadata, self.options = X, y, metadata, options
        self.max_epochs, self.time_limit = max_epochs, time_limit

    def weight(self, estimator):
        """Of the rows, for the network."""
        return Front(clone(estimator), self.metadata).weight

    def prepared(self, candidate):
        """A candidate as its result will show it; what the search decides is set."""
        if self.max_epochs is not None:
            network_within(candidate).set_params(max_iter=self.max_epochs)
        return candidate

    def check(self, estimator):
        """Errors for data that no candidate could learn from, before all of them fail."""
        network = network_within(estimator)
        self._check_network(network)
        if estimator is network:
            numeric = is_regressor(network)
            check_arrays(clone(network), self.X, self.y, numeric=numeric, reset=True)

    def front(self, candidate):
        """All of it, to train on folds."""
        front = Front(clone(candidate), self.metadata)
        self._prepare(front.network)
        return front

    @staticmethod
    def _check_network(network):
        check_kind(network, ensemble_for(network)()._default())
        check_callbacks(network)

    @staticmethod
    def _prepare(network):
        check_network(network, ensemble_for(network)()._default())
        network.set_callbacks()
        network.set_params(early_stopping=True, warm_start=False, random_state=None)

    @staticmethod
    def whole(folds, c, k, network):
        """The whole estimator around a fitted network."""
        return folds.tables.wrap(c, k, network)

    def ensemble(self, candidate, folds, c):
        """The fold networks of a candidate, averaged."""
        ensemble = ensemble_for(candidate)(clone(candidate), **self.options)
        return ensemble.trained(folds, c)

    def retrained(self, candidate, n_epochs, seed, front):
        """The candidate, trained on all rows for so many epochs."""
        whole = clone(candidate)
        _to_the_end(network_within(whole), n_epochs, seed)
        with _no_warning_of_the_end():
            return whole.fit(self.X, self.y, **self.metadata)


class Table(Network):
    """Tabular*: the encoder is fitted once, to all rows; it knows nothing of y."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._encoded = []  # encoders, unfitted and fitted, with their tables

    def weight(self, estimator):
        return self.metadata.get("sample_weight")

    def prepared(self, candidate):
        if self.max_epochs is not None:
            own = candidate if candidate.estimator is None else candidate.estimator
            own.set_params(max_iter=self.max_epochs)
        return candidate.set_params(cv=self.options["cv"])

    def check(self, estimator):
        """The encoder looks at the table first."""
        check_callbacks(estimator)
        if estimator.estimator is not None:
            self._check_network(estimator.estimator)

    def front(self, candidate):
        tabular = clone(candidate)
        tabular.n_jobs, tabular.time_limit = self.options["n_jobs"], self.time_limit
        known = next((fitted for e, *fitted in self._encoded if _same(e, tabular.encoder)), None)
        weight, seed = self.metadata.get("sample_weight"), self.options["random_state"]
        Z = tabular._begin(self.X, self.y, weight, seed, known)
        if known is None:
            self._encoded.append((tabular.encoder, tabular.encoder_, Z))
        front = Encoded(tabular, Z, self.metadata)
        self._prepare(front.network)
        return front

    @staticmethod
    def whole(folds, c, k, network):
        tabular = copy.copy(folds.tables.fronts[c].tabular)
        vars(tabular).update(tabular._with_members([network]))
        return tabular

    def ensemble(self, candidate, folds, c):
        tabular = copy.copy(folds.tables.fronts[c].tabular)
        tabular.n_jobs, tabular.time_limit = candidate.n_jobs, candidate.time_limit
        ensemble = tabular._ensemble(clone(folds.tables.fronts[c].network), **self.options)
        tabular.ensemble_ = ensemble.trained(folds, c)
        tabular._take()
        return tabular

    def retrained(self, candidate, n_epochs, seed, front):
        network = clone(front.network)
        _to_the_end(network, n_epochs, seed)
        with _no_warning_of_the_end():
            network.fit(front.Z, self.y, **self.metadata)
        return Pipeline([("encoder", front.tabular.encoder_), ("network", network)])


class Encoded(Front):
    """A table that is encoded already, before the network of a tabular model.

    Parameters
    ----------
    tabular : Tabular
        With its parameters decided and its encoder fitted.
    Z : {ndarray, sparse matrix, data frame} of shape (n_rows, n_columns)
    metadata : dict
    """

    def __init__(self, tabular, Z, metadata):
        super().__init__(tabular._network(), metadata, Z)
        self.tabular, self.Z = tabular, Z


def _same(one, other):
    """Whether two encoders, unfitted, do the same."""
    try:
        return one is other or joblib.hash(one) == joblib.hash(other)
    except Exception:  # what cannot be pickled is like nothing else
        return False


def _to_the_end(network, n_epochs, seed):
    """Nothing stops it before; a planned schedule is planned to there."""
    network.set_callbacks()
    network.set_params(
        early_stopping=False,
        n_iter_no_change=np.inf,
        max_iter=n_epochs,
        random_state=seed,
        scoring="loss",  # of the rest of early stopping too
        restore_best=True,
    )


@contextmanager
def _no_warning_of_the_end():
    """The number of epochs was chosen: that it is reached is no alarm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
