"""A table of six rows, and what a training step sees of it."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

wine = load_wine()
columns = [0, 1, 2, 3, 9]
rows = wine.data[[3, 20, 61, 90, 140, 170]][:, columns]
names = [wine.feature_names[i].replace("_", " ").replace("alcalinity of", "alcalinity,") for i in columns]
rng = np.random.default_rng(4)
swapped = rng.random(rows.shape) < 0.2
partners = rng.integers(0, len(rows), rows.shape)
seen = np.where(swapped, np.take_along_axis(rows, partners, axis=0), rows)

figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.3))
for axes, values, marks, title in (
    (panels[0], rows, np.zeros_like(swapped), "The table"),
    (panels[1], seen, swapped & (seen != rows), "What a step sees, swap_noise=0.2"),
):
    table = axes.table(
        [[f"{v:.1f}" for v in row] for row in values],
        colLabels=[name.split()[0].strip(",") for name in names],
        cellColours=np.where(marks[..., None], plt.get_cmap("Oranges")(0.4), [1.0, 1, 1, 1]),
        loc="center",
        cellLoc="center",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8.5)
    table.scale(1, 1.35)
    for cell in table.get_celld().values():
        cell.set_edgecolor("0.85")
    axes.set_title(title)
    axes.axis("off")
