"""What enters the activations of a deep network, without and with batch normalization."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

DEPTH = 6
X, _, y, _ = digits(1000)
_, panels = plt.subplots(1, 2, figsize=(7.2, 2.9), sharey=True)
for axes, batch_norm in zip(panels, (False, True), strict=True):
    mlp = MLPClassifier((64,) * DEPTH, batch_norm=batch_norm, max_iter=3, random_state=0).fit(X, y)
    values, a = [], X
    for W, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        z = a @ W + b  # of the folded network: normalized, where there is a normalization
        values.append(z.ravel())
        a = np.maximum(z, 0)
    parts = axes.violinplot(values, widths=0.85, showextrema=False, points=300)
    for part in parts["bodies"]:
        part.set(facecolor="C2" if batch_norm else "0.55", alpha=0.6)
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set(title=f"batch_norm={batch_norm}", xlabel="hidden layer", ylim=(-3.5, 3.5))
    axes.set_xticks(range(1, DEPTH + 1))
panels[0].set_ylabel("pre-activation")
