"""The noise in y, estimated from residuals and the spread of passes with dropout."""

import numpy as np
from scipy.optimize import minimize_scalar

# For the noise in y: enough for a share of a percent, and cheap beside the fit.
NOISE_ROWS, NOISE_DRAWS = 10_000, 20


def noise_deviation(residuals, variances, weights=None):
    """The standard deviation t that makes residuals from N(0, variance_i + t**2) most likely.

    Parameters
    ----------
    residuals, variances : ndarray of shape (n,)
        What is left of y, and the variance of the prediction.
    weights : ndarray of shape (n,), optional
    """
    residuals, variances = residuals.astype(np.float64), variances.astype(np.float64)
    total = np.average(residuals**2, weights=weights)
    if total == 0:
        return 0.0

    def cost(log_noise):
        variance = variances + np.exp(log_noise)
        return np.average(np.log(variance) + residuals**2 / variance, weights=weights)

    # Never more than the residuals; a millionth of them stands for none.
    bounds = np.log(total) - np.log(1e6), np.log(total)
    return float(np.exp(minimize_scalar(cost, bounds=bounds, method="bounded").x / 2))
