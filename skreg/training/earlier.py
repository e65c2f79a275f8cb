"""EarlierFit: the fit that is continued, by partial_fit or a warm start."""

import numpy as np

from skreg.training.history import History


class EarlierFit:
    """Its weights, its memory and its curves.

    Parameters
    ----------
    attributes : dict
        Those of the fitted estimator. Without normalization `coefs_` and `intercepts_`, which the
        user may change, are the trained parameters.
    """

    def __init__(self, attributes):
        self.coefs, self.intercepts = attributes["coefs_"], attributes["intercepts_"]
        self.memory = attributes.get("_state", {})  # what `remember` returned
        self.history = History.of(attributes)

    @np.errstate(over="ignore")  # from float64 to float32; the first epoch looks at the weights
    def load(self, network, plan, targets):
        """Give its weights to a network of the same architecture."""
        sizes, wanted = [c.shape[1] for c in self.coefs[:-1]], plan.architecture.sizes
        if sizes != wanted:
            raise ValueError(
                f"hidden_layer_sizes is {tuple(wanted)}, but the fitted network has "
                f"{tuple(sizes)}. To train another network call fit with warm_start=False, or use "
                "a new estimator."
            )
        if plan.norm != self.memory.get("norm"):
            raise ValueError(
                "batch_norm and layer_norm cannot change between fits that continue each other. "
                "Use warm_start=False or a new estimator."
            )
        if "parameters" not in self.memory:
            network.load(self.coefs, self.intercepts)
            return
        snapshot = self.memory["parameters"], self.memory["statistics"]
        network.restore(snapshot)
        folded = network.fold(snapshot, self.memory["epsilon"])
        self._check_unchanged(targets.restored(*folded), plan.norm)

    def _check_unchanged(self, folded, norm):
        folded = [a for arrays in folded for a in arrays]
        given = [*self.coefs, *self.intercepts]
        cast = [f.astype(np.result_type(g)) for f, g in zip(folded, given, strict=True)]
        if not all(np.array_equal(f, g) for f, g in zip(cast, given, strict=True)):
            raise ValueError(
                f"coefs_ or intercepts_ were changed, but with {norm or 'standardize_y'}=True "
                "training continues from the network that is folded into them. Fit a new estimator."
            )


def remember(memory, network, snapshot, norm, units):
    """What a fit that continues this one must know, of arrays, numbers, strings and dicts.

    The parameters too, where a normalization or the units of y are folded into the weights.
    """
    if units is not None:
        memory = {**memory, "units": units}
    if norm is None and units is None:
        return memory
    parameters, statistics = snapshot
    weights = {"parameters": parameters, "statistics": statistics, "epsilon": network.epsilon}
    return {**memory, "norm": norm, **weights}
