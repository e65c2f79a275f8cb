"""Ensembles of networks on parts of a table."""

from skreg.ensemble.classifier import FoldEnsembleClassifier
from skreg.ensemble.regressor import FoldEnsembleRegressor

__all__ = ["FoldEnsembleClassifier", "FoldEnsembleRegressor"]
