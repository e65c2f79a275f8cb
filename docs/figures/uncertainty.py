"""The spread of predictions with dropout, on a curve with a gap, at two rates."""

import matplotlib.pyplot as plt
import numpy as np

from skreg import MLPRegressor

rng = np.random.RandomState(0)
x = np.concatenate([rng.uniform(-3, -0.5, 250), rng.uniform(1.5, 3, 250)])
y = x * np.sin(2 * x) / 2 + 0.15 * rng.normal(size=500)
grid = np.linspace(-4.5, 4.5, 300)

_, panels = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True)
for axes, dropout in zip(panels, (0.05, 0.2), strict=True):
    mlp = MLPRegressor(hidden_layer_sizes=(128, 128), activation="gelu", dropout=dropout,
                       early_stopping=True, n_iter_no_change=60, batch_size=50, max_iter=1000,
                       learning_rate_init=0.003, random_state=0)  # fmt: skip
    mean, std = mlp.fit(x[:, None], y).predict(grid[:, None], return_std=True, n_draws=300)
    for width, shade in ((2, 0.18), (1, 0.3)):
        axes.fill_between(grid, mean - width * std, mean + width * std, color="C0", alpha=shade,
                          lw=0, label=f"± {width} std")  # fmt: skip
    axes.plot(x, y, ".", color="0.3", ms=2.5, label="training rows")
    axes.plot(grid, mean, color="C0", label="mean")
    axes.set(title=f"dropout={dropout}", xlabel="x", ylim=(-2.5, 4.5), xlim=(-4.5, 4.5))
panels[0].set_ylabel("y")
panels[1].legend(loc="upper center", ncols=2)
