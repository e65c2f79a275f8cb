"""Technique: one regularizer. A subclass is all that Python knows of it.

To add one: a class in the file of its place, where the techniques stand in the order in which they
act, and its parts in the core.
"""

import functools
import inspect
from numbers import Number

import numpy as np


@functools.cache
def _defaults(cls):
    """Of the constructors of a class and its bases."""
    inits = [vars(base)["__init__"] for base in reversed(cls.__mro__) if "__init__" in vars(base)]
    signatures = [inspect.signature(init).parameters for init in inits]
    return {name: p.default for parameters in signatures for name, p in parameters.items()}


class Technique:
    """What one regularizer asks and gives; bound to the parameters of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
        With parameters that are valid one by one.
    architecture : Architecture
    """

    name = ""  # the parameter that switches it on
    parameters: dict = {}  # constraints of all that it reads, by name
    cast: tuple = ()  # those that reach the core in the number type of X
    in_epochs = True  # whether solver='lbfgs' cannot do it
    columns = False  # whether it needs the deviations of the columns
    plans_epochs = False  # whether the epochs before the last depend on max_iter
    hidden = False  # whether it acts on hidden layers alone
    l1 = 0.0  # strength of the part that lbfgs deals with by bounds

    def __init__(self, estimator, architecture):
        self.estimator, self.architecture = estimator, architecture
        self.value = getattr(estimator, self.name)

    @property
    def on(self):
        """Whether it changes anything; 0, False and None are off."""
        return bool(self.value) and (not self.hidden or bool(self.architecture.sizes))

    @property
    def place(self):
        """Name of the file in which it stands, which is that of its place in a training step."""
        return type(self).__module__.rpartition(".")[2]

    def describe(self):
        """The same as `values` as plain data: numbers, strings, None and lists of them."""
        return {name: _plain(value) for name, value in self.values().items()}

    def values(self):
        """Name and value of the parameters that act; asked where it is on."""
        given = {n: getattr(self.estimator, n) for n in self.parameters if n in self._own()}
        return {name: value for name, value in given.items() if value is not None}

    def _own(self):
        """Parameters of the estimator: a classifier has not all of them."""
        return _defaults(type(self.estimator))

    def check(self, plan):
        """Errors for values that contradict others; asked where it is on."""

    def check_partial_fit(self):
        """Errors for what needs all rows, or the end of training; asked where it is on."""

    def without_effect(self, plan):
        """Messages about parameters that do nothing here; a grid's product makes them natural."""
        if self.hidden and self.value and not self.architecture.sizes:
            yield f"{self.name} has no effect without hidden layers."

    def rows(self):
        """Parts that change the rows of a batch (place 1)."""
        return []

    def inputs(self):
        """Parts before the first layer (place 2)."""
        return []

    def layers(self):
        """Parts of the hidden layers (place 2): from `connect`, `norm`, `link` or `after` to a dict
        from the index of a layer to a part.
        """
        return {}

    def predicting(self):
        """Those of `layers` that are there in prediction too."""
        return {}

    def sampling(self):
        """Those that are there in passes with dropout."""
        return self.predicting()

    def loss(self):
        """Options of the loss (place 3)."""
        return {}

    def steps(self):
        """Parts around the optimizer's step (places 5 to 8)."""
        return []

    def divided(self, rows, random_state):
        """The rows, some of them set aside."""
        return rows

    def weigh(self, targets, y):
        """Give the targets what they need to know of all y."""

    def listeners(self, plan, rows, history):
        """What follows the training between epochs (place 8)."""
        return []

    def changed(self, name):
        """Whether a parameter differs from its default."""
        return not np.array_equal(
            getattr(self.estimator, name), _defaults(type(self.estimator))[name]
        )

    def everywhere(self, part):
        """The part in every hidden layer."""
        return dict.fromkeys(range(len(self.architecture.sizes)), part)


def _plain(value):
    """Objects become their text: a fitted estimator keeps none that may change, or not pickle."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | Number):
        return value
    return getattr(value, "__name__", None) or " ".join(repr(value).split())
