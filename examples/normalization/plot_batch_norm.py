"""
What does batch norm make trainable?
====================================

``batch_norm=True`` normalizes each hidden unit over the batch, before its activation. Signals then
keep their size from layer to layer, so that deep networks learn, and the size of the inputs hardly
matters. Run it with ``python examples/normalization/plot_batch_norm.py``; it takes some seconds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# Few epochs are the point here: who learns quickly?
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
# **Deep networks.** Every logistic layer flattens the signal, and five of them are enough to lose
# it; normalized, they all learn. ReLU layers keep the signal better, and with the default learning
# rate they need no help here. Batch norm lets them take larger steps.
depths = [1, 2, 3, 5, 8, 12]
networks = {
    "logistic": {"activation": "logistic"},
    "relu, learning rate 10 times the default": {"learning_rate_init": 0.01},
}
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True, layout="constrained")
for ax, (title, parameters) in zip(axes, networks.items(), strict=True):
    for batch_norm, color in COLORS.items():
        scores = [accuracy(depth, batch_norm=batch_norm, **parameters) for depth in depths]
        ax.plot(depths, scores, "o-", color=color, label=f"batch_norm={batch_norm}")
    ax.set(title=title, xlabel="hidden layers", ylim=(0, 1.03))
axes[0].set_ylabel("test accuracy after 20 epochs")
axes[0].legend()

# %%
# **Badly scaled inputs.** Multiplying all pixels by one factor changes nothing that could be
# learned, yet the plain network depends on it. Batch norm divides the factor out again. (It does so
# for each hidden unit, not for each input: features of different sizes still want a
# ``StandardScaler``.)
scales = np.geomspace(1e-3, 1e3, 7)
fig, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
for batch_norm, color in COLORS.items():
    scores = [accuracy(scale=scale, batch_norm=batch_norm) for scale in scales]
    ax.semilogx(scales, scores, "o-", color=color, label=f"batch_norm={batch_norm}")
ax.set(xlabel="pixels are multiplied by", ylabel="test accuracy after 20 epochs", ylim=(0, 1.03))
ax.legend()
plt.show()
