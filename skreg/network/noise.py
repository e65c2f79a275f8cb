"""The noise in y, estimated from residuals and the spread of passes with dropout."""

import numpy as np
from scipy.optimize import minimize_scalar

# For the noise in y: enough for a share of a percent, and cheap beside the fit.
NOISE_ROWS, NOISE_DRAWS = 10_000, 20


def noise_deviation(residuals, deviations, weights=None):
    """The standard deviation t that makes residuals from N(0, deviation_i**2 + t**2) most likely.

    Parameters
    ----------
    residuals, deviations : ndarray of shape (n,)
        What is left of y, and the standard deviation of the prediction.
    weights : ndarray of shape (n,), optional
    """
    unit = float(np.abs(residuals).max())
    if unit == 0 or not np.isfinite(unit):
        return unit
    squares = (residuals.astype(np.float64) / unit) ** 2
    variances = (deviations.astype(np.float64) / unit) ** 2

    def cost(log_noise):
        variance = variances + np.exp(log_noise)
        return np.average(np.log(variance) + squares / variance, weights=weights)

    # Never more than the residuals; a millionth of them stands for none.
    log_total = np.log(np.average(squares, weights=weights))
    bounds = log_total - np.log(1e6), log_total
    return unit * float(np.exp(minimize_scalar(cost, bounds=bounds, method="bounded").x / 2))
