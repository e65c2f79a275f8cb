"""Two digits, the first with columns of the second, and with values set to their means."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(2)
first, second = X[13], X[17]
taken, gone = rng.random(64) < 0.25, rng.random(64) < 0.25
pictures = [
    (first, f"a {y[13]}"),
    (second, f"an {y[17]}" if y[17] == 8 else f"a {y[17]}"),
    (np.where(taken, second, first), f"CutMix: {1 - taken.mean():.2f} of a {y[13]}"),
    (np.where(gone, X.mean(axis=0), first), f"Cutout: a {y[13]}"),
]
figure, panels = plt.subplots(1, 4, figsize=(7.2, 2.1))
for axes, (picture, title), marks in zip(panels, pictures, (None, None, taken, gone), strict=True):
    axes.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    if marks is not None:
        for i in np.flatnonzero(marks):
            axes.add_patch(plt.Rectangle((i % 8 - 0.5, i // 8 - 0.5), 1, 1, fill=False, ec="C1"))
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
