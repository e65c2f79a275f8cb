"""Memory: what the optimizer and the random numbers keep from one fit to the next."""

import numpy as np

from skreg.network.core import count_moments


class Memory:
    """Arrays that the core updates in place, and numbers beside them.

    Parameters
    ----------
    network : Network
    optimizer : Spec
    before : dict
        The memory of an earlier fit: its steps are counted on, so that no mask comes twice.
    """

    def __init__(self, network, optimizer, before):
        self.seed = network.seed
        self.optimizer = optimizer
        self.counters = before.get("counters", np.zeros(2, dtype=np.int64)).copy()
        self.counters[1] = 0
        size, dtype = network.parameters.size, network.parameters.dtype
        self.moments = [np.zeros(size, dtype=dtype) for _ in range(count_moments(optimizer[0]))]
        self.reach = np.zeros(1)
        self.schedule, self.columns = {}, {}

    def go_on(self, before):
        """Continue the moments too, as partial_fit does."""
        self.columns = before.get("columns", {})
        if before.get("optimizer") != self.optimizer[0]:
            return
        with np.errstate(over="ignore"):  # from float64 to float32; the first epoch looks at it
            self.moments = [m.astype(self.moments[0].dtype) for m in before["moments"]]
        self.counters[1] = before["counters"][1]
        self.reach = before["reach"].copy()
        self.schedule = before["schedule"]

    def attach(self, network):
        """Connect the arrays with the network."""
        network.attach(self.optimizer, self.moments, self.counters, self.reach)

    def learn_columns(self, network, rows):
        """Hand over the units of noise: deviations of the columns, over all partial fits."""
        with np.errstate(over="ignore", invalid="ignore"):
            features, targets = rows.columns(self.columns)
            for moments, name in ((features, "X"), (targets, "y")):
                if not np.isfinite(moments.mean + moments.deviation).all():
                    raise ValueError(
                        f"The numbers in {name} are too large for the mean and the standard "
                        f"deviation of its columns, which changes of the rows need. Scale {name}."
                    )
        self.columns = {"features": features.state(), "targets": targets.state()}
        # A target that several outputs share counts once in distances.
        deviation = np.zeros(rows.targets.loss.n_outputs)
        deviation[: np.size(targets.deviation)] = targets.deviation
        network.set_columns(features.mean, features.deviation, deviation)

    def restore(self, state):
        """Take the numbers of another one into the arrays that are attached."""
        for mine, its in zip(self.moments, state["moments"], strict=True):
            mine[:] = its
        self.counters[:], self.reach[:] = state["counters"], state["reach"]
        self.schedule, self.columns = state["schedule"], state.get("columns", {})

    def state(self):
        """Of arrays, numbers, strings and dicts."""
        state = {
            "seed": self.seed,
            "optimizer": self.optimizer[0],
            "moments": self.moments,
            "counters": self.counters,
            "reach": self.reach,
            "schedule": self.schedule,
        }
        return {**state, "columns": self.columns} if self.columns else state
