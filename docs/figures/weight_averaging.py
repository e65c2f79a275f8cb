"""Validation losses of the current weights and of their average."""

import matplotlib.pyplot as plt
from _common import digits

from skreg import MLPClassifier

X, X_val, y, y_val = digits(900, flip=0.05)
_, axes = plt.subplots(figsize=(7.2, 2.9))
CASES = (None, "0.6", "current weights"), ("ema", "C4", "average, weight_averaging='ema'")
for averaging, color, name in CASES:
    mlp = MLPClassifier((64,), weight_averaging=averaging, batch_size=32, learning_rate_init=1e-2,
                        early_stopping=True, n_iter_no_change=40, max_iter=40, random_state=0,
                        **({"ema_decay": 0.99} if averaging else {}))  # fmt: skip
    mlp.fit(X, y, X_val=X_val, y_val=y_val)
    axes.plot(range(1, mlp.n_iter_ + 1), mlp.validation_loss_curve_, color=color, label=name)
axes.set(title="Loss on validation rows", xlabel="epoch", ylabel="log loss", ylim=(0.1, 0.6))
axes.set_xlim(0, 40)
axes.legend(loc="upper right")
