"""The losses of the regressor and their gradients over the error; a band between two quantiles."""

import _common  # noqa: F401  (trainings of a given length do not warn)
import matplotlib.pyplot as plt
import numpy as np

from skreg import MLPRegressor


def over_error():
    d, delta, q = np.linspace(-3, 3, 601), 1.0, 0.9  # d: prediction minus target
    losses = {
        "squared_error": (d**2 / 2, d),
        "absolute_error": (abs(d), np.sign(d)),
        "huber, delta=1": (
            np.where(abs(d) <= delta, d**2 / 2, delta * (abs(d) - delta / 2)),
            np.clip(d, -delta, delta),
        ),
        "quantile=0.9": (np.maximum(-q * d, (1 - q) * d), np.where(d < 0, -q, 1 - q)),
    }
    _, (loss, gradient) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    for name, (value, slope) in losses.items():
        dashes = "--" if name.startswith("huber") else "-"  # above the squared error
        loss.plot(d, value, dashes, label=name)
        gradient.plot(d, slope, dashes)
    loss.set(title="Loss", ylim=(0, 3.2), ylabel="loss of a row")
    gradient.set(title="Gradient", ylim=(-2, 2), ylabel="gradient")
    for axes in (loss, gradient):
        axes.set(xlabel="prediction - target", xlim=(-3, 3))
    gradient.axhline(0, color="0.8", lw=0.8, zorder=0)
    loss.legend(loc="upper center")


def quantiles():
    rng = np.random.RandomState(0)
    x = rng.uniform(-3, 3, 2000)
    y = np.sin(x) + (0.15 + 0.25 * (1 + np.sin(1.5 * x))) * rng.normal(size=2000)
    band = MLPRegressor("quantile", (64, 64), quantile=[0.05, 0.5, 0.95], learning_rate="cosine",
                        learning_rate_init=0.005, max_iter=100, n_iter_no_change=np.inf,
                        random_state=0).fit(x[:, None], y)  # fmt: skip
    grid = np.linspace(-3, 3, 300)
    low, median, high = band.predict(grid[:, None]).T
    _, axes = plt.subplots(figsize=(7.2, 3.4))
    axes.plot(x, y, ".", ms=3, color="0.6", alpha=0.5, label="training rows")
    axes.fill_between(grid, low, high, alpha=0.3, label="5 % to 95 % quantile")
    axes.plot(grid, median, label="median")
    axes.set(xlabel="x", ylabel="y", xlim=(-3, 3))
    axes.legend(loc="upper left")
