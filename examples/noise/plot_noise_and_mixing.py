"""
How strong should noise, attacks and mixtures be?
=================================================

Three regularizers change the rows of each batch instead of the network.
:doc:`Input noise </regularization/input_noise>` adds random numbers to them,
:doc:`adversarial training </regularization/adversarial>` moves them to where the loss is larger,
and :doc:`mixup </regularization/mixup>` trains on points between them. Each is one parameter of
:class:`~skreg.MLPClassifier`, and best at a middle strength.
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
X_test, y_test = make_moons(4000, noise=0.3, random_state=1000)


def fit(seed, **parameters):
    """A network without another regularizer on 120 rows, and its log loss on new rows."""
    X, y = make_moons(120, noise=0.3, random_state=seed)
    options = {"alpha": 0.0, "batch_size": 40, "learning_rate_init": 0.005, "random_state": seed}
    model = MLPClassifier((64, 64), max_iter=300, n_iter_no_change=300, **options, **parameters)
    return model.fit(X, y), log_loss(y_test, model.predict_proba(X_test)), X, y


# %%
# Five draws of the training rows, and their mean as a line. Noise and attack have the unit of a
# standard deviation of each feature: too much of it blurs the two classes into one another. Mixup
# has the parameter of a Beta distribution, and helps over a wide range of it.
strengths = {
    "input_noise": [0.03, 0.1, 0.2, 0.3, 0.5, 1.0],
    "adversarial_epsilon": [0.03, 0.1, 0.2, 0.3, 0.5, 1.0],
    "mixup": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
}
plain = np.mean([fit(seed)[1] for seed in range(5)])
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5), sharey=True)
for ax, (name, values) in zip(axes.flat[:3], strengths.items(), strict=True):
    losses = np.array([[fit(seed, **{name: v})[1] for v in values] for seed in range(5)])
    ax.plot(values, losses.T, "o", color="C0", alpha=0.4, mec="none")
    ax.plot(values, losses.mean(axis=0), color="C0", label="mean of five draws")
    ax.axhline(plain, color="0.55", ls="--", label="none of the three")
    ax.set(title=f"Log loss by {name}", xlabel=name, xscale="log")
plt.setp(axes[:, 0], ylabel="log loss on new rows", ylim=(0.2, 0.55))
axes[1, 1].axis("off")
axes[1, 1].legend(*axes[0, 0].get_legend_handles_labels(), loc="center")

# %%
# What has the network learned, from the same rows? The color is the probability of the second
# class, the line where it is one half. The line of the plain network goes around single rows; with
# each of the three the probability changes more slowly.
settings = {"plain": 0, "input_noise": 0.3, "adversarial_epsilon": 0.3, "mixup": 0.3}
low, high = X_test.min(axis=0), X_test.max(axis=0)
grid = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
points = np.column_stack([g.ravel() for g in grid])
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5), subplot_kw={"xticks": [], "yticks": []})
for ax, (name, strength) in zip(axes.flat, settings.items(), strict=True):
    model, loss, X, y = fit(1, **({name: strength} if strength else {}))
    p = model.predict_proba(points)[:, 1].reshape(grid[0].shape)
    image = ax.pcolormesh(*grid, p, cmap="RdBu_r", vmin=0, vmax=1, alpha=0.7, rasterized=True)
    ax.contour(*grid, p, levels=[0.5], colors="black", linewidths=1.2)
    ax.scatter(*X.T, c=y, cmap="RdBu_r", s=16, edgecolors="white", linewidths=0.6)
    ax.set(title=f"{name}={strength}" if strength else "Plain network")
    ax.set_xlabel(f"test loss {loss:.2f}")
fig.colorbar(image, ax=axes, label="probability")
plt.show()

# %%
# See: :doc:`/regularization/input_noise`, :doc:`/regularization/adversarial`,
# :doc:`/regularization/mixup`, :class:`~skreg.MLPClassifier`.
