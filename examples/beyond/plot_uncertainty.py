"""
Where does a network not know?
==============================

A network answers everywhere, also where it has seen no rows. With dropout left on, many passes
give many answers, and ``predict(X, return_std=True)`` returns their mean and a spread. Does it grow
where rows are missing, and what does it depend on? Run it with
``python examples/plot_uncertainty.py``; it takes a few seconds.
"""

import matplotlib.pyplot as plt
import numpy as np

from skreg import MLPRegressor

# %%
# A curve with noise, and a gap in which there are no rows.
rng = np.random.RandomState(0)


def curve(x):
    return x * np.sin(2 * x) / 2


def noisy(x):
    return curve(x) + 0.15 * rng.normal(size=len(x))


x = np.concatenate([rng.uniform(-3, -0.5, 250), rng.uniform(1.5, 3, 250)])
y = noisy(x)


def network(**parameters):
    """Early stopping, because the noise in y is estimated on the validation rows."""
    return MLPRegressor(
        hidden_layer_sizes=(128, 128),
        early_stopping=True,
        n_iter_no_change=60,
        batch_size=50,
        learning_rate_init=0.003,
        max_iter=1000,
        random_state=0,
        **parameters,
    )


# %%
# The spread has two parts: that of the passes, and the noise in y, ``noise_std_``, which is one
# number for all rows. The standard deviation that is returned is the root of the sum of their
# squares. Among the training rows noise is the larger part. In the gap and outside it is the
# passes that differ, and here the band covers nearly all that the network misses.
model = network(activation="gelu", dropout=0.1).fit(x[:, None], y)
grid = np.linspace(-4.5, 4.5, 400)
mean, std = model.predict(grid[:, None], return_std=True, n_draws=300)
passes = np.sqrt(np.maximum(std**2 - model.noise_std_**2, 0))
print(f"Noise: estimated {model.noise_std_[0]:.3f}, true 0.150")

fig, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
for width, label, shade in ((std, "2 std: passes and noise", 0.2), (passes, "2 std: passes", 0.4)):
    band = mean - 2 * width, mean + 2 * width
    ax.fill_between(grid, *band, color="C0", alpha=shade, lw=0, label=label)
ax.plot(x, y, ".", color="black", ms=3, alpha=0.6, label="training rows")
ax.plot(grid, curve(grid), color="C1", ls="--", label="truth")
ax.plot(grid, mean, color="C0", label="mean of the passes")
ax.set(xlabel="x", ylabel="y", ylim=(-2.5, 4.5))
ax.legend(loc="upper center", ncols=2, fontsize=9)

# %%
# Four networks that describe new rows *of the same kind* much alike, by the mean log
# density and by the share of rows within two standard deviations. What they say about the gap and
# the outside is not the same at all: it follows from ``dropout`` and ``activation``, which are
# choices. So read the spread as a comparison of rows by one network, not as a confidence interval.
settings = [
    {"activation": "gelu", "dropout": 0.02},
    {"activation": "gelu", "dropout": 0.3},
    {"activation": "relu", "dropout": 0.1},
    {"activation": "tanh", "dropout": 0.1},
]
x_new = np.concatenate([rng.uniform(-3, -0.5, 1000), rng.uniform(1.5, 3, 1000)])
y_new = noisy(x_new)

fig, axes = plt.subplots(1, 4, figsize=(11.5, 3.4), sharey=True, layout="constrained")
for ax, setting in zip(axes, settings, strict=True):
    model = network(**setting).fit(x[:, None], y)
    mean, std = model.predict(grid[:, None], return_std=True)
    ax.fill_between(grid, mean - 2 * std, mean + 2 * std, alpha=0.3, lw=0)
    ax.plot(grid, mean)
    ax.plot(x, y, ".", color="black", ms=2, alpha=0.5)
    ax.plot(grid, curve(grid), color="C1", ls="--", lw=1)
    mean, std = model.predict(x_new[:, None], return_std=True)
    density = -0.5 * ((y_new - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
    inside = np.mean(np.abs(y_new - mean) < 2 * std)
    name = f"{setting['activation']}, dropout {setting['dropout']}"
    title = f"{name}\nlog density {density.mean():.2f}, inside {inside:.0%}"
    ax.set_title(title, fontsize=10)
    ax.set(xlabel="x", ylim=(-2.5, 4.5))
axes[0].set_ylabel("y")
plt.show()
