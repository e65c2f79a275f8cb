"""
How many weights does an L1 penalty leave?
==========================================

``penalty="l1"`` of :class:`~skreg.MLPClassifier` adds ``alpha * sum |w|`` to the loss and takes a
proximal step after each step of the optimizer, so that weights become exactly zero. How does the
share of zeros, ``sparsity_``, grow with ``alpha``, and what does it cost on new images?
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# Handwritten digits of 8 x 8 pixels, half of them to learn from. A weight stays at zero only while
# its gradient, averaged by the optimizer, is within ``alpha``; larger batches make quieter
# gradients and so more zeros.
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)


def fit(seed, alpha):
    """A network of 64 hidden units, and its accuracy on the other half."""
    A, B, a, b = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    options = {"batch_size": 100, "max_iter": 150, "n_iter_no_change": 150, "random_state": seed}
    model = MLPClassifier((64,), penalty="l1", alpha=alpha, **options).fit(A, a)
    return model, model.score(B, b)


alphas = np.geomspace(1e-5, 1e-2, 7)
fitted = [[fit(seed, alpha) for alpha in alphas] for seed in range(5)]
sparsity = np.array([[model.sparsity_ for model, _ in row] for row in fitted])
accuracy = np.array([[score for _, score in row] for row in fitted])

# %%
# Five splits, and their mean as a line. Up to about 40 % of the weights are zero at no cost. With
# more zeros the accuracy falls, slowly at first: in the end the network is too simple for it.
fig, axes = plt.subplots(2, 1, figsize=(6.2, 4.6), sharex=True)
for ax, values in zip(axes, (sparsity, accuracy), strict=True):
    ax.semilogx(alphas, values.T, "o", color="C0", alpha=0.4, mec="none")
    ax.plot(alphas, values.mean(axis=0), color="C0")
axes[0].set(ylabel="sparsity_", ylim=(0, 1), title="Share of weights that are zero")
axes[1].set(ylabel="accuracy", xlabel="alpha", title="Accuracy on the other half")

# %%
# What is left in the first layer: each column is a hidden unit, each row a pixel; white is zero.
# Whole rows are the first to be zero: pixels at the edge, which seldom carry ink. A strong penalty
# makes whole columns zero too, those of hidden units that are not used. The images below count
# the connections of each pixel.
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5.6), height_ratios=(3, 2))
# sphinx_gallery_thumbnail_number = 2
for (above, below), index in zip(axes.T, (3, 6), strict=True):
    weights = fitted[0][index][0].coefs_[0]
    shown = np.where(weights == 0, np.nan, weights)
    colors = above.imshow(shown, cmap="PRGn", vmin=-0.5, vmax=0.5, aspect="auto")
    above.set(title=f"First layer, alpha = {alphas[index]:.1g}", xlabel="hidden unit")
    connections = np.count_nonzero(weights, axis=1).reshape(8, 8)
    counts = below.imshow(connections, cmap="Greys", vmin=0, vmax=64)
    below.set(xlabel=f"{np.mean(weights == 0):.0%} zero weights", xticks=[], yticks=[])
axes[0, 0].set_ylabel("pixel")
fig.colorbar(colors, ax=axes[0], label="weight", extend="both")
fig.colorbar(counts, ax=axes[1], label="connections")
plt.show()

# %%
# See: :doc:`/regularization/l1`, :class:`~skreg.MLPClassifier`.
