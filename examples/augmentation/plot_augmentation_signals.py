"""
Do variants in time help to tell signals apart?
===============================================

Three kinds of short signals with noise, whose event may come at any time and at any speed, and only
ten of each to learn from. Run it with ``python examples/plot_augmentation_signals.py``; it takes
some seconds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier
from skreg.augmentation import (
    AddNoise,
    AugmentationDisplay,
    Compose,
    Drift,
    TimeShift,
    TimeStretch,
    TimeWarp,
)

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# A bump, a wave and a step of 128 points.
LENGTH = 128


def signals(n_each, seed):
    """Signals of three classes, one channel each."""
    rng = np.random.default_rng(seed)
    n = 3 * n_each
    y = np.repeat(np.arange(3), n_each)
    begin, width = rng.uniform(0.25, 0.75, (n, 1)), rng.uniform(0.05, 0.12, (n, 1))
    t = (np.linspace(0, 1, LENGTH) - begin) / width
    shapes = [np.exp(-(t**2)), np.sin(3 * t) * np.exp(-(t**2) / 2), np.tanh(t) / 2]
    X = np.choose(y[:, None], shapes)
    X += 0.15 * rng.normal(size=X.shape) + 0.3 * rng.normal(size=(n, 1))
    return X.astype(np.float32), y


X_train, y_train = signals(10, seed=0)
X_test, y_test = signals(400, seed=1)

# %%
# What each augmenter does to one signal of each class.
augmenters = {
    "TimeShift": TimeShift(0.2, fill="edge", random_state=0),
    "TimeWarp": TimeWarp(0.4, random_state=0),
    "AddNoise": AddNoise(10, random_state=0),
    "Drift": Drift(0.3, random_state=0),
}
for name, augmenter in augmenters.items():
    display = AugmentationDisplay.from_augmenter(augmenter, X_train[::10], n_rows=3, n_variants=4)
    display.figure_.suptitle(name)

# %%
# Shifts and stretches make up for the few places and speeds in the training set. Noise does little,
# since there is enough of it; a drift can look like a step, and harms: a variant must keep the
# class.
shift = TimeShift(0.2, fill="edge")
stretch = TimeStretch((0.7, 1.4), fill="edge")
candidates = {
    "none": None,
    "noise": AddNoise((5, 20)),
    "drift": Drift(0.3),
    "stretch": stretch,
    "shift": shift,
    "shift, stretch, noise": Compose([shift, stretch, AddNoise((5, 20))]),
}


def accuracy(augmentation, seed):
    """Accuracy on the test set of a network trained on variants."""
    model = MLPClassifier(
        (64, 64),
        augmentation=augmentation,
        batch_size=10,
        max_iter=200,
        n_iter_no_change=200,
        learning_rate="cosine",
        learning_rate_init=0.003,
        random_state=seed,
    )
    return model.fit(X_train, y_train).score(X_test, y_test)


scores = {name: [accuracy(a, seed) for seed in range(3)] for name, a in candidates.items()}
fig, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
for position, values in enumerate(scores.values()):
    ax.plot(values, [position] * len(values), "o", color="tab:blue")
    ax.plot(np.mean(values), position, "|", color="black", markersize=18)
ax.set(yticks=range(len(scores)), yticklabels=list(scores), xlabel="accuracy on the test set")
ax.set_title("30 signals, a variant of each in every epoch")
plt.show()
