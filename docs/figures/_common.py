"""What several pictures draw."""

import warnings

import numpy as np
from sklearn.datasets import load_digits, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# Many of the trainings have a given length.
warnings.simplefilter("ignore", ConvergenceWarning)


def digits(n_train, seed=0, flip=0.0):
    """Scaled, n_train rows to learn from, the others to test on; a share of labels is wrong."""
    X, y = load_digits(return_X_y=True)
    A, B, a, b = train_test_split(X, y, train_size=n_train, stratify=y, random_state=seed)
    scaler, rng = StandardScaler().fit(A), np.random.default_rng(seed)
    a = np.where(rng.random(len(a)) < flip, rng.integers(0, 10, len(a)), a)
    return scaler.transform(A), scaler.transform(B), a, b


def moons(n, noise=0.3, seed=0):
    return make_moons(n, noise=noise, random_state=seed)


def boundary(axes, model, X, y):
    """The probability of class 1 as a map, and the rows."""
    low, high = X.min(axis=0) - 0.4, X.max(axis=0) + 0.4
    grid = np.meshgrid(*(np.linspace(a, b, 160) for a, b in zip(low, high, strict=True)))
    p = model.predict_proba(np.column_stack([g.ravel() for g in grid]))[:, 1]
    p = p.reshape(grid[0].shape)
    axes.contourf(*grid, p, levels=np.linspace(0, 1, 13), cmap="RdBu_r", alpha=0.75)
    axes.contour(*grid, p, levels=[0.5], colors="0.2", linewidths=1.2)
    axes.scatter(*X.T, c=y, cmap="RdBu_r", vmin=-0.1, vmax=1.1, s=13, edgecolor="white", lw=0.5)
    axes.set(xticks=[], yticks=[])


def plain_digits():
    """As the page of first steps takes them: gray values from 0 to 1, halved."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, test_size=0.5, stratify=y, random_state=0)
