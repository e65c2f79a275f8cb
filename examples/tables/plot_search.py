"""
What did a search find, and what mattered?
==========================================

``RegularizationSearchCV`` trains its candidates for a few epochs, and those that do well for
longer. ``SearchDisplay`` draws how they went on, and how their score depends on each parameter. Run
it with ``python examples/tables/plot_search.py``; it takes about 15 seconds.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, RegularizationSearchCV, SearchDisplay

# %%
# Digits of 8 x 8 pixels, 400 to learn from, and 27 candidates: the network as it is and 26 others.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=400, stratify=y, random_state=0
)
network = make_pipeline(StandardScaler(), MLPClassifier(max_iter=100))


def search(final):
    options = {"n_candidates": 27, "scoring": "neg_log_loss", "random_state": 0, "final": final}
    return RegularizationSearchCV(network, "light", **options).fit(X_train, y_train)


folds = search("folds")
for name, value in folds.best_params_.items():
    print(f"{name.removeprefix('mlpclassifier__')}: {value}")

# %%
# Above, each line is a candidate: of 27 nine go on after four epochs, then three, then one.
# Below, each candidate is a point at its last score, so compare points of one colour. What mattered
# most is how fast a network learns: those far below have a learning rate of 0.001 at most. With
# more epochs some might catch up; ``min_epochs`` gives them these. Of depth, dropout and weight
# decay small and large values went on alike.
SearchDisplay.from_estimator(folds)

# %%
# ``final`` says what the search ends in. ``"folds"`` averages the five networks of the winner,
# which are there already; ``"retrain"`` trains one network on all 400 rows. The log loss of the
# 1397 digits that the search has not seen, with its standard error:
warnings.filterwarnings("ignore", category=ConvergenceWarning)
plain = clone(network).set_params(mlpclassifier__random_state=0).fit(X_train, y_train)
models = {
    "the network as it is": plain,
    'final="retrain"': search("retrain"),
    'final="folds"': folds,
}
fig, ax = plt.subplots(figsize=(6.5, 2.4), layout="constrained")
for i, (name, model) in enumerate(models.items()):
    begin = time.perf_counter()
    probabilities = model.predict_proba(X_test)
    milliseconds = 1000 * (time.perf_counter() - begin)
    losses = -np.log(probabilities[np.arange(len(y_test)), y_test])
    ax.errorbar(losses.mean(), i, xerr=losses.std() / len(losses) ** 0.5, fmt="o", color="C0")
    print(f"{name}: log loss {losses.mean():.3f}, predicts in {milliseconds:.1f} ms")
ax.set_yticks(range(len(models)), models)
ax.set(xlabel="test log loss", ylim=(-0.5, 2.5))

# %%
# The search was worth it; between the two ends the errors are as large as the difference. One
# network is smaller, and five times as fast.
plt.show()
