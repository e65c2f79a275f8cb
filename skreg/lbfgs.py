"""The full-batch solver: SciPy's L-BFGS-B over the core's loss and gradient, in float64."""

import numpy as np
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result


def minimize(network, data, rows, *, l1, tol, max_iter, max_fun, verbose=False):
    """Minimize loss + smooth penalties + l1 * sum |w|, leaving the solution in the network.

    With l1 > 0 the weights are split as w = w+ - w- with w+, w- >= 0 (Schmidt 2010), which makes
    the objective smooth under bounds; where both end at their bound the weight is exactly 0.

    Returns
    -------
    n_iter : int
    loss : float
        The objective at the solution.
    """
    n, parameters = network.n_weights, network.parameters
    gradient = np.empty_like(parameters)
    options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
    callback = _printer() if verbose else None

    def evaluate(theta):
        parameters[:] = theta
        return network.loss_and_gradient(data, rows, gradient), gradient.copy()

    def evaluate_split(split):
        positive, negative = split[:n], split[n : 2 * n]
        loss, g = evaluate(np.concatenate([positive - negative, split[2 * n :]]))
        loss += l1 * (positive.sum() + negative.sum())
        return loss, np.concatenate([g[:n] + l1, l1 - g[:n], g[n:]])

    if l1 == 0:
        # SciPy's default ftol, unless the user asks for more.
        options["ftol"] = min(2.220446049250313e-09, tol)
        result = scipy.optimize.minimize(
            evaluate,
            parameters.copy(),
            method="L-BFGS-B",
            jac=True,
            options=options,
            callback=callback,
        )
        parameters[:] = result.x
    else:
        weights, rest = parameters[:n], parameters[n:]
        start = np.concatenate([np.maximum(weights, 0), np.maximum(-weights, 0), rest])
        bounds = [(0, None)] * (2 * n) + [(None, None)] * len(rest)
        # The default ftol would stop long before the zeros are found.
        options["ftol"] = 0.0
        result = scipy.optimize.minimize(
            evaluate_split,
            start,
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options=options,
            callback=callback,
        )
        positive, negative = result.x[:n], result.x[n : 2 * n]
        # What both halves share cancels in w but not in the penalty.
        common = np.minimum(positive, negative)
        parameters[:n] = (positive - common) - (negative - common)
        parameters[n:] = result.x[2 * n :]
    return _check_optimize_result("lbfgs", result, max_iter), float(result.fun)


def _printer():
    def report(intermediate_result):
        report.n_iter += 1
        print(f"Iteration {report.n_iter}, loss = {intermediate_result.fun:.8f}")

    report.n_iter = 0
    return report
