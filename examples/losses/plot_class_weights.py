"""
Does the network find the rare class?
=====================================

Where one row in twenty belongs to a class, a network that never predicts this class has an
accuracy of 95 %. :doc:`Class weights </regularization/class_weights>`, ``class_weight`` of
:class:`~skreg.MLPClassifier`, make its rows count more in the training and in the validation loss.
With larger weights more of them are found, among more false alarms.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# Two classes that overlap, the second with 5 % of the rows, and a weight for its rows from 1, that
# of the others, to 20, near that of ``class_weight="balanced"``. Five splits for each weight.
X, y = make_classification(
    6000, 10, n_informative=5, weights=[0.95], class_sep=0.6, flip_y=0.02, random_state=0
)
weights = [1, 2, 4, 8, 20]


def scores(weight, seed):
    """Recall, precision and ROC AUC on the half of the rows that is left out."""
    A, B, a, b = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    model = MLPClassifier(
        (32,), class_weight={0: 1, 1: weight}, early_stopping=True, random_state=seed
    ).fit(A, a)
    found, p = model.predict(B), model.predict_proba(B)[:, 1]
    precision = precision_score(b, found, zero_division=np.nan)
    return recall_score(b, found), precision, roc_auc_score(b, p)


results = np.array([[scores(weight, seed) for seed in range(5)] for weight in weights])

# %%
# A larger weight finds more of the rare rows (recall), and fewer of the rows that it calls rare are
# rare (precision). ROC AUC, which depends only on the order of the rows, hardly changes: the order
# is as good as before, and the threshold is another one. Choose weights by what each error costs.
fig, ax = plt.subplots(figsize=(6.2, 4.2))
names = {"recall": "C0", "precision": "C1", "ROC AUC": "0.55"}
for i, (name, color) in enumerate(names.items()):
    mean, spread = results[:, :, i].mean(axis=1), results[:, :, i].std(axis=1)
    ax.errorbar(weights, mean, spread, fmt="o-", color=color, label=name)
ax.set(xscale="log", xlabel="weight of a row of the rare class", ylabel="score on new rows")
ax.set_xticks(weights, weights)
ax.minorticks_off()
ax.set(ylim=(0, 1.02), title="Recall rises with the weight, precision falls")
fig.legend(loc="outside lower center", ncols=3)
plt.show()

# %%
# See: :doc:`/regularization/class_weights`, :class:`~skreg.MLPClassifier`.
