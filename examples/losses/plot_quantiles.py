"""
How sure can a prediction be?
=============================

A :class:`~skreg.MLPRegressor` with ``loss="quantile"`` and several levels in ``quantile`` predicts
a band instead of a number (see :doc:`/losses`). It is wide where the data are noisy, and contains
nearly as many new rows as it should.
"""

import matplotlib.pyplot as plt
import numpy as np

from skreg import MLPRegressor

# %%
# A curve whose noise is small in some places and large in others, and skewed: large errors go
# upwards.
rng = np.random.RandomState(0)


def sample(n):
    """Rows with a noise that depends on x."""
    x = rng.uniform(-3, 3, n)
    noise = rng.gamma(2, size=n) - 2
    return x[:, None], np.sin(x) + (0.1 + 0.3 * np.cos(x) ** 2) * noise


X_train, y_train = sample(3000)
X_test, y_test = sample(3000)

# %%
# One network with seven outputs. Early stopping watches the same loss on rows set aside, so that
# the quantiles do not follow the noise of the training rows.
levels = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975]
model = MLPRegressor(
    "quantile",
    (64, 64),
    quantile=levels,
    early_stopping=True,
    n_iter_no_change=30,
    learning_rate="plateau",
    learning_rate_init=0.005,
    max_iter=500,
    random_state=0,
).fit(X_train, y_train)

# %%
# The band follows the spread of the data, and is skewed as the noise is.
grid = np.linspace(-3, 3, 400)
curves = model.predict(grid[:, None])

fig, ax = plt.subplots(figsize=(6.2, 4.2))
ax.plot(X_test[:1000], y_test[:1000], ".", color="0.5", ms=3, alpha=0.6, label="new rows")
for i, shade in ((1, 0.25), (2, 0.4)):
    label = f"{levels[i]:.0%} to {levels[-1 - i]:.0%}"
    ax.fill_between(
        grid, curves[:, i], curves[:, -1 - i], color="C0", alpha=shade, lw=0, label=label
    )
ax.plot(grid, curves[:, 3], color="C1", label="median")
ax.set(xlabel="x", ylabel="y", title="Predicted quantiles: wide where the noise is large")
ax.legend(loc="upper left")

# %%
# Its coverage: of new rows, the share below each quantile should be the level of the quantile.
predicted = model.predict(X_test)
below = (y_test[:, None] <= predicted).mean(axis=0)

fig, ax = plt.subplots(figsize=(4.6, 3.8))
ax.plot([0, 1], [0, 1], color="0.6", zorder=1)
ax.plot(levels, below, "o")
ax.set(
    xlabel="level", ylabel="share of new rows below", title="Coverage of new rows", aspect="equal"
)
inside = np.mean((predicted[:, 1] <= y_test) & (y_test <= predicted[:, -2]))
print(f"Between the 5 % and the 95 % quantile lie {inside:.1%} of the new rows.")
print(f"Mean D2 pinball score: {model.score(X_test, y_test):.3f}")
plt.show()

# %%
# See: :doc:`/losses`, :doc:`/uncertainty`, :class:`~skreg.MLPRegressor`.
