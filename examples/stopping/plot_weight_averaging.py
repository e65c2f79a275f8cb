"""
What does an average of the weights bring?
==========================================

Each step depends on its batch, so the weights vary about a minimum. :doc:`Weight averaging
</regularization/weight_averaging>` keeps an average of them, validates it and predicts with it: a
moving one with ``"ema"``, that of the last epochs with ``"swa"``. It allows larger learning rates.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# 600 digits to learn from, every tenth with a random label; the labels to validate on are right.
X, y = load_digits(return_X_y=True)
EPOCHS = 60
settings = {
    "no averaging": {},
    "ema": {"weight_averaging": "ema", "ema_decay": 0.99},
    "swa": {"weight_averaging": "swa", "swa_start": 0.5},
}


def fit(seed, learning_rate_init=0.02, **parameters):
    """The network after its last epoch, and its log loss on the other digits."""
    A, B, a, b = train_test_split(X / 16, y, train_size=600, stratify=y, random_state=seed)
    a[::10] = np.random.default_rng(seed).integers(0, 10, size=60)
    model = MLPClassifier(
        (64,),
        alpha=0.01,
        batch_size=32,
        learning_rate_init=learning_rate_init,
        max_iter=EPOCHS,
        early_stopping=True,
        n_iter_no_change=EPOCHS,
        restore_best=False,
        random_state=seed,
        **parameters,
    ).fit(A, a, X_val=B, y_val=b)
    return model, log_loss(b, model.predict_proba(B))


# %%
# One training, seen three ways. The loss of the weights themselves jumps from epoch to epoch; that
# of their averages is smooth, and lower. ``"swa"`` begins after half of the epochs.
fig, ax = plt.subplots(figsize=(6.2, 4))
for (name, parameters), color in zip(settings.items(), ("0.6", "C0", "C1"), strict=True):
    curve = fit(0, **parameters)[0].validation_loss_curve_
    order = 2 if name == "ema" else 3 if not parameters else 1
    ax.plot(range(1, EPOCHS + 1), curve, color=color, zorder=order, label=name)
ax.set(xlabel="epoch", ylabel="validation log loss", title="Averages: a smoother, lower loss")
ax.set(ylim=(0.3, 0.8), xlim=(0, EPOCHS))
ax.legend()

# %%
# How much it gains depends on the :doc:`learning rate </learning_rates>`: with the smallest one the
# averages are worse, since they contain early weights. Five splits, after the last epoch.
rates = [0.0003, 0.001, 0.003, 0.01, 0.03]
fig, ax = plt.subplots(figsize=(6.2, 3.2))
for (name, parameters), color in zip(settings.items(), ("0.6", "C0", "C1"), strict=True):
    losses = np.array([[fit(seed, r, **parameters)[1] for r in rates] for seed in range(5)])
    ax.errorbar(rates, losses.mean(axis=0), losses.std(axis=0), fmt="o-", color=color, label=name)
ax.set(xscale="log", xlabel="learning_rate_init", ylabel="log loss after the last epoch")
ax.set(title="Log loss by learning rate: mean, standard deviation", ylim=(0.3, None))
ax.legend()
plt.show()

# %%
# See: :doc:`/regularization/weight_averaging`, :class:`~skreg.MLPClassifier`.
