"""To look at after a fit: a summary of the network."""

from skreg.inspection.summary import Summary

__all__ = ["Summary"]
