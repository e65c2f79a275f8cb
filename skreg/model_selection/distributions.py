"""Distributions: of numbers and of layer sizes, for searches of scikit-learn and of Optuna."""

import numpy as np
from sklearn.utils import check_random_state


class Range:
    """Numbers between two bounds, uniform or uniform in the logarithm, or 0 now and then.

    Parameters
    ----------
    low, high : float
    log : bool, default=False
    off : float, default=0
        Probability of 0, which switches a technique off.
    """

    def __init__(self, low, high, *, log=False, off=0.0):
        self.low, self.high, self.log, self.off = low, high, log, off

    def rvs(self, size=None, random_state=None):
        """Draw from it, as distributions of scipy do."""
        rng = check_random_state(random_state)
        u, on = rng.uniform(size=size), rng.uniform(size=size) >= self.off
        if self.log:
            value = self.low * (self.high / self.low) ** u
        else:
            value = self.low + (self.high - self.low) * u
        return np.where(on, value, 0.0) if size is not None else float(value) if on else 0.0

    def suggest(self, trial, name):
        """The same by an Optuna trial."""
        if self.off and not trial.suggest_categorical(f"{name} on", [False, True]):
            return 0.0
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def __repr__(self):
        options = ", log=True" * self.log + f", off={self.off}" * (self.off > 0)
        return f"Range({self.low}, {self.high}{options})"


class LayerSizes:
    """Sizes of hidden layers by depth, width and shape.

    Parameters
    ----------
    depth : (int, int)
        Least and largest number of layers, all equally probable.
    width : (int, int)
        Of the first layer, uniform in the logarithm, a multiple of 8.
    shapes : tuple of {'rectangle', 'triangle'}
        All layers alike, or each half as wide as the one before, 8 units at least.
    """

    def __init__(self, depth, width, shapes=("rectangle",)):
        self.depth, self.width, self.shapes = depth, width, shapes

    def rvs(self, size=None, random_state=None):
        """Draw from it, as distributions of scipy do."""
        rng = check_random_state(random_state)
        if size is not None:
            drawn = np.empty(size, object)
            drawn[:] = [self.rvs(random_state=rng) for _ in range(size)]
            return drawn
        depth = rng.randint(self.depth[0], self.depth[1] + 1)
        width = self.width[0] * (self.width[1] / self.width[0]) ** rng.uniform()
        return self.sizes(depth, width, self.shapes[rng.randint(len(self.shapes))])

    @staticmethod
    def sizes(depth, width, shape):
        """The tuple that these three mean."""
        widths = [width / 2**i if shape == "triangle" else width for i in range(depth)]
        return tuple(max(8, 8 * round(w / 8)) for w in widths)

    def suggest(self, trial, name):
        """The same by an Optuna trial."""
        depth = trial.suggest_int(f"{name} depth", *self.depth)
        width = trial.suggest_float(f"{name} width", *self.width, log=True)
        shapes = list(self.shapes)
        shape = trial.suggest_categorical(f"{name} shape", shapes) if shapes[1:] else shapes[0]
        return self.sizes(depth, width, shape)

    def __repr__(self):
        return f"LayerSizes({self.depth}, {self.width}, {self.shapes})"


def suggested(trial, name, choices):
    """One of a list by an Optuna trial, which stores texts and numbers alone."""
    texts = [str(choice) for choice in choices]
    return choices[texts.index(trial.suggest_categorical(name, texts))]
