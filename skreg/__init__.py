"""Multilayer perceptrons for scikit-learn, every regularization technique a hyperparameter."""

from skreg.callbacks import Checkpoint
from skreg.classifier import MLPClassifier
from skreg.ensemble import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    WeightedEnsembleClassifier,
    WeightedEnsembleRegressor,
)
from skreg.inspection import SearchDisplay, TrainingCurveDisplay
from skreg.model_selection import RegularizationSearchCV, search_space
from skreg.preprocessing import TableEncoder
from skreg.regressor import MLPRegressor
from skreg.tabular import TabularClassifier, TabularRegressor

__all__ = [
    "Checkpoint",
    "FoldEnsembleClassifier",
    "FoldEnsembleRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "RegularizationSearchCV",
    "SearchDisplay",
    "TableEncoder",
    "TabularClassifier",
    "TabularRegressor",
    "TrainingCurveDisplay",
    "WeightedEnsembleClassifier",
    "WeightedEnsembleRegressor",
    "search_space",
]
__version__ = "0.1.0"
