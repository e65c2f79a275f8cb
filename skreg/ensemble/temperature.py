"""Temperature: one number by which probabilities are as certain as they are right (Guo 2017)."""

import numpy as np
import scipy.optimize
from scipy.special import log_softmax

LOWEST, HIGHEST = 0.05, 20.0


def fit_temperature(logits, y, weight, link):
    """The T > 0 for which the log loss of ``link(logits / T)`` is lowest.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_outputs)
        Of rows that the networks have not seen.
    y : ndarray of shape (n_rows,) of classes, or (n_rows, n_outputs) of 0 and 1
    weight : ndarray of shape (n_rows,) or None
    link : {'softmax', 'logistic'}
    """
    logits = np.asarray(logits, np.float64)

    def loss(log_temperature):
        z = logits / np.exp(log_temperature)
        if link == "softmax":
            losses = -log_softmax(z, axis=1)[np.arange(len(z)), y]
        else:
            target = y if y.ndim == 2 else (y == 1)[:, None]
            losses = (np.logaddexp(0, z) - target * z).sum(axis=1)
        return np.average(losses, weights=weight)

    bounds = np.log(LOWEST), np.log(HIGHEST)
    return float(np.exp(scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded").x))
