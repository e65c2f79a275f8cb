"""
What does batch norm make trainable?
====================================

:doc:`Batch normalization </regularization/batch_norm>`, ``batch_norm=True`` of
:class:`~skreg.MLPClassifier`, normalizes each hidden unit over the batch, before its activation.
Twelve logistic layers learn with it, and not without; the scale of the inputs hardly matters then.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# All networks train for the same few epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# Handwritten digits, and networks that get the same 20 epochs, with and without batch norm.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
COLORS = {False: "C0", True: "C1"}


def accuracy(n_layers=2, scale=1.0, **parameters):
    """On the test set, of layers of 64 units that see their inputs multiplied by the scale."""
    model = MLPClassifier(
        (64,) * n_layers, batch_size=64, max_iter=20, random_state=0, **parameters
    )
    return model.fit(X_train * scale, y_train).score(X_test * scale, y_test)


# %%
# **Deep networks.** Five logistic layers stay at an accuracy of 0.1, that of a random answer; with
# batch norm twelve of them learn. ReLU layers at ten times the default learning rate lose accuracy
# from eight layers on; with batch norm they do not.
depths = [1, 2, 3, 5, 8, 12]
networks = {
    "Logistic layers": {"activation": "logistic"},
    "ReLU layers": {"learning_rate_init": 0.01},
}
fig, axes = plt.subplots(1, 2, figsize=(6.2, 4), sharey=True)
for ax, (title, parameters) in zip(axes, networks.items(), strict=True):
    for batch_norm, color in COLORS.items():
        scores = [accuracy(depth, batch_norm=batch_norm, **parameters) for depth in depths]
        ax.plot(depths, scores, "o-", color=color, label=f"batch_norm={batch_norm}")
    ax.set(title=f"{title}: accuracy", xlabel="hidden layers", ylim=(0, 1.03), xticks=depths)
axes[0].set_ylabel("test accuracy after 20 epochs")
axes[0].legend()

# %%
# **Scale of the inputs.** All pixels are multiplied by one factor. The plain network depends on it;
# batch norm divides it out again. It does so for each hidden unit, not for each input: features of
# different scales still need a :class:`~sklearn.preprocessing.StandardScaler`.
scales = np.geomspace(1e-3, 1e3, 7)
fig, ax = plt.subplots(figsize=(6.2, 3.2))
for batch_norm, color in COLORS.items():
    scores = [accuracy(scale=scale, batch_norm=batch_norm) for scale in scales]
    ax.semilogx(scales, scores, "o-", color=color, label=f"batch_norm={batch_norm}")
ax.set(xlabel="pixels are multiplied by", ylabel="test accuracy after 20 epochs", ylim=(0, 1.03))
ax.set_title("Accuracy by the scale of the inputs")
ax.legend()
plt.show()

# %%
# See: :doc:`/regularization/batch_norm`, :class:`~skreg.MLPClassifier`.
