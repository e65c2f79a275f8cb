"""
How many labels is augmentation worth?
======================================

With :doc:`augmentation </augmentation/index>` a network needs about half as many labelled digits
for the same error. Each row is turned, scaled and shifted at random by
:class:`~skreg.augmentation.RandomAffine`, anew in every epoch.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier
from skreg.augmentation import RandomAffine

# All networks train for the same number of steps, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
affine = RandomAffine(15, (0.9, 1.1), 0.1, image_shape=(8, 8))
settings = {"plain": None, "augmentation": affine}
sizes = [30, 60, 120, 250, 500, 1000]
N_STEPS = 1500


def errors(n_labels, seed):
    """Share of wrong answers on rows that were not drawn, for each setting."""
    A, B, a, b = train_test_split(X, y, train_size=n_labels, stratify=y, random_state=seed)
    epochs = N_STEPS // int(np.ceil(n_labels / 20))
    model = MLPClassifier(
        (128, 128),
        learning_rate="cosine",
        learning_rate_init=0.005,
        batch_size=20,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=seed,
    )
    models = [clone(model).set_params(augmentation=shown) for shown in settings.values()]
    return [1 - model.fit(A, a).score(B, b) for model in models]


# %%
# Means and standard errors over four draws of the labels. Follow a horizontal line from one curve
# to the next to see how many labels augmentation saves.
found = np.array([[errors(n, seed) for seed in range(4)] for n in sizes])
mean, spread = found.mean(axis=1).T, found.std(axis=1, ddof=1).T / np.sqrt(4)
fig, ax = plt.subplots(figsize=(6.2, 4.2))
for name, m, s in zip(settings, mean, spread, strict=True):
    ax.errorbar(sizes, 100 * m, 100 * s, fmt="o-", label=name)
ax.set(xscale="log", yscale="log", xlabel="labelled digits", ylabel="errors on new rows in percent")
ax.set_xticks(sizes, sizes)
ax.set_yticks([2, 5, 10, 20], [2, 5, 10, 20])
ax.minorticks_off()
ax.legend()
ax.set_title("Errors by the number of labels")

# %%
# In numbers: what the network with augmentation reaches, and how many labels the plain one needs
# for it, read off the line between two sizes.
for n, error in zip(sizes, mean[1], strict=True):
    if error > mean[0].min():
        needed = np.exp(np.interp(-error, -mean[0], np.log(sizes)))
        print(f"{n} labels with augmentation: {error:.1%} errors, as {needed:.0f} without")
plt.show()

# %%
# See: :doc:`/augmentation/index`, :class:`~skreg.augmentation.RandomAffine`,
# :class:`~skreg.MLPClassifier`.
