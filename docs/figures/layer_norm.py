"""Rows of very different size, before and after a normalization over their units."""

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
size = np.array([0.3, 0.6, 1.0, 1.6, 2.4, 3.5])[:, None]
z = size * rng.normal(0.6, 1.0, (6, 24))
normal = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)

figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.6), sharey=True)
for axes, values, name in ((panels[0], z, "Before"), (panels[1], normal, "After")):
    image = axes.imshow(values, cmap="RdBu_r", vmin=-4, vmax=4, aspect="auto")
    axes.set(title=name, xlabel="hidden unit", xticks=[0, 11, 23], xticklabels=[1, 12, 24])
    axes.set(yticks=range(6), yticklabels=range(1, 7))
    axes.text(24, -0.6, "mean ± std", va="bottom", fontsize=9)
    for row, units in enumerate(values):
        mean, std = abs(round(units.mean(), 1)), units.std()  # all means are 0 or more
        axes.text(24, row, f"{mean:.1f} ± {std:.1f}", va="center", fontsize=9)
panels[0].set_ylabel("row of the batch")
figure.colorbar(image, ax=panels, shrink=0.8, label="pre-activation")
