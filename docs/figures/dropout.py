"""A network with and without dropped units, and losses of the page's training of both."""

from itertools import pairwise

import _common  # noqa: F401  (trainings of a given length do not warn)
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

LAYERS = [np.linspace(-n, n, n + 1) for n in (3, 4, 4, 1)]


def network(axes, off):
    for x, (left, right) in enumerate(pairwise(LAYERS)):
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                if (x, i) not in off and (x + 1, j) not in off:
                    axes.plot([x, x + 1], [a, b], color="C0", lw=0.7, alpha=0.5, zorder=1)
    for x, layer in enumerate(LAYERS):
        for i, y in enumerate(layer):
            gone = (x, i) in off
            axes.scatter(x, y, s=55, color="white" if gone else "C0", zorder=2,
                         edgecolor="0.6" if gone else "C0", ls=":" if gone else "-")  # fmt: skip
    axes.axis("off")


_, axes = plt.subplot_mosaic("ab;cc", figsize=(5.4, 4.8), height_ratios=[1, 1.35])
network(axes["a"], set())
axes["a"].set_title("Prediction: all units")
network(axes["b"], {(1, 1), (1, 3), (2, 0), (2, 3)})
axes["b"].set_title("One training step")

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=500, random_state=0)
np.random.default_rng(0).shuffle(y_train[:150])
for dropout, color in ((0.0, "0.55"), (0.5, "C0")):
    mlp = MLPClassifier((256,), dropout=dropout, learning_rate_init=0.003, early_stopping=True,
                        restore_best=False, max_iter=200, n_iter_no_change=200,
                        random_state=0)  # fmt: skip
    mlp.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    losses = mlp.validation_loss_curve_
    axes["c"].plot(range(1, 201), losses, color=color, label=f"dropout={dropout}")
    axes["c"].annotate(f"{losses[-1]:.2f}", (200, losses[-1]), (4, 0), va="center", color=color,
                       textcoords="offset points")  # fmt: skip
axes["c"].set(title="Loss on test rows", xlabel="epoch")
axes["c"].set(ylabel="log loss", xlim=(0, 200), ylim=(0, 1.5))
axes["c"].legend(loc="upper center")
