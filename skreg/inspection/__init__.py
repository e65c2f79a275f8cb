"""To look at after a fit: curves of a training, the summary of a network, pictures of a search."""

from skreg.inspection.curves import TrainingCurveDisplay
from skreg.inspection.search import SearchDisplay
from skreg.inspection.summary import Summary

__all__ = ["SearchDisplay", "Summary", "TrainingCurveDisplay"]
