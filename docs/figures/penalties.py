"""L1, L2 and elastic net: the ball of equal penalty, what is left of a weight, trained weights."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

RATIO = {"l1": 1.0, "l2": 0.0, "elasticnet": 0.5}


def value(w, ratio):
    return ratio * np.abs(w) + (1 - ratio) / 2 * w**2


def draw(penalty, alpha):
    ratio = RATIO[penalty]
    _, (ball, curve, weights) = plt.subplots(1, 3, figsize=(7.2, 2.6))

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
    ball.set(title="Least loss in the ball", xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    ball.set(xticks=[0], yticks=[0], xlim=(-1.5, 2.2), ylim=(-1.5, 2.4))

    w = np.linspace(-3, 3, 601)
    left = np.sign(w) * np.maximum(np.abs(w) - ratio, 0) / (1 + (1 - ratio))
    curve.plot(w, w, color="0.75", lw=1.2)
    curve.plot(w, left)
    curve.set(title="What is left of a weight", xlabel="without the penalty", ylabel="with it")
    curve.set(xlim=(-3, 3), ylim=(-3, 3))

    X, _, y, _ = digits(500)
    bins = np.linspace(-0.4, 0.4, 41)
    options = {"max_iter": 150, "n_iter_no_change": 150, "random_state": 0}
    chosen = {"penalty": penalty, "alpha": alpha}
    if penalty == "elasticnet":
        chosen["l1_ratio"] = ratio
    for params, color, name in (({"penalty": None}, "0.7", "none"), (chosen, "C0", "with")):
        mlp = MLPClassifier((48,), **params, **options)
        coefs = mlp.fit(X, y).coefs_[0].ravel()
        label = f"{name}, {np.mean(coefs == 0):.0%} are 0" if "alpha" in params else name
        weights.hist(np.clip(coefs, -0.4, 0.4), bins, color=color, alpha=0.65, label=label)
    weights.set(title="Weights of a network", xlabel="weight", ylabel="number", yscale="log")
    weights.set_ylim(top=3e5)
    weights.legend(loc="upper left")


def l1():
    draw("l1", 3e-3)


def l2():
    draw("l2", 3e-2)


def elastic_net():
    draw("elasticnet", 5e-3)
