"""
Does dropout keep a large network from memorizing noise?
========================================================

A network with many more weights than there are training rows can learn every row by heart, the
mislabelled ones too. Dropout switches off each hidden unit with probability ``dropout`` at every
training step, so that no unit can rely on a particular other one. Run it with
``python examples/plot_dropout.py``; it takes a few seconds.
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
# 500 handwritten digits to learn from, every fifth of them with a random label. The labels of the
# validation set are right.
X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    X / 16, y, train_size=500, stratify=y, random_state=0
)
rng = np.random.RandomState(0)
y_train[::5] = rng.randint(10, size=100)

# %%
# The same network with more and more dropout, and no other regularizer. Early stopping is what
# records the validation loss; a patience as long as the training lets it watch without stopping.
EPOCHS = 100


def network(dropout, **parameters):
    """Two hidden layers of 256 units: some 170 weights for each training row."""
    return MLPClassifier(
        (256, 256),
        dropout=dropout,
        penalty=None,
        batch_size=50,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        random_state=0,
        **parameters,
    )


rates = [0.0, 0.25, 0.5, 0.75]
watched = [
    network(rate, early_stopping=True).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    for rate in rates
]

# %%
# Without dropout the training loss goes to zero: all the wrong labels are learned, and the
# validation loss climbs. With dropout the training loss, which is measured with units dropped,
# stays higher, and the validation loss stays down for longer.
fig, axes = plt.subplots(1, 4, figsize=(11, 3.4), sharey=True, layout="constrained")
for ax, rate, model in zip(axes, rates, watched, strict=True):
    epochs = np.arange(1, EPOCHS + 1)
    ax.plot(epochs, model.loss_curve_, label="training, wrong labels")
    ax.plot(epochs, model.validation_loss_curve_, label="validation, right labels")
    ax.set(title=f"dropout = {rate}", xlabel="epoch", ylim=(0, 2.5))
axes[0].set_ylabel("log loss")
axes[0].legend()

# %%
# How good are the networks after the last epoch, and how good where early stopping would have
# ended? Dropout closes the gap between the two, without having seen a validation set.
last = [network(rate).fit(X_train, y_train).score(X_val, y_val) for rate in rates]
best = [model.score(X_val, y_val) for model in watched]

fig, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
ax.plot(rates, last, "o-", label="after the last epoch")
ax.plot(rates, best, "s--", color="grey", label="at the lowest validation loss")
ax.set(xlabel="dropout", ylabel="accuracy on right labels", xticks=rates)
ax.legend()
plt.show()
