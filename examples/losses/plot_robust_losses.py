"""
What do outliers in y do to a network?
======================================

In the squared error a large error counts by its square, so that a few wrong targets change the
whole curve. With ``loss="huber"`` and ``loss="absolute_error"``, two of the :doc:`losses </losses>`
of :class:`~skreg.MLPRegressor`, each row's gradient is bounded, and the curve stays near the truth.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPRegressor

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)


# %%
# A sine with little noise, whose targets are too large, by 3 to 6, in a part of the rows.
def sample(share, seed):
    """Of 300 rows, the first ones are outliers."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, size=300)
    y = np.sin(2 * x) + 0.15 * rng.normal(size=300)
    wrong = round(300 * share)
    y[:wrong] += rng.uniform(3, 6, size=wrong)
    return x[:, None], y


losses = {"squared_error": {}, "huber": {"delta": 0.3}, "absolute_error": {}}
styles = {"squared_error": "C1-", "huber": "C0-", "absolute_error": "C2--"}


def fit(loss, share, seed):
    """Two layers of 64 units, a falling learning rate, and the default L2 penalty."""
    options = {"learning_rate": "cosine", "learning_rate_init": 0.01, "batch_size": 50}
    options |= {"max_iter": 200, "n_iter_no_change": 200, "random_state": seed, **losses[loss]}
    return MLPRegressor(loss, (64, 64), **options).fit(*sample(share, seed))


# %%
# A tenth of the targets is wrong. The squared error lifts the curve by a tenth of their error, and
# bends it towards single ones. The other two go through the rows that are right.
grid = np.linspace(-3, 3, 400)[:, None]
x, y = sample(0.1, 0)
fig, ax = plt.subplots(figsize=(6.2, 4.2))
ax.plot(x, y, ".", color="0.65", label="training rows")
ax.plot(grid, np.sin(2 * grid), color="black", ls=":", label="truth")
for name, style in styles.items():
    ax.plot(grid, fit(name, 0.1, 0).predict(grid), style, label=name)
ax.set(xlabel="x", ylabel="y", title="Fitted curves with a tenth of the targets wrong")
fig.legend(loc="outside lower center", ncols=3)

# %%
# And with more or fewer outliers? The mean distance to the truth, over five draws.
shares = [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4]
truth = np.sin(2 * grid[:, 0])


def distance(loss, share, seed):
    return np.abs(fit(loss, share, seed).predict(grid) - truth).mean()


fig, ax = plt.subplots(figsize=(6.2, 3))
for name, style in styles.items():
    far = [[distance(name, share, seed) for share in shares] for seed in range(5)]
    ax.errorbar(
        shares, np.mean(far, axis=0), np.std(far, axis=0), fmt=style, marker="o", label=name
    )
ax.set(xlabel="share of outliers", ylabel="mean distance to the truth", ylim=(0, None))
ax.set_title("Distance to the truth: mean and deviation of five draws")
ax.legend()
plt.show()

# %%
# See: :doc:`/losses`, :class:`~skreg.MLPRegressor`.
