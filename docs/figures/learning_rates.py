"""The rate of each schedule along a training."""

import _common  # noqa: F401  (trainings of a given length do not warn)
import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from skreg import MLPClassifier

X, y = load_iris(return_X_y=True)
SCHEDULES = ("constant", "cosine", "cosine_restarts", "flat_cosine", "one_cycle", "cosine")
_, panels = plt.subplots(3, 2, figsize=(5.4, 5.2), sharex=True, sharey=True)
for axes, schedule, warmup in zip(panels.flat, SCHEDULES, [0] * 5 + [0.2], strict=True):
    mlp = MLPClassifier((4,), learning_rate=schedule, warmup=warmup, max_iter=100,
                        n_iter_no_change=100, random_state=0).fit(X, y)  # fmt: skip
    axes.plot(range(1, 101), mlp.lr_curve_)
    axes.set_title(schedule + (f", warmup={warmup}" if warmup else ""))
    axes.set(xlim=(0, 100), ylim=(0, 1.1e-3), yticks=[0, 5e-4, 1e-3])
for axes in panels[-1]:
    axes.set_xlabel("epoch")
for axes in panels[:, 0]:
    axes.set_ylabel("learning rate")
