"""Search: which regularizers, how strong, and for how long."""

from skreg.model_selection.search import RegularizationSearchCV
from skreg.model_selection.spaces import search_space

__all__ = ["RegularizationSearchCV", "search_space"]
