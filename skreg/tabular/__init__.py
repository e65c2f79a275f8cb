"""Raw tables in, ensembles of networks out."""

from skreg.tabular.classifier import TabularClassifier
from skreg.tabular.regressor import TabularRegressor

__all__ = ["TabularClassifier", "TabularRegressor"]
