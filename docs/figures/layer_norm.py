"""Rows of very different size, before and after a normalization over their units."""

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
size = np.array([0.3, 0.6, 1.0, 1.6, 2.4, 3.5])[:, None]
z = size * rng.normal(0.6, 1.0, (6, 24))
normal = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)

figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.4), sharey=True)
for axes, values, name in ((panels[0], z, "Units before"), (panels[1], normal, "and after")):
    image = axes.imshow(values, cmap="RdBu_r", vmin=-4, vmax=4, aspect="auto")
    axes.set(title=name, xlabel="hidden unit", xticks=[], yticks=range(6))
    for row, values_of_row in enumerate(values):
        axes.text(24.2, row, f"{values_of_row.mean():.1f} ± {values_of_row.std():.1f}", va="center",
                  fontsize=8)  # fmt: skip
panels[0].set(ylabel="row of the batch")
figure.colorbar(image, ax=panels, shrink=0.8, pad=0.14, label="value")
