"""
How many weights does an L1 penalty leave?
==========================================

``penalty="l1"`` adds ``alpha * sum |w|`` to the loss and takes a proximal step after each step of
the optimizer, so that weights become exactly zero. How does the share of zeros, ``sparsity_``, grow
with ``alpha``, and what does it cost on unseen images? Run it with
``python examples/plot_l1_sparsity.py``; it takes a few seconds.
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
# Handwritten digits of 8 x 8 pixels, and one network for each strength of the penalty. A weight
# stays at zero only while its gradient, averaged by the optimizer, is within ``alpha``; larger
# batches make quieter gradients and so more zeros.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)


def fit(alpha):
    """A network of 64 hidden units with an L1 penalty."""
    model = MLPClassifier(
        (64,),
        penalty="l1",
        alpha=alpha,
        batch_size=100,
        max_iter=150,
        n_iter_no_change=150,
        random_state=0,
    )
    return model.fit(X_train, y_train)


alphas = np.geomspace(1e-5, 1e-2, 10)
models = [fit(alpha) for alpha in alphas]

# %%
# The zeros cost nothing for a long way. Past it, the network is too simple for the task.
sparsity = [model.sparsity_ for model in models]
scores = [model.score(X_test, y_test) for model in models]

fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
ax.semilogx(alphas, sparsity, "o-", label="share of weights that are zero (sparsity_)")
ax.semilogx(alphas, scores, "s-", label="accuracy on the test set")
ax.set(xlabel="alpha", ylim=(0, 1.03), title="L1 penalty on the digits")
ax.legend(loc="lower right")

# %%
# What is left in the first layer: each column is a hidden unit, each row a pixel; white is exactly
# zero. Whole rows vanish first: pixels at the edge that never carry ink, and then whole columns:
# hidden units that the network does without. The small images count each pixel's connections.
fig, axes = plt.subplots(2, 3, figsize=(9, 6), height_ratios=(3, 2), layout="constrained")
for (above, below), index in zip(axes.T, (0, 4, 7), strict=True):
    weights = models[index].coefs_[0]
    limit = np.abs(weights).max()
    above.imshow(
        np.where(weights == 0, np.nan, weights), cmap="PRGn", vmin=-limit, vmax=limit, aspect="auto"
    )
    above.set(
        title=f"alpha = {alphas[index]:.1g}: {np.mean(weights == 0):.0%} zeros",
        xlabel="hidden unit",
        ylabel="pixel",
    )
    connections = np.count_nonzero(weights, axis=1).reshape(8, 8)
    below.imshow(connections, cmap="Greys", vmin=0, vmax=64)
    below.set(title="connections of each pixel", xticks=[], yticks=[])
plt.show()
