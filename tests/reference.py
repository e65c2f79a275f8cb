"""A NumPy twin of the compiled core: slow, obvious, and written from the formulas alone.

A network is a `Twin`. `Twin.step(X, Y, s, optimizer)` makes one training step in the order

    forward -> loss -> backward -> smooth penalty -> optimizer -> proximal step

and `Twin.fold()` returns the weights and biases that predict. Shapes: X (n, d), Y (n, K),
s (n,) the weights of the rows. Every block of a hidden layer is dense, batch norm, activation,
dropout; the output layer is dense, then the link of the loss.
"""

import itertools

import numpy as np
from scipy.special import expit, log_softmax, softmax, xlogy


# ---------------------------------------------------------------------- initial parameters
def initial_parameters(sizes, activation="relu", random_state=0, batch_norm=False):
    """Draw weights and biases as scikit-learn does: layer by layer, weights first, then biases.

    The bias of a dense layer before a batch norm is drawn, so that the stream stays the same,
    and thrown away.
    """
    rng = np.random.RandomState(random_state) if np.isscalar(random_state) else random_state
    coefs, intercepts = [], []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / (fan_in + fan_out))
        coefs.append(rng.uniform(-bound, bound, (fan_in, fan_out)))
        bias = rng.uniform(-bound, bound, fan_out)
        hidden = i < len(sizes) - 2
        intercepts.append(np.zeros(fan_out) if batch_norm and hidden else bias)
    return coefs, intercepts


# ---------------------------------------------------------------------- activations and links
ACTIVATIONS = {
    "identity": (lambda z: z, lambda h: np.ones_like(h)),
    "logistic": (expit, lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(h.dtype)),
}

LINKS = {
    "squared_error": lambda z: z,
    "poisson": np.exp,
    "binary_log_loss": expit,
    "log_loss": lambda z: softmax(z, axis=1),
}


def row_losses(loss, Y, z):
    """Return the loss of every row, summed over the outputs, from the raw outputs z."""
    if loss == "squared_error":
        return 0.5 * ((Y - z) ** 2).sum(axis=1)
    if loss == "poisson":  # half the deviance
        return (xlogy(Y, Y) - Y * z - Y + np.exp(z)).sum(axis=1)
    if loss == "binary_log_loss":
        return (np.logaddexp(0, z) - Y * z).sum(axis=1)
    return -(Y * log_softmax(z, axis=1)).sum(axis=1)


def weighted_mean(values, s):
    """Mean over the rows, weighted by s."""
    return (s.reshape((-1,) + (1,) * (values.ndim - 1)) * values).sum(axis=0) / s.sum()


# ---------------------------------------------------------------------- batch norm
def batch_moments(z, s):
    """Return the weighted mean and the weighted biased variance of every column."""
    mean = weighted_mean(z, s)
    return mean, weighted_mean((z - mean) ** 2, s)


def unbiased(var, s):
    """Correct a biased variance; n is the sum of the weights, or the effective number of rows.

    The sum counts repetitions. For weights on another scale (a sum of 1, say) it means nothing,
    and the effective number of rows, which is larger there, takes its place.
    """
    n = max(s.sum(), s.sum() ** 2 / (s**2).sum())
    return var * n / (n - 1)


def batch_norm_backward(dy, x_hat, inverse_std, gamma, s):
    """Return the gradients of input, gamma and beta; dy already carries the factor s_i / sum(s).

    The moments weight row i by p_i = s_i / sum(s), so the mean's share of the gradient goes back
    to row i with p_i, not with 1 / n.
    """
    p = (s / s.sum())[:, None]
    d_hat = dy * gamma
    dz = inverse_std * (d_hat - p * d_hat.sum(axis=0) - p * x_hat * (d_hat * x_hat).sum(axis=0))
    return dz, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


# ---------------------------------------------------------------------- optimizers
class SGD:
    """Gradient descent with momentum, as scikit-learn writes it."""

    def __init__(self, rate=0.1, momentum=0.0, nesterov=False):
        self.rate, self.momentum, self.nesterov = rate, momentum, nesterov
        self.velocity = None

    def update(self, gradients):
        """Return what to add to every parameter."""
        mu = self.momentum
        old = self.velocity or [np.zeros_like(g) for g in gradients]
        self.velocity = [mu * v - self.rate * g for v, g in zip(old, gradients, strict=True)]
        if not self.nesterov:
            return self.velocity
        return [mu * v - self.rate * g for v, g in zip(self.velocity, gradients, strict=True)]

    def prox_rates(self):
        """Rate of the proximal step, per parameter.

        At a minimiser with a non-smooth penalty the velocity does not vanish: it is the constant
        -rate * gradient / (1 - momentum), and the threshold must undo exactly that.
        """
        return [self.rate / (1 - self.momentum) * np.ones_like(v) for v in self.velocity]


class Adam:
    """Adam in the form of Kingma and Ba's section 2, as scikit-learn writes it."""

    def __init__(self, rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.rate, self.beta_1, self.beta_2, self.epsilon = rate, beta_1, beta_2, epsilon
        self.t, self.m, self.v = 0, None, None

    def update(self, gradients):
        """Return what to add to every parameter."""
        self.t += 1
        m = self.m or [np.zeros_like(g) for g in gradients]
        v = self.v or [np.zeros_like(g) for g in gradients]
        pairs = list(zip(m, v, gradients, strict=True))
        self.m = [self.beta_1 * a + (1 - self.beta_1) * g for a, _, g in pairs]
        self.v = [self.beta_2 * b + (1 - self.beta_2) * g**2 for _, b, g in pairs]
        factor = 1 / (1 - self.beta_1**self.t)
        return [-factor * r * a for r, a in zip(self.prox_rates(), self.m, strict=True)]

    def prox_rates(self):
        """Rate of the proximal step: Adam's own, without the factor that corrects m."""
        rate = self.rate * np.sqrt(1 - self.beta_2**self.t)
        return [rate / (np.sqrt(v) + self.epsilon) for v in self.v]


def soft_threshold(w, threshold):
    """Proximal operator of `threshold * |w|`."""
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


# ---------------------------------------------------------------------- the network
class Twin:
    """A network with its loss and penalty, trained one batch at a time."""

    def __init__(self, sizes, loss, activation="relu", random_state=0, *, lambda_1=0.0,
                 lambda_2=0.0, batch_norm=False, momentum=0.1, epsilon=1e-5):  # fmt: skip
        self.coefs, self.intercepts = initial_parameters(
            sizes, activation, random_state, batch_norm
        )
        self.loss, self.activation, self.batch_norm = loss, activation, batch_norm
        self.lambda_1, self.lambda_2 = lambda_1, lambda_2
        self.momentum, self.epsilon = momentum, epsilon
        self.gamma = [np.ones(h) for h in sizes[1:-1]]
        self.beta = [np.zeros(h) for h in sizes[1:-1]]
        self.running_mean = [np.zeros(h) for h in sizes[1:-1]]
        self.running_var = [np.ones(h) for h in sizes[1:-1]]

    def forward(self, X, s, masks=None):
        """Return the raw outputs and, for every hidden layer, what backward needs."""
        activate, h, caches = ACTIVATIONS[self.activation][0], X, []
        for k in range(len(self.coefs) - 1):
            z, cache = h @ self.coefs[k] + self.intercepts[k], {"input": h}
            if self.batch_norm:
                z = self._normalize(z, s, k, cache)
            h = activate(z)
            cache["output"] = h
            if masks is not None:  # a mask holds 0 or 1 / (1 - dropout)
                h = h * masks[k]
            caches.append(cache)
        return h @ self.coefs[-1] + self.intercepts[-1], [*caches, {"input": h}]

    def _normalize(self, z, s, k, cache):
        use_running = (s > 0).sum() < 2
        if use_running:
            mean, var = self.running_mean[k], self.running_var[k]
        else:
            mean, var = batch_moments(z, s)
            new, old = self.momentum, 1 - self.momentum
            self.running_mean[k] = old * self.running_mean[k] + new * mean
            self.running_var[k] = old * self.running_var[k] + new * unbiased(var, s)
        inverse_std = 1 / np.sqrt(var + self.epsilon)
        cache.update(x_hat=(z - mean) * inverse_std, inverse_std=inverse_std, running=use_running)
        return self.gamma[k] * cache["x_hat"] + self.beta[k]

    def objective(self, Y, z, s):
        """Weighted mean loss plus penalty; the penalty sees weights only."""
        penalty = sum(
            self.lambda_1 * np.abs(w).sum() + self.lambda_2 / 2 * (w**2).sum() for w in self.coefs
        )
        return weighted_mean(row_losses(self.loss, Y, z), s) + penalty

    def gradients(self, X, Y, s=None, masks=None):
        """Return the objective and the gradients, in the order of `parameters()`."""
        s = np.ones(len(X)) if s is None else s
        z, caches = self.forward(X, s, masks)
        value = self.objective(Y, z, s)
        d = (LINKS[self.loss](z) - Y) * (s / s.sum())[:, None]
        slope = ACTIVATIONS[self.activation][1]
        dW, db, dgamma, dbeta = [], [], [], []
        for k in reversed(range(len(self.coefs))):
            dW.insert(0, caches[k]["input"].T @ d + self.lambda_2 * self.coefs[k])
            db.insert(0, d.sum(axis=0))
            if k > 0:
                d = d @ self.coefs[k].T
                d = d if masks is None else d * masks[k - 1]
                d = d * slope(caches[k - 1]["output"])
                if self.batch_norm:
                    d, dg, dbe = self._normalize_backward(d, s, k - 1, caches[k - 1])
                    dgamma.insert(0, dg)
                    dbeta.insert(0, dbe)
        if self.batch_norm:  # a dense layer before a batch norm has no bias
            db = db[-1:]
        return value, dW + db + dgamma + dbeta

    def _normalize_backward(self, d, s, k, cache):
        if cache["running"]:
            scale = self.gamma[k] * cache["inverse_std"]
            return d * scale, (d * cache["x_hat"]).sum(axis=0), d.sum(axis=0)
        return batch_norm_backward(d, cache["x_hat"], cache["inverse_std"], self.gamma[k], s)

    def parameters(self):
        """Return the trained arrays, weights first."""
        if self.batch_norm:
            return self.coefs + self.intercepts[-1:] + self.gamma + self.beta
        return self.coefs + self.intercepts

    def step(self, X, Y, s, optimizer):
        """One training step; returns the objective before it. No weight, no step."""
        s = np.ones(len(X)) if s is None else s
        if s.sum() == 0:
            return 0.0
        value, gradients = self.gradients(X, Y, s)
        for parameter, change in zip(self.parameters(), optimizer.update(gradients), strict=True):
            parameter += change
        for w, rate in zip(self.coefs, optimizer.prox_rates(), strict=False):
            w[...] = soft_threshold(w, rate * self.lambda_1)
        return value

    def recalibrate(self, X, s=None):
        """Set every running statistic to that of the whole data, layer by layer."""
        s = np.ones(len(X)) if s is None else s
        activate, h = ACTIVATIONS[self.activation][0], X
        for k in range(len(self.coefs) - 1):
            z = h @ self.coefs[k]
            mean, var = batch_moments(z, s)
            self.running_mean[k], self.running_var[k] = mean, unbiased(var, s)
            std = np.sqrt(self.running_var[k] + self.epsilon)
            h = activate(self.gamma[k] * (z - mean) / std + self.beta[k])

    def fold(self):
        """Return the plain weights and biases that predict, batch norm folded into them."""
        coefs, intercepts = [w.copy() for w in self.coefs], [b.copy() for b in self.intercepts]
        for k in range(len(self.gamma) if self.batch_norm else 0):
            scale = self.gamma[k] / np.sqrt(self.running_var[k] + self.epsilon)
            coefs[k] *= scale
            intercepts[k] = self.beta[k] - self.running_mean[k] * scale
        return coefs, intercepts


def plain_forward(coefs, intercepts, activation, X, return_hidden=False):
    """Raw outputs of a plain network; with `return_hidden`, every pre-activation."""
    h, pre_activations = X, []
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        pre_activations.append(h @ W + b)
        h = ACTIVATIONS[activation][0](pre_activations[-1]) if k < len(coefs) - 1 else h
    return pre_activations if return_hidden else pre_activations[-1]


def twin_of(estimator, X, Y, loss):
    """Return the twin and the optimizer of an estimator that is not fitted yet."""
    p = estimator.get_params()
    l1_ratio = {None: 0.0, "l2": 0.0, "l1": 1.0}.get(p["penalty"], p["l1_ratio"])
    alpha = 0.0 if p["penalty"] is None else p["alpha"]
    twin = Twin(
        [X.shape[1], *p["hidden_layer_sizes"], Y.shape[1]], loss, p["activation"],
        p["random_state"], lambda_1=alpha * l1_ratio, lambda_2=alpha * (1 - l1_ratio),
        batch_norm=p["batch_norm"], momentum=p["batch_norm_momentum"],
        epsilon=p["batch_norm_epsilon"],
    )  # fmt: skip
    if p["solver"] == "adam":
        return twin, Adam(p["learning_rate_init"], p["beta_1"], p["beta_2"], p["epsilon"])
    nesterov = p["nesterovs_momentum"] and p["momentum"] > 0
    return twin, SGD(p["learning_rate_init"], p["momentum"], nesterov)
