"""Advice at the end of a fit: numbers that show that nothing was learned, and what to do."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

N_ROWS = 1_000_000  # are enough to compare with a constant, whatever its tails
MAX_ITER = (
    "Stochastic Optimizer: Maximum iterations ({}) reached and the optimization hasn't converged "
    "yet."
)
ABOVE_CONSTANT = (
    "The loss of the {} rows without penalties, {:.3g}, is far above that of a constant "
    "prediction, {:.3g}."
)
SPREAD = (
    "y has a standard deviation of {}. The squared loss and its gradients are then far from 1, for "
    "which the defaults of alpha, tol and learning rates are meant: training may be slow, or end "
    "at once. Set standardize_y=True, or scale y."
)


UNSCALED = (
    "{} of {} columns of X have means or standard deviations above 100, and little was learned. "
    "Put a StandardScaler before the network."
)


def advise(trainer, loss, part, estimator, *, max_iter=None):
    """Warn of the end at `max_iter`, of a loss that a constant beats, and of X and y far from 1.

    Parameters
    ----------
    trainer : Trainer or FullBatch
    loss : float
        Without penalties, of the weights to keep.
    part : str
        The rows whose loss it is.
    estimator : BaseMLP
    max_iter : int, optional
        Where training has come to that, and not to an end of its own.
    """
    pieces = [] if max_iter is None else [MAX_ITER.format(max_iter)]
    targets, (y, weight) = trainer.rows.targets, trainer.rows.some_targets(N_ROWS)
    with np.errstate(over="ignore", invalid="ignore"):
        constant = targets.loss.of_constant(targets.standardized(y), weight)
        spread = _spread(targets.spread(y), loss, constant)
    if loss > 2 * constant > 0 and targets.vary(y):
        told = loss * targets.unit, constant * targets.unit
        steps = spread or f"{_what_to_do(estimator, targets)}."
        pieces.append(f"{ABOVE_CONSTANT.format(part, *told)} {steps}")
    elif spread and targets.vary(y):
        trainer.warn(spread, UserWarning)
    if loss > 0.8 * constant > 0 and (large := trainer.rows.n_large_columns()):
        pieces.append(UNSCALED.format(large, trainer.rows.X.shape[1]))
    if pieces:
        trainer.warn(" ".join(pieces), ConvergenceWarning)


def _spread(deviations, loss, constant):
    """What to say of the deviations of y: far from 1, or where nothing was learned not near it."""
    if deviations is None or loss < 0.1 * constant:
        return None
    lowest, largest = (0.1, 10) if loss > 0.5 * constant else (0.01, 100)
    far = ((deviations > largest) | (deviations < lowest)) & (deviations > 0)
    if not far.any():
        return None
    return SPREAD.format(", ".join(f"{d:.1g}" for d in deviations[far][:5]))


def _what_to_do(estimator, targets):
    """What the fit has not done yet."""
    steps = ["Scale X"]
    if targets.numeric and targets.units is None and targets.loss.power is not None:
        steps.append("let standardize_y=True scale y")
    steps += ["lower learning_rate_init"] if estimator.solver != "lbfgs" else []
    return ", ".join([*steps, "or train longer"])
