"""A table of six rows, and what a training step sees of it."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

COLUMNS = {"alcohol": 0, "malic acid": 1, "ash": 2, "magnesium": 4, "color": 9}
rows = load_wine().data[[3, 20, 61, 90, 140, 170]][:, list(COLUMNS.values())]
rng = np.random.default_rng(34)
swapped = rng.random(rows.shape) < 0.2
partners = rng.integers(0, len(rows), rows.shape)
seen = np.where(swapped, np.take_along_axis(rows, partners, axis=0), rows)

_, panels = plt.subplots(2, 1, figsize=(5.4, 4.6))
for axes, values, title in (
    (panels[0], rows, "Rows of the batch"),
    (panels[1], seen, "The same rows with swap_noise=0.2"),
):
    marked = (values != rows)[..., None]
    table = axes.table(
        [[f"{value:.3g}" for value in row] for row in values],
        colLabels=list(COLUMNS),
        cellColours=np.where(marked, plt.get_cmap("Oranges")(0.4), [1.0, 1, 1, 1]),
        loc="center",
        cellLoc="center",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.4)
    for cell in table.get_celld().values():
        cell.set_edgecolor("0.85")
    axes.set_title(title)
    axes.axis("off")
