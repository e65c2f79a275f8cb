"""What regularizers do to a decision boundary: the picture of the front page.

On wide screens and in the README it is a file, `docs/_static/hero.png`; to draw it again::

    python docs/figures/hero.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
from _common import boundary, moons
from sklearn.metrics import log_loss

from skreg import MLPClassifier

SETTINGS = {
    "Plain": {},
    "L2 penalty": {"alpha": 0.01},
    "Dropout": {"dropout": 0.7},
    "Input noise": {"input_noise": 0.3},
}


def draw(n_rows, n_columns, size):
    X, y = moons(100, noise=0.35)
    X_test, y_test = moons(4000, noise=0.35, seed=1000)
    fig, axes = plt.subplots(n_rows, n_columns, figsize=size)
    for ax, (name, parameters) in zip(axes.flat, SETTINGS.items(), strict=True):
        model = MLPClassifier(
            (100, 100),
            batch_size=20,
            learning_rate_init=0.003,
            max_iter=300,
            n_iter_no_change=300,
            random_state=0,
            **{"alpha": 0.0} | parameters,
        ).fit(X, y)
        boundary(ax, model, X, y)
        loss = log_loss(y_test, model.predict_proba(X_test))
        ax.set(title=name, xlabel=f"test loss {loss:.2f}")
        ax.spines[:].set_visible(False)
    return fig


def wide():
    return draw(1, 4, (7.2, 2.2))


def narrow():
    return draw(2, 2, (4.2, 4.2))


if "__file__" in globals():  # a script, not a part of a page
    plt.style.use(Path(__file__).parents[1] / "style.mplstyle")
    wide().savefig(Path(__file__).parents[1] / "_static" / "hero.png", dpi=200)
