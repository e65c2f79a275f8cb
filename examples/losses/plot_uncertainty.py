"""
Where does a network not know?
==============================

A network predicts everywhere, also where it has seen no rows. With dropout left on, many passes
give many predictions, and ``predict(X, return_std=True)`` of :class:`~skreg.MLPRegressor` returns
their mean and a :doc:`spread </uncertainty>`. It grows where rows are missing; how much, depends on
the rate of dropout and on the activation.
"""

import matplotlib.pyplot as plt
import numpy as np

from skreg import MLPRegressor

rng = np.random.RandomState(0)


def curve(x):
    return x * np.sin(2 * x) / 2


def draw(n):
    """Rows on both sides of a gap, with noise in y."""
    x = np.concatenate([rng.uniform(-3, -0.5, n), rng.uniform(1.5, 3, n)])
    return x[:, None], curve(x) + 0.15 * rng.normal(size=2 * n)


X, y = draw(250)
X_new, y_new = draw(1000)
grid = np.linspace(-4.5, 4.5, 400)


def fit(**parameters):
    """Early stopping, because the noise in y is estimated on the validation rows."""
    options = {"early_stopping": True, "n_iter_no_change": 60, "max_iter": 1000}
    options |= {"batch_size": 50, "learning_rate_init": 0.003, "random_state": 0}
    return MLPRegressor(hidden_layer_sizes=(128, 128), **options, **parameters).fit(X, y)


# %%
# The spread has two parts: that of the passes, and the noise in y, ``noise_std_``, which is one
# number for all rows. What is returned is the root of the sum of their squares. Among the training
# rows the noise is the larger part; in the gap and outside the passes differ.
model = fit(activation="gelu", dropout=0.1)
mean, std = model.predict(grid[:, None], return_std=True, n_draws=300)
passes = np.sqrt(np.maximum(std**2 - model.noise_std_**2, 0))
print(f"Noise: estimated {model.noise_std_[0]:.3f}, true 0.150")

fig, ax = plt.subplots(figsize=(6.2, 4.4))
for width, label, shade in ((std, "2 std: passes and noise", 0.2), (passes, "2 std: passes", 0.4)):
    band = mean - 2 * width, mean + 2 * width
    ax.fill_between(grid, *band, color="C0", alpha=shade, lw=0, label=label)
ax.plot(X, y, ".", color="black", ms=3, alpha=0.6, label="training rows")
ax.plot(grid, curve(grid), color="C1", ls="--", label="truth")
ax.plot(grid, mean, color="C0", label="mean of the passes")
ax.set(xlabel="x", ylabel="y", ylim=(-2.5, 4.5), title="The spread grows where rows are missing")
ax.legend(loc="upper center", ncols=2)

# %%
# Four networks, and the share of new rows *of the same kind* within two standard deviations, which
# is nearly the same. Their spreads in the gap and outside differ: they depend on ``dropout`` and
# ``activation``. So compare spreads within one network; they are no confidence intervals.
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5), sharex=True, sharey=True)
settings = ("gelu", 0.02), ("gelu", 0.3), ("relu", 0.1), ("tanh", 0.1)
for ax, (activation, dropout) in zip(axes.flat, settings, strict=True):
    model = fit(activation=activation, dropout=dropout)
    mean, std = model.predict(X_new, return_std=True)
    inside = np.mean(np.abs(y_new - mean) < 2 * std)
    mean, std = model.predict(grid[:, None], return_std=True)
    ax.fill_between(grid, mean - 2 * std, mean + 2 * std, alpha=0.3, lw=0)
    ax.plot(grid, mean)
    ax.plot(X, y, ".", color="black", ms=2, alpha=0.5)
    ax.plot(grid, curve(grid), color="C1", ls="--", lw=1)
    ax.set(title=f"{activation}, dropout {dropout}: {inside:.0%} inside", ylim=(-2.5, 4.5))
plt.setp(axes[1], xlabel="x")
plt.show()

# %%
# See: :doc:`/uncertainty`, :class:`~skreg.MLPRegressor`.
