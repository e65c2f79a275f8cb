"""Advice at the end of a fit: numbers that show that nothing was learned, and what to do."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

N_ROWS = 10_000  # are enough to compare with a constant
MAX_ITER = (
    "Stochastic Optimizer: Maximum iterations ({}) reached and the optimization hasn't converged "
    "yet."
)
ABOVE_CONSTANT = (
    "The loss of the training rows without penalties, {:.3g}, is far above that of a constant "
    "prediction, {:.3g}."
)


def advise(trainer, loss, *, max_iter=None):
    """Warn of the end at `max_iter`, and of a loss that a constant beats, in one sentence each.

    Parameters
    ----------
    trainer : Trainer or FullBatch
    loss : float
        Without penalties, of the rows in training.
    max_iter : int, optional
        Where training has come to that, and not to an end of its own.
    """
    told = [] if max_iter is None else [MAX_ITER.format(max_iter)]
    targets, (y, weight) = trainer.rows.targets, trainer.rows.some_targets(N_ROWS)
    with np.errstate(over="ignore", invalid="ignore"):
        constant = targets.loss.of_constant(targets.standardized(y), weight)
    if loss > 2 * constant > 0:
        told += [
            ABOVE_CONSTANT.format(loss * targets.unit, constant * targets.unit),
            targets.advice,
        ]
    if told:
        trainer.warn(" ".join(told), ConvergenceWarning)
    spread = targets.warning_of_spread(y)
    if spread:
        trainer.warn(spread, UserWarning)
