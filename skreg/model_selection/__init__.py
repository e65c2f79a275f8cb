"""Search: which regularizers, how strong, and for how long."""

from skreg.model_selection.search import RegularizationSearchCV
from skreg.model_selection.spaces import SearchSpace, search_space

__all__ = ["RegularizationSearchCV", "SearchSpace", "search_space"]
