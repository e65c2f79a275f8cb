"""Rows of two classes and their mixtures, and the boundary without and with them."""

import matplotlib.pyplot as plt
import numpy as np
from _common import boundary, moons
from sklearn.metrics import log_loss

from skreg import MLPClassifier

X, y = moons(120, 0.35, seed=1)
new, new_y = moons(4000, 0.35, seed=2)
_, ((rows, changed), panels) = plt.subplots(2, 2, figsize=(5.2, 5))
rng = np.random.default_rng(0)
partner, share = rng.permutation(len(X)), rng.beta(1, 1, len(X))
mixed = share[:, None] * X + (1 - share[:, None]) * X[partner]
target = share * y + (1 - share) * y[partner]
colors = {"cmap": "RdBu_r", "vmin": -0.1, "vmax": 1.1}
rows.scatter(*X.T, c=y, s=12, **colors)
changed.scatter(*mixed.T, c=target, s=18, edgecolor="0.6", lw=0.4, **colors)
limits = {"xticks": [], "yticks": [], "xlim": rows.get_xlim(), "ylim": rows.get_ylim()}
rows.set(title="Training rows", **limits)
changed.set(title="Mixed rows and labels", **limits)
for axes, mixup in zip(panels, (0.0, 1.0), strict=True):
    mlp = MLPClassifier((128, 128), mixup=mixup, max_iter=400, n_iter_no_change=400,
                        random_state=0).fit(X, y)  # fmt: skip
    boundary(axes, mlp, X, y)
    loss = log_loss(new_y, mlp.predict_proba(new))
    axes.set(title=f"mixup={mixup}", xlabel=f"log loss on new rows: {loss:.2f}")
