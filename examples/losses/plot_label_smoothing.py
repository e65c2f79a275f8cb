"""
Can the probabilities of a network be trusted?
==============================================

A network that has learned all its training rows is sure of new ones too: it says 99 % where it is
right in 85 % of the cases. :doc:`Label smoothing </regularization/label_smoothing>` gives a part of
each target to the other classes, so that no row asks for certainty. Here 0.1 of it makes the
probabilities nearly right; with 0.4 they are too modest.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# Four classes that overlap, 800 rows to learn from, 3200 to test on, in five splits.
X, y = make_classification(
    4000, 20, n_informative=8, n_classes=4, flip_y=0.1, class_sep=1.5, random_state=0
)


def predict(seed, smoothing):
    """Of each test row: the highest probability, whether it is right, the log loss."""
    A, B, a, b = train_test_split(X, y, train_size=800, random_state=seed)
    model = MLPClassifier(
        (100,),
        label_smoothing=smoothing,
        batch_size=50,
        learning_rate_init=0.003,
        max_iter=100,
        n_iter_no_change=100,
        random_state=seed,
    )
    p = model.fit(A, a).predict_proba(B)
    return p.max(axis=1), p.argmax(axis=1) == b, -np.log(p[np.arange(len(b)), b])


strengths = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4]
results = {s: np.array([predict(seed, s) for seed in range(5)]) for s in strengths}

# %%
# Of the test rows that a network is so sure of, how many are right? On the gray line the
# probabilities are true; below it the network is too sure, above it not sure enough.
edges = np.linspace(0.3, 1, 8)

fig, ax = plt.subplots(figsize=(6.2, 4.2))
ax.plot([0.3, 1], [0.3, 1], color="0.75", zorder=1)
for smoothing in (0.0, 0.1, 0.4):
    sure, right = results[smoothing][:, 0].ravel(), results[smoothing][:, 1].ravel()
    bins = [(sure > low) & (sure <= low + 0.1) for low in edges[:-1]]
    points = [(sure[rows].mean(), right[rows].mean()) for rows in bins if rows.sum() > 50]
    ax.plot(*np.transpose(points), "o-", label=f"label_smoothing={smoothing}")
ax.set(xlabel="highest probability", ylabel="share of rows that are right", xlim=(0.3, 1.02))
ax.set_title("Highest probability, and share of rows that are right")
ax.legend()

# %%
# The log loss, which is large for sure and wrong answers, falls, and is lowest for strengths from
# 0.1 to 0.3. The accuracy does not change by more than its spread.
fig, axes = plt.subplots(1, 2, figsize=(6.2, 2.8))
for ax, name, row in zip(axes, ("log loss", "accuracy"), (2, 1), strict=True):
    values = [results[s][:, row].mean(axis=1) for s in strengths]
    ax.errorbar(strengths, np.mean(values, axis=1), np.std(values, axis=1), fmt="o-")
    ax.set(xlabel="label_smoothing", ylabel=name, title=f"Test {name}, five splits")
axes[0].set_ylim(0.5, None)
axes[1].set_ylim(0.5, 1)
plt.show()

# %%
# See: :doc:`/regularization/label_smoothing`, :class:`~skreg.MLPClassifier`.
