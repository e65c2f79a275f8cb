"""Losses of a training whose rows hold a few gross outliers, with and without clipping."""

import _common  # noqa: F401  (trainings of a given length do not warn)
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_regression

from skreg import MLPRegressor

X, y = make_regression(2000, 10, noise=5, random_state=0)
y /= y.std()
dirty = y.copy()
dirty[::700] *= 100
_, axes = plt.subplots(figsize=(7.2, 2.8))
for clip, color in ((None, "0.55"), (1.0, "C0")):
    for seed in range(3):
        mlp = MLPRegressor(hidden_layer_sizes=(32,), solver="sgd", learning_rate_init=0.01,
                           batch_size=32, clip_norm=clip, random_state=seed)  # fmt: skip
        errors = [np.mean((mlp.partial_fit(X, dirty).predict(X) - y) ** 2) for _ in range(30)]
        label = f"clip_norm={clip}" if seed == 0 else None
        axes.plot(range(1, 31), errors, color=color, lw=1.3, label=label)
axes.set(title="Error on the true targets, 3 of 2000 are wrong in training", yscale="log")
axes.set(xlabel="epoch", ylabel="squared error")
axes.legend()
