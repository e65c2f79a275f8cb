"""L1, L2 and elastic net: the ball of equal penalty, what is left of a weight, trained weights."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier, MLPRegressor

RATIO = {"l1": 1.0, "l2": 0.0, "elasticnet": 0.5}


def value(w, ratio):
    return ratio * np.abs(w) + (1 - ratio) / 2 * w**2


def draw(penalty):
    """The two pictures of the formula; returns the axes below them."""
    ratio = RATIO[penalty]
    _, axes = plt.subplot_mosaic("ab;cc", figsize=(5.4, 5), height_ratios=[1.3, 1])
    ball, curve = axes["a"], axes["b"]

    w = np.linspace(-1.6, 2.4, 401)
    a, b = np.meshgrid(w, w)
    loss = 0.5 * ((a - 0.7) ** 2 + (b - 1.7) ** 2 * 1.1 - 0.4 * (a - 0.7) * (b - 1.7))
    cost = value(a, ratio) + value(b, ratio)
    radius = 0.8 if ratio else 0.4
    inside = np.where(cost <= radius, loss, np.inf)
    row, column = np.unravel_index(inside.argmin(), loss.shape)
    ball.contour(a, b, loss, levels=loss[row, column] * np.array([0.15, 0.5, 1, 1.7]), colors="0.6",
                 linewidths=0.9)  # fmt: skip
    ball.contourf(a, b, cost, levels=[0, radius], colors=["C0"], alpha=0.25)
    ball.plot(0.7, 1.7, "x", color="0.4")
    ball.plot(w[column], w[row], "o", color="C1")
    ball.axhline(0, color="0.8", lw=0.8, zorder=0)
    ball.axvline(0, color="0.8", lw=0.8, zorder=0)
    ball.set(title="Loss and penalty", xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    ball.set(xticks=[0], yticks=[0], xlim=(-1.5, 2.2), ylim=(-1.5, 2.4))

    w = np.linspace(-3, 3, 601)
    left = np.sign(w) * np.maximum(np.abs(w) - ratio, 0) / (1 + (1 - ratio))
    curve.plot(w, w, color="0.75", lw=1.2)
    curve.plot(w, left)
    curve.set(title="Effect on a weight", xlabel="without the penalty", ylabel="with it")
    curve.set(xlim=(-3, 3), ylim=(-3, 3))
    return axes["c"]


def histogram(axes, **chosen):
    """Weights of two networks on digits, without a penalty and with the one chosen."""
    X, _, y, _ = digits(500)
    bins = np.linspace(-0.4, 0.4, 41)
    options = {"max_iter": 150, "n_iter_no_change": 150, "random_state": 0}
    for color, parameters in (("0.7", {"penalty": None}), ("C0", chosen)):
        mlp = MLPClassifier((48,), **parameters, **options)
        coefs = mlp.fit(X, y).coefs_[0].ravel()
        label = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        label += f": {np.mean(coefs == 0):.0%} are 0"
        axes.hist(np.clip(coefs, -0.4, 0.4), bins, color=color, alpha=0.65, label=label)
    axes.set(title="Weights of a network on digits", xlabel="weight", ylabel="number of weights")
    axes.set(yscale="log", ylim=(0.7, 1e5))
    axes.legend(loc="upper left")


def l1():
    histogram(draw("l1"), penalty="l1", alpha=3e-3)


def l2():
    histogram(draw("l2"), penalty="l2", alpha=3e-2)


def elastic_net():
    axes, rng = draw("elasticnet"), np.random.default_rng(0)
    cause = rng.normal(size=(200, 1))
    X = np.hstack([cause + 0.05 * rng.normal(size=(200, 4)), rng.normal(size=(200, 4))])
    y = cause.ravel() + 0.5 * rng.normal(size=200)
    for shift, l1_ratio, color in ((-0.2, 1.0, "0.6"), (0.2, 0.5, "C0")):
        mlp = MLPRegressor(hidden_layer_sizes=(), penalty="elasticnet", alpha=0.1 / l1_ratio,
                           l1_ratio=l1_ratio, solver="lbfgs", random_state=0)  # fmt: skip
        weights = mlp.fit(X, y).coefs_[0].ravel()
        axes.bar(np.arange(8) + shift, weights, 0.4, color=color, label=f"l1_ratio={l1_ratio}")
    axes.axvline(3.5, color="0.8", lw=0.8)
    axes.set(title="Weights of four correlated features and four others", ylabel="weight")
    axes.set(xticks=range(8), xlabel="feature")
    axes.legend()
