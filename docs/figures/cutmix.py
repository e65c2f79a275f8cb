"""Two digits, the first with columns of the second, and with values set to their means."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

X = load_digits().data
first, second = X[0], X[11]
rng = np.random.default_rng(2)
taken, gone = rng.random(64) < 0.25, rng.random(64) < 0.25
share = round(100 * taken.mean())
pictures = [
    (first, "Row", "target: 0"),
    (second, "Partner", "target: 1"),
    (np.where(taken, second, first), "CutMix", f"target: {100 - share} % 0, {share} % 1"),
    (np.where(gone, X.mean(axis=0), first), "Cutout", "target: 0"),
]
_, panels = plt.subplots(2, 2, figsize=(4.6, 5))
marked = (None, None, taken, gone)
for axes, (picture, title, label), marks in zip(panels.flat, pictures, marked, strict=True):
    axes.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    for i in np.flatnonzero(marks) if marks is not None else ():
        axes.add_patch(plt.Rectangle((i % 8 - 0.5, i // 8 - 0.5), 1, 1, fill=False, ec="C1"))
    axes.set(title=title, xlabel=label, xticks=[], yticks=[])
