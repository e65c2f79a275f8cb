"""TECHNIQUES: all regularizers, in the order in which they act, and what all parameters may be."""

import inspect

from skreg.network import architecture
from skreg.regularization import layers, penalties, rows, targets, trajectory
from skreg.training import optimization


def _techniques_of(module):
    """Those of a file, in the order in which they stand there, which is that of acting."""
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    return [c for c in classes if c.__module__ == module.__name__ and getattr(c, "name", "")]


# Place 1; 2; 3; 5, 6 and 7; 8.
TECHNIQUES = [
    technique
    for module in (rows, layers, targets, penalties, trajectory)
    for technique in _techniques_of(module)
]

CONSTRAINTS: dict = {
    **architecture.CONSTRAINTS,
    **optimization.CONSTRAINTS,
    **{name: c for technique in TECHNIQUES for name, c in technique.parameters.items()},
}


def constraints_of(init):
    """The constraints of the parameters in a signature."""
    return {
        name: CONSTRAINTS[name] for name in inspect.signature(init).parameters if name != "self"
    }
