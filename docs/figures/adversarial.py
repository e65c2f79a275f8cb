"""Accuracy on rows that are moved to where the loss is larger."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier


def attacked(mlp, X, y, size):
    """One step against the gradient's sign: with relu the derivative is found from the weights."""
    a, active = X, []
    for W, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        z = a @ W + b
        active.append(z > 0)
        a = np.maximum(z, 0)
    g = mlp.predict_proba(X)
    g[np.arange(len(y)), y] -= 1
    for W, on in zip(mlp.coefs_[:0:-1], active[::-1], strict=True):
        g = (g @ W.T) * on
    return X + size * np.sign(g @ mlp.coefs_[0].T)


sizes = np.linspace(0, 0.5, 11)
_, axes = plt.subplots(figsize=(7.2, 2.8))
for epsilon, color in ((0.0, "0.55"), (0.1, "C1"), (0.3, "C3")):
    scores = []
    for seed in range(3):
        X, X_test, y, y_test = digits(1000, seed)
        mlp = MLPClassifier((64, 64), adversarial_epsilon=epsilon, max_iter=100, random_state=seed)
        mlp.fit(X, y)
        scores.append([mlp.score(attacked(mlp, X_test, y_test, s), y_test) for s in sizes])
    axes.plot(sizes, np.mean(scores, axis=0), color=color, label=f"adversarial_epsilon={epsilon}")
axes.set_xlabel("size of the attack (standard deviations of a pixel)")
axes.set(title="Accuracy on attacked test digits", ylabel="accuracy", ylim=(0, 1), xlim=(0, 0.5))
axes.legend(loc="lower left")
