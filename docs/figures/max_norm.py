"""The norms of the weights into each hidden unit, free and limited."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

X, _, y, _ = digits(1000)
_, axes = plt.subplots(figsize=(7.2, 2.6))
bins = np.linspace(0.8, 2, 61)
for limit, color in ((None, "0.6"), (1.2, "C0")):
    mlp = MLPClassifier((256,), max_norm=limit, penalty=None, learning_rate_init=2e-2, max_iter=60,
                        n_iter_no_change=60, random_state=0).fit(X, y)  # fmt: skip
    axes.hist(np.linalg.norm(mlp.coefs_[0], axis=0), bins, color=color, alpha=0.6,
              label=f"max_norm={limit}")  # fmt: skip
axes.set(title="Norms of the weights into 256 units", xlabel="norm of the weights into a unit")
axes.set(ylabel="units", xlim=(0.8, 1.8))
axes.legend()
