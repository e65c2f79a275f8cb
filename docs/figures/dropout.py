"""A network with and without dropped units, and what dropout does to the losses."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

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


_, (whole, thinned, losses) = plt.subplots(1, 3, figsize=(7.2, 2.7), width_ratios=[1, 1, 1.7])
network(whole, set())
whole.set_title("Prediction: all units")
network(thinned, {(1, 1), (1, 3), (2, 0), (2, 3)})
thinned.set_title("One training step")

for dropout, color in ((0.0, "0.55"), (0.5, "C0")):
    curves = []
    for seed in range(3):
        X, X_val, y, y_val = digits(300, seed, flip=0.3)
        mlp = MLPClassifier((256,), dropout=dropout, alpha=0, batch_size=64, max_iter=150,
                            early_stopping=True, n_iter_no_change=150,
                            random_state=seed)  # fmt: skip
        curves.append(mlp.fit(X, y, X_val=X_val, y_val=y_val).validation_loss_curve_)
    losses.plot(range(1, 151), np.mean(curves, axis=0), color=color, label=f"dropout={dropout}")
losses.set(title="Validation loss", xlabel="epoch", ylabel="log loss", ylim=(0.5, 1.5))
losses.set_xlim(0, 150)
losses.legend()
