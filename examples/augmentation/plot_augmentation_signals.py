"""
Which variants of signals help?
===============================

An event in a signal may come at any time and at any speed, but there are only ten signals of each
kind to learn from. Shifts and stretches of the time axis make signals with other times and speeds;
``augmentation`` of :class:`~skreg.MLPClassifier` makes a new one of every row in every epoch.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier
from skreg.augmentation import AddNoise, Compose, Drift, TimeShift, TimeStretch

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def signals(n_each, seed):
    """A bump, a wave or a step with noise in 128 points, somewhere in the middle half."""
    rng = np.random.default_rng(seed)
    n, y = 3 * n_each, np.repeat(np.arange(3), n_each)
    begin, width = rng.uniform(0.25, 0.75, (n, 1)), rng.uniform(0.05, 0.12, (n, 1))
    t = (np.linspace(0, 1, 128) - begin) / width
    shapes = [np.exp(-(t**2)), np.sin(3 * t) * np.exp(-(t**2) / 2), np.tanh(t) / 2]
    X = np.choose(y[:, None], shapes)
    X += 0.15 * rng.normal(size=X.shape) + 0.3 * rng.normal(size=(n, 1))
    return X.astype(np.float32), y


X_test, y_test = signals(400, seed=1000)
noise, drift = AddNoise((5, 20)), Drift(0.3)
shift, stretch = TimeShift(0.2, fill="edge"), TimeStretch((0.7, 1.4), fill="edge")
tried = {"none": None, "noise": noise, "drift": drift, "stretch": stretch, "shift": shift}
tried["shift, stretch"] = Compose([shift, stretch])


def fit(augmentation, seed):
    """A network trained on variants of 30 signals."""
    options = {"batch_size": 10, "learning_rate": "cosine", "learning_rate_init": 0.003}
    options |= {"max_iter": 200, "n_iter_no_change": 200, "random_state": seed}
    model = MLPClassifier((64, 64), **options)
    return model.set_params(augmentation=augmentation).fit(*signals(10, seed))


# %%
# A dot for each of five training sets, and their mean. Shifts and stretches raise the accuracy,
# more noise hardly changes it, and a drift lowers it.
fig, ax = plt.subplots(figsize=(6.2, 3))
for position, (name, augmentation) in enumerate(tried.items()):
    found = np.array([fit(augmentation, seed).predict(X_test) for seed in range(5)])
    scores = (found == y_test).mean(axis=1)
    print(f"{name}: takes {np.mean(found[:, y_test < 2] == 2):.1%} of bumps and waves for steps")
    ax.plot(scores, [position] * len(scores), "o", color="C0", alpha=0.5, mec="none")
    ax.plot(np.mean(scores), position, "|", color="black", markersize=18, mew=2)
ax.set(yticks=range(6), yticklabels=tried, ylim=(5.5, -0.5))
ax.set(xlabel="accuracy on new signals", title="Accuracy with each augmentation, 30 signals")

# %%
# In color variants of the gray signals. A drift adds a slow change, as a step has.
X = signals(10, seed=0)[0][::20]
# sphinx_gallery_thumbnail_number = 2
fig, axes = plt.subplots(5, 2, figsize=(6.2, 6), sharex=True, sharey=True)
axes[0, 0].set_title("A bump and its variants")
axes[0, 1].set_title("A step and its variants")
for row, name in zip(axes, list(tried)[1:], strict=True):
    variants = clone(tried[name]).set_params(random_state=2).fit_transform(X)
    for ax, signal, variant in zip(row, X, variants, strict=True):
        ax.plot(signal, color="0.75")
        ax.plot(variant, lw=1.2)
    row[0].set_ylabel(name)
plt.setp(axes[-1], xlabel="time")
plt.show()

# %%
# See: :doc:`/augmentation/signals`, :class:`~skreg.augmentation.TimeShift`.
