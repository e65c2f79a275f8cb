"""
How much dropout keeps a network from memorizing noise?
=======================================================

A network with many more weights than there are training rows can learn every row by heart, the
mislabelled ones too. :doc:`Dropout </regularization/dropout>` switches off each hidden unit with
probability ``dropout`` in each training step, so that no unit can rely on particular other ones.
It is a parameter of :class:`~skreg.MLPClassifier`; here rates between 0.4 and 0.7 are best.
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
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
EPOCHS = 100


def fit(seed, dropout):
    """A network of 26,000 weights after its last epoch, and its accuracy on the other digits.

    It learns from 500 digits, every fifth of them with a random label. The labels of the other
    digits, on which the training records its validation loss, are right.
    """
    A, B, a, b = train_test_split(X, y, train_size=500, stratify=y, random_state=seed)
    a[::5] = np.random.default_rng(seed).integers(10, size=100)
    options = {"alpha": 0.0, "batch_size": 50, "learning_rate_init": 0.002, "random_state": seed}
    watch = {"early_stopping": True, "n_iter_no_change": EPOCHS, "restore_best": False}
    model = MLPClassifier((128, 128), dropout=dropout, max_iter=EPOCHS, **options, **watch)
    return model.fit(A, a, X_val=B, y_val=b), model.score(B, b)


rates = [0.0, 0.2, 0.35, 0.5, 0.65, 0.8]
fitted = [[fit(seed, rate) for rate in rates] for seed in range(5)]

# %%
# Five splits, and their mean as a line. A rate of 0.5 to 0.65 is best here. It ends with a lower
# loss than the best epoch without dropout has: early stopping alone would not be as good.
fig, axes = plt.subplots(1, 2, figsize=(6.2, 4))
last = np.array([[model.validation_loss_curve_[-1] for model, _ in row] for row in fitted])
best = np.array([[min(model.validation_loss_curve_) for model, _ in row] for row in fitted])
accuracy = np.array([[score for _, score in row] for row in fitted])
for ax, values, color, label in (
    (axes[0], best, "0.6", "best epoch"),
    (axes[0], last, "C0", "last epoch"),
    (axes[1], accuracy, "C0", "last epoch"),
):
    ax.plot(rates, values.T, "o", color=color, alpha=0.4, mec="none")
    ax.plot(rates, values.mean(axis=0), color=color, label=label)
    ax.set_xlabel("dropout")
axes[0].set(title="Log loss on right labels", ylabel="log loss", ylim=(0, 0.8))
axes[1].set(title="Accuracy on right labels", ylabel="accuracy", ylim=(0.75, 1))
axes[0].legend()

# %%
# Without dropout the training loss goes to zero: the wrong labels are learned, and the validation
# loss climbs. With dropout the training loss, which is measured with units dropped, stays higher
# and the validation loss low. With a rate of 0.8 too few units are left to learn as much.
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5), sharex=True, sharey=True)
for ax, rate in zip(axes.flat, (0.0, 0.2, 0.5, 0.8), strict=True):
    model = fitted[0][rates.index(rate)][0]
    ax.plot(range(1, EPOCHS + 1), model.loss_curve_, label="training, wrong labels")
    ax.plot(range(1, EPOCHS + 1), model.validation_loss_curve_, label="validation, right labels")
    ax.set(title=f"Losses with dropout = {rate}", ylim=(0, 2.5))
plt.setp(axes[1], xlabel="epoch")
plt.setp(axes[:, 0], ylabel="log loss")
axes[0, 0].legend()
plt.show()

# %%
# See: :doc:`/regularization/dropout`, :class:`~skreg.MLPClassifier`.
