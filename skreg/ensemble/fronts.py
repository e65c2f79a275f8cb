"""Fronts: what stands before a network, steps of a pipeline and variants of rows, fold by fold.

Whatever is fitted there sees the rows that a network trains on, and never those that it holds out.
"""

import copy
import functools
import sys
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import _num_samples

from skreg.augmentation import Augmented
from skreg.augmentation.augmented import extended
from skreg.augmentation.copies import take


@dataclass
class Rows:
    """X, y and weights, and which of the rows a network trains on and holds out."""

    X: Any
    y: Any
    weight: np.ndarray | None
    train: np.ndarray
    held_out: np.ndarray


class Front:
    """All that stands before the network of one estimator.

    Parameters
    ----------
    estimator : estimator
        Unfitted: a network, a Pipeline that ends in one, an Augmented around one, or one of these
        within the other.
    metadata : dict, optional
        What `fit` of the estimator was passed, with one value a row.
    X : {array-like, sparse matrix, data frame}, optional
        What it gets in the place of the X that all get.

    Attributes
    ----------
    network : MLPClassifier or MLPRegressor
        The one inside, itself.
    """

    def __init__(self, estimator, metadata=None, X=None):
        self._X = X
        self.layers, inner, metadata = [], estimator, metadata or {}
        while kind := layer_of(inner):
            layer = kind(inner)
            metadata = layer.take_own(metadata)
            if self.layers and layer.metadata:  # whose rows are no longer in their order
                raise TypeError(
                    f"fit got {', '.join(layer.metadata)} for steps that follow others which are "
                    "an estimator of their own. Put all steps into one Pipeline."
                )
            self.layers.append(layer)
            inner = layer.inside(inner)
        self.network = inner
        if unknown := set(metadata) - {"sample_weight"}:
            raise TypeError(
                f"fit got {', '.join(sorted(unknown))}, for which a network that validates on "
                "folds has no use. Besides steps of a pipeline it takes sample_weight."
            )
        self.weight = metadata.get("sample_weight")

    @property
    def once(self):
        """Whether the same rows serve for all folds."""
        return not self.layers

    @functools.cached_property
    def key(self):
        """The same text for candidates that can share what is fitted here."""
        try:
            return joblib.hash([id(self._X), *(layer.setting for layer in self.layers)])
        except Exception:  # what cannot be pickled is not shared
            return str(id(self))

    def own_X(self, X):
        """What it gets of the X that all get."""
        return X if self._X is None else self._X

    def rows(self, X, y, weight, train, held_out):
        """Fit what is here to the rows of a fold.

        Returns
        -------
        rows : Rows
        fitted : list
            What `wrap` needs.
        """
        rows, fitted = Rows(self.own_X(X), y, weight, train, held_out), []
        for layer in self.layers:
            rows, one = layer.rows(rows)
            fitted.append(one)
        return rows, fitted

    def wrap(self, network, fitted):
        """The whole estimator, fitted, with this network inside."""
        for layer, one in zip(reversed(self.layers), reversed(fitted), strict=True):
            network = layer.wrap(network, one)
        return network


class Steps:
    """The steps of a pipeline but the last one."""

    wraps = Pipeline

    def __init__(self, pipeline):
        self._pipeline = pipeline
        self.setting = pipeline[:-1]
        self.metadata = {}

    @staticmethod
    def inside(pipeline):
        """The last step, fitted or not."""
        return pipeline.steps[-1][1]

    @staticmethod
    def through(pipeline, X):
        """X as it gets to the last step of a fitted one."""
        return pipeline[:-1].transform(X) if len(pipeline.steps) > 1 else X

    def take_own(self, metadata):
        """Keep the metadata of these steps; what is left is that of the last one."""
        last = self._pipeline.steps[-1][0]
        if not _routing_enabled():  # step__name
            wrong = sorted(name for name in metadata if "__" not in name)
            if wrong:
                raise ValueError(
                    f"A Pipeline's fit does not accept the {wrong[0]} parameter. Pass it to a "
                    f"step, as {last}__{wrong[0]}, or switch metadata routing on."
                )
            inner = {n.partition("__")[2]: v for n, v in metadata.items() if _is_of(n, last)}
            self.metadata = {n: v for n, v in metadata.items() if not _is_of(n, last)}
            return inner
        routed = process_routing(self._pipeline, "fit", **metadata) if metadata else {}
        if self._any and metadata:  # which routes on what it is called with
            own = self.setting.get_metadata_routing().consumes("fit", metadata)
            self.metadata = {name: metadata[name] for name in own}
        return dict(routed[last].fit) if metadata else {}

    @property
    def _any(self):
        return len(self._pipeline.steps) > 1

    def rows(self, rows):
        if not self._any:
            return rows, self.setting
        front = clone(self.setting)
        metadata = extended(self.metadata, _num_samples(rows.X), rows.train)
        Z = front.fit_transform(take(rows.X, rows.train), take(rows.y, rows.train), **metadata)
        X = stacked(Z, front.transform(take(rows.X, rows.held_out)))
        return _in_order(rows, X, take(rows.y, _both(rows))), front

    def wrap(self, network, front):
        whole = copy.copy(self._pipeline)
        whole.steps = [*front.steps, (self._pipeline.steps[-1][0], network)]
        return whole


class Copies:
    """The variants of the training rows that Augmented adds."""

    wraps = Augmented

    metadata: dict = {}  # it takes none

    def __init__(self, augmented):
        self._augmented = augmented
        self.setting = augmented.augmenter, augmented.n_copies

    @staticmethod
    def inside(augmented):
        """The estimator, fitted where there is one."""
        return getattr(augmented, "estimator_", augmented.estimator)

    @staticmethod
    def through(augmented, X):
        """X as it is."""
        return X

    def take_own(self, metadata):
        """What is left is all."""
        if not metadata or not _routing_enabled():
            return metadata
        return dict(process_routing(self._augmented, "fit", **metadata).estimator.fit)

    def rows(self, rows):
        fitted = copy.copy(self._augmented)
        fitted.augmenter_ = clone(fitted.augmenter)
        of_train = {} if rows.weight is None else {"sample_weight": rows.weight[rows.train]}
        X, y = take(rows.X, rows.train), take(rows.y, rows.train)
        X, y, of_train = fitted._with_copies(X, y, of_train)
        weight, n_held_out = of_train.get("sample_weight"), len(rows.held_out)
        if weight is not None:  # an augmenter that mixes classes makes weights where none were
            own = np.ones(n_held_out) if rows.weight is None else rows.weight[rows.held_out]
            weight = np.concatenate([weight, own])
        n_train = _num_samples(X)
        X, y = (stacked(a, take(b, rows.held_out)) for a, b in ((X, rows.X), (y, rows.y)))
        train, held_out = np.arange(n_train), np.arange(n_train, n_train + n_held_out)
        return Rows(X, y, weight, train, held_out), fitted

    @staticmethod
    def wrap(network, fitted):
        whole = copy.copy(fitted)
        whole.estimator_ = network
        return whole


def layer_of(estimator):
    """Steps or Copies, if the estimator is one that these can tell apart, else None."""
    return next((kind for kind in (Steps, Copies) if isinstance(estimator, kind.wraps)), None)


def stacked(above, below):
    """The rows of both, as arrays, sparse matrices or frames."""
    if sp.issparse(above):
        return sp.vstack([above, below], format="csr")
    if hasattr(above, "iloc"):
        return sys.modules["pandas"].concat([above, below])
    if type(above).__module__.startswith("polars"):
        return sys.modules["polars"].concat([above, below])
    return np.concatenate([above, below])


def _both(rows):
    return np.concatenate([rows.train, rows.held_out])


def _in_order(rows, X, y):
    """The training rows, then those held out."""
    both, n_train = _both(rows), len(rows.train)
    weight = None if rows.weight is None else rows.weight[both]
    return Rows(X, y, weight, np.arange(n_train), np.arange(n_train, len(both)))


def _is_of(name, step):
    return name.partition("__")[0] == step
