"""The boundary that a network learns from the rows, and from the rows with noise."""

import matplotlib.pyplot as plt
import numpy as np
from _common import boundary, moons
from sklearn.metrics import log_loss

from skreg import MLPClassifier

X, y = moons(120, 0.35, seed=1)
new, new_y = moons(4000, 0.35, seed=2)
_, panels = plt.subplots(1, 3, figsize=(7.2, 2.7))
rng, shades = np.random.default_rng(0), plt.get_cmap("RdBu_r")
for _ in range(12):
    panels[0].scatter(*(X + 0.3 * rng.normal(size=X.shape)).T, c=y, cmap="RdBu_r", vmin=-0.1,
                      vmax=1.1, s=6, alpha=0.16, lw=0)  # fmt: skip
panels[0].scatter(*X.T, c=y, cmap="RdBu_r", vmin=-0.1, vmax=1.1, s=10)
panels[0].set(title="Rows with noise", xticks=[], yticks=[], xlabel="the same rows in 12 epochs")
for axes, noise in zip(panels[1:], (0.0, 0.3), strict=True):
    mlp = MLPClassifier((128, 128), input_noise=noise, max_iter=400, n_iter_no_change=400,
                        random_state=0).fit(X, y)  # fmt: skip
    boundary(axes, mlp, X, y)
    loss = log_loss(new_y, mlp.predict_proba(new))
    axes.set(title=f"input_noise={noise}", xlabel=f"log loss on new rows: {loss:.2f}")
