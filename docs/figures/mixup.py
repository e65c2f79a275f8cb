"""Rows of two classes and their mixtures, and the boundary without and with them."""

import matplotlib.pyplot as plt
import numpy as np
from _common import boundary, moons
from sklearn.metrics import log_loss

from skreg import MLPClassifier

X, y = moons(120, 0.35, seed=1)
new, new_y = moons(4000, 0.35, seed=2)
figure, panels = plt.subplots(1, 3, figsize=(7.2, 2.7))
rng = np.random.default_rng(0)
partner, share = rng.permutation(len(X)), rng.beta(0.8, 0.8, len(X))
mixed = share[:, None] * X + (1 - share[:, None]) * X[partner]
target = share * y + (1 - share) * y[partner]
panels[0].scatter(*mixed.T, c=target, cmap="RdBu_r", vmin=-0.1, vmax=1.1, s=16, edgecolor="0.7",
                  lw=0.3)  # fmt: skip
panels[0].set(title="What it sees", xticks=[], yticks=[], xlabel="mixtures of rows and labels")
for axes, mixup in zip(panels[1:], (0.0, 0.8), strict=True):
    mlp = MLPClassifier((128, 128), mixup=mixup, max_iter=400, n_iter_no_change=400,
                        random_state=0).fit(X, y)  # fmt: skip
    boundary(axes, mlp, X, y)
    loss = log_loss(new_y, mlp.predict_proba(new))
    axes.set(title=f"mixup={mixup}", xlabel=f"log loss on new rows: {loss:.2f}")
