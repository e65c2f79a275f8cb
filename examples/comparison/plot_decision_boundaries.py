"""
What does a regularizer do to a decision boundary?
==================================================

A large network on few noisy rows draws its boundary around single rows, and is sure of it.
:doc:`L2 </regularization/l2>`, :doc:`dropout </regularization/dropout>` and
:doc:`input noise </regularization/input_noise>`, each one parameter of
:class:`~skreg.MLPClassifier`, make it smooth, and the loss on new rows falls to less than a half.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)
X_test, y_test = make_moons(4000, noise=0.35, random_state=1000)
settings = {
    "Plain": {"alpha": 0.0},
    "L2 penalty": {"alpha": 0.01},
    "Dropout": {"alpha": 0.0, "dropout": 0.7},
    "Input noise": {"alpha": 0.0, "input_noise": 0.3},
}


def fit(seed, **parameters):
    """A network of 10,600 weights on 100 rows of two moons, and its log loss on new rows."""
    X, y = make_moons(100, noise=0.35, random_state=seed)
    options = {"batch_size": 20, "learning_rate_init": 0.003, "random_state": seed}
    model = MLPClassifier((100, 100), max_iter=300, n_iter_no_change=300, **options, **parameters)
    return model.fit(X, y), log_loss(y_test, model.predict_proba(X_test)), X, y


# %%
# The color is the probability of the second class, the line where it is one half. The loss below
# each picture is that of 4000 new rows.
low, high = X_test.min(axis=0) + 0.3, X_test.max(axis=0) - 0.3
grid = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
picture = {"extent": (low[0], high[0], low[1], high[1]), "origin": "lower", "aspect": "auto"}
points = np.column_stack([g.ravel() for g in grid])

fig, axes = plt.subplots(2, 2, figsize=(6.2, 5))
for ax, (name, parameters) in zip(axes.flat, settings.items(), strict=True):
    model, loss, X, y = fit(0, **parameters)
    p = model.predict_proba(points)[:, 1].reshape(grid[0].shape)
    ax.imshow(p, cmap="RdBu_r", vmin=-0.3, vmax=1.3, alpha=0.8, **picture)
    ax.contour(*grid, p, levels=[0.5], colors="black", linewidths=1.4)
    ax.scatter(
        *X.T, c=y, cmap="RdBu_r", vmin=-0.1, vmax=1.1, s=16, edgecolors="white", linewidths=0.6
    )
    ax.set(title=name, xticks=[], yticks=[], xlabel=f"test loss {loss:.2f}")
    ax.spines[:].set_visible(False)

# %%
# Is it so in other draws? Ten draws of the 100 rows, with one network of each kind for each. The
# strengths are the same for all draws.
losses = np.array([[fit(seed, **p)[1] for p in settings.values()] for seed in range(10)])
fig, ax = plt.subplots(figsize=(6.2, 2.6))
for position, values in enumerate(losses.T):
    ax.plot(values, [position] * len(values), "o", color="C0", alpha=0.5, mec="none")
    ax.plot(values.mean(), position, "|", color="black", markersize=18, mew=2)
ax.set(yticks=range(4), yticklabels=settings, xlim=(0, None), ylim=(3.5, -0.5))
ax.set(
    xlabel="log loss on new rows", title="Log loss in ten draws of the training rows, and the mean"
)
plt.show()

# %%
# See: :doc:`/regularization/index`, :doc:`/tuning`, :class:`~skreg.MLPClassifier`.
