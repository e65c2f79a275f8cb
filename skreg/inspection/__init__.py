"""To look at after a fit: the curves of a training, and a summary of the network."""

from skreg.inspection.curves import TrainingCurveDisplay
from skreg.inspection.summary import Summary

__all__ = ["Summary", "TrainingCurveDisplay"]
