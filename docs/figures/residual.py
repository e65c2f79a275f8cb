"""The accuracy of deep networks with and without residual links."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

DEPTHS = (1, 3, 7, 13, 21)
_, axes = plt.subplots(figsize=(7.2, 2.8))
for residual, color, name in ((False, "0.55", "residual=False"), (True, "C2", "residual=True")):
    scores = []
    for depth in DEPTHS:
        of_seeds = []
        for seed in range(3):
            X, X_test, y, y_test = digits(1000, seed)
            mlp = MLPClassifier((48,) * depth, residual=residual and depth > 1, batch_size=64,
                                max_iter=15, random_state=seed).fit(X, y)  # fmt: skip
            of_seeds.append(mlp.score(X_test, y_test))
        scores.append(of_seeds)
    mean, low, high = np.mean(scores, axis=1), np.min(scores, axis=1), np.max(scores, axis=1)
    axes.fill_between(DEPTHS, low, high, color=color, alpha=0.15, lw=0)
    axes.plot(DEPTHS, mean, "o-", color=color, label=name)
axes.set(title="Accuracy on test digits after 15 epochs", xlabel="hidden layers", ylabel="accuracy")
axes.set(xticks=DEPTHS, ylim=(0.5, 1))
axes.legend(loc="lower left")
