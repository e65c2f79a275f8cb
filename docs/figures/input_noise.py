"""Rows without and with noise, and the boundaries that a network learns from them."""

import matplotlib.pyplot as plt
import numpy as np
from _common import boundary, moons
from sklearn.metrics import log_loss

from skreg import MLPClassifier

X, y = moons(120, 0.35, seed=1)
new, new_y = moons(4000, 0.35, seed=2)
_, ((rows, changed), panels) = plt.subplots(2, 2, figsize=(5.2, 5))
rng, colors = np.random.default_rng(0), {"cmap": "RdBu_r", "vmin": -0.1, "vmax": 1.1}
rows.scatter(*X.T, c=y, s=12, **colors)
for _ in range(12):
    noisy = X + 0.3 * rng.normal(size=X.shape)
    changed.scatter(*noisy.T, c=y, s=8, alpha=0.3, lw=0, **colors)
limits = {"xticks": [], "yticks": [], "xlim": changed.get_xlim(), "ylim": changed.get_ylim()}
rows.set(title="Training rows", **limits)
changed.set(title="The same rows in 12 epochs", **limits)
for axes, noise in zip(panels, (0.0, 0.3), strict=True):
    mlp = MLPClassifier((128, 128), input_noise=noise, max_iter=400, n_iter_no_change=400,
                        random_state=0).fit(X, y)  # fmt: skip
    boundary(axes, mlp, X, y)
    loss = log_loss(new_y, mlp.predict_proba(new))
    axes.set(title=f"input_noise={noise}", xlabel=f"log loss on new rows: {loss:.2f}")
