"""FullBatch: the solver without epochs. SciPy's L-BFGS-B over the core's loss and gradient."""

import time

import numpy as np
import scipy.optimize
from sklearn.utils.optimize import _check_optimize_result

from skreg.training.advice import advise
from skreg.training.earlier import remember
from skreg.training.history import NOT_VALIDATED
from skreg.training.stopping import check_finite


class FullBatch:
    """Minimizes the objective over all rows at once, in float64; made as a Trainer is.

    Parameters
    ----------
    plan : Plan
    network : Network
        With its weights.
    rows : TrainingRows
    t : int
        Rows seen by an earlier fit.
    """

    def __init__(self, plan, network, rows, t):
        self.plan, self.network, self.t = plan, network, t
        self.rows = plan.divided(rows, None)
        self.ended = None  # or why, as SciPy says it
        self.warnings = []  # as Trainer.warn keeps them
        network.attach()

    @classmethod
    def fresh(cls, plan, rows, random_state, listeners=()):
        """From initial weights."""
        network = plan.network(rows, seed=0)
        plan.initialize(network, random_state)
        return cls(plan, network, rows, 0)

    @classmethod
    def warm(cls, plan, rows, random_state, before, listeners=()):
        """From the weights of an earlier fit."""
        network = plan.network(rows, seed=0)
        before.load(network, plan, rows.targets)
        return cls(plan, network, rows, before.history.t)

    def run(self, max_iter):
        """At most so many iterations."""
        p = self.plan.estimator
        data = self.rows.view(self.rows.X.astype(np.float64, copy=False))
        self.rows.check(data)
        self.iterations = Iterations(self.network, p.verbose, self.rows.targets.unit)
        self.n_iter, self.loss = minimize(
            self.network,
            data,
            self.rows.train,
            l1=self.plan.l1,
            tol=p.tol,
            max_iter=max_iter,
            max_fun=p.max_fun,
            iterations=self.iterations,
        )
        self.ended = self.iterations.ended
        check_finite(self.network, self.loss)
        losses = self.iterations.curves["training_loss"]
        if losses:
            advise(self, losses[-1] / self.rows.targets.unit, "training", p)

    def warn(self, message, category):
        """Keep a warning for the one who called."""
        self.warnings.append((message, category))

    def fitted(self):
        """The parameters and statistics to keep."""
        return self.network.snapshot()

    def report(self):
        """Attributes of the fitted estimator."""
        own = {"n_iter_": self.n_iter, "loss_": self.loss * self.rows.targets.unit, "t_": self.t}
        own["history_"] = self.iterations.curves
        return {**own, "best_loss_": None, "_no_improvement_count": 0, **NOT_VALIDATED}

    def remember(self, snapshot, norm):
        """What a fit that continues this one must know: the weights alone; see `EarlierFit`."""
        return remember({}, self.network, snapshot, norm, self.rows.targets.units)


def minimize(network, data, rows, *, l1, tol, max_iter, max_fun, iterations):
    """Minimize loss + smooth penalties + l1 * sum |w|, leaving the solution in the network.

    With l1 > 0 the weights are split as w = w+ - w- with w+, w- >= 0 (Schmidt 2010), which makes
    the objective smooth under bounds; where both end at their bound the weight is exactly 0.

    Returns
    -------
    n_iter : int
    loss : float
        The objective at the solution.
    """
    problem = (_Split if l1 > 0 else _Plain)(network, data, rows, l1)
    options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol, "ftol": problem.ftol(tol)}
    result = scipy.optimize.minimize(
        problem.loss_and_gradient,
        problem.start(),
        method="L-BFGS-B",
        jac=True,
        bounds=problem.bounds(),
        options=options,
        callback=iterations.follow(problem),
    )
    network.parameters[:] = problem.solution(result.x)
    iterations.ended = result.message
    return _check_optimize_result("lbfgs", result, max_iter), float(result.fun)


class _Plain:
    """A smooth objective, as it is."""

    def __init__(self, network, data, rows, l1):
        self.network, self.data, self.rows, self.l1 = network, data, rows, l1
        self.n = network.n_weights

    def start(self):
        return self.network.parameters.copy()

    def bounds(self):
        return None

    def ftol(self, tol):
        """SciPy's default, as in scikit-learn, unless the user asks for more."""
        return min(2.220446049250313e-09, tol)

    def loss_and_gradient(self, theta):
        self.network.parameters[:] = theta
        gradient = np.empty_like(self.network.parameters)
        return self.network.loss_and_gradient(self.data, self.rows, gradient), gradient

    def solution(self, theta):
        return theta


class _Split(_Plain):
    """An objective with l1 * sum |w|, smooth in (w+, w-, all else)."""

    def start(self):
        w, rest = np.split(self.network.parameters, [self.n])
        return np.concatenate([np.maximum(w, 0), np.maximum(-w, 0), rest])

    def bounds(self):
        n_free = self.network.parameters.size - self.n
        return [(0, None)] * (2 * self.n) + [(None, None)] * n_free

    def ftol(self, tol):
        """The default would stop long before the zeros are found."""
        return 0.0

    def loss_and_gradient(self, split):
        positive, negative, rest = np.split(split, [self.n, 2 * self.n])
        loss, g = super().loss_and_gradient(np.concatenate([positive - negative, rest]))
        loss += self.l1 * (positive.sum() + negative.sum())
        return loss, np.concatenate([g[: self.n] + self.l1, self.l1 - g[: self.n], g[self.n :]])

    def solution(self, split):
        positive, negative, rest = np.split(split, [self.n, 2 * self.n])
        # What both halves share cancels in w but not in the penalty.
        common = np.minimum(positive, negative)
        return np.concatenate([(positive - common) - (negative - common), rest])


class Iterations:
    """Curves over the iterations, and a line for each that begins as scikit-learn's.

    Parameters
    ----------
    network : Network
    verbose : bool
    unit : float
        Of the losses that are kept and printed.
    """

    def __init__(self, network, verbose, unit):
        self.network, self.verbose, self.unit = network, verbose, unit
        self.ended = None
        self.curves = {"objective": [], "training_loss": [], "seconds": []}

    def follow(self, problem):
        """The callback of SciPy."""
        begin = time.perf_counter()

        def callback(intermediate_result):
            nonlocal begin
            self.network.parameters[:] = theta = problem.solution(intermediate_result.x)
            loss, now = float(intermediate_result.fun), time.perf_counter()
            data_loss = loss - self.network.penalty - problem.l1 * np.abs(theta[: problem.n]).sum()
            numbers = loss * self.unit, float(data_loss) * self.unit, now - begin
            for curve, number in zip(self.curves.values(), numbers, strict=True):
                curve.append(number)
            if self.verbose:
                n, seconds = len(self.curves["objective"]), now - begin
                print(f"Iteration {n}, loss = {numbers[0]:.8f}, {seconds:.3g} s", flush=True)
            begin = now

        return callback
