"""Ensembles of networks on parts of a table."""

from skreg.ensemble.classifier import FoldEnsembleClassifier
from skreg.ensemble.regressor import FoldEnsembleRegressor
from skreg.ensemble.weighted import WeightedEnsembleClassifier, WeightedEnsembleRegressor

__all__ = [
    "FoldEnsembleClassifier",
    "FoldEnsembleRegressor",
    "WeightedEnsembleClassifier",
    "WeightedEnsembleRegressor",
]
