"""Data sets and helpers that the test modules share. Nothing here needs files or the network."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_wine,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skreg import common


def _read_only(*arrays):
    """Freeze the arrays: a test, or an estimator, that writes into them fails."""
    for array in arrays:
        array.flags.writeable = False
    return arrays


@pytest.fixture(scope="session")
def cancer():
    """Binary classification, 569 x 30, standardized."""
    X, y = load_breast_cancer(return_X_y=True)
    return _read_only(scale(X), y)


@pytest.fixture(scope="session")
def diabetes():
    """Regression, 442 x 10, features and target standardized."""
    X, y = load_diabetes(return_X_y=True)
    return _read_only(scale(X), scale(y))


@pytest.fixture(scope="session")
def wine():
    """Three classes, 178 x 13, standardized."""
    X, y = load_wine(return_X_y=True)
    return _read_only(scale(X), y)


@pytest.fixture(scope="session")
def multilabel():
    """Four labels that may hold at once, 200 x 8, standardized."""
    X, Y = make_multilabel_classification(200, n_features=8, n_classes=4, random_state=0)
    return _read_only(scale(X), Y)


@pytest.fixture(scope="session")
def mixed_table():
    """Numbers, strings, categories and booleans of pandas, with missing values."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(1)
    n, towns = 300, ["Rome", "Bonn", "Bern", "Oslo"]
    town = rng.choice(np.array([*towns, None], dtype=object), n, p=[0.4, 0.3, 0.2, 0.01, 0.09])
    income = np.where(rng.uniform(size=n) < 0.1, np.nan, rng.lognormal(10, 1, n))
    grade = pd.Categorical(rng.choice(["a", "b", "c"], n), categories=["c", "b", "a", "unused"])
    columns = {"age": rng.randint(18, 90, n), "income": income, "town": town, "grade": grade}
    return pd.DataFrame({**columns, "member": rng.uniform(size=n) < 0.4})


@pytest.fixture(scope="session")
def regression():
    """Regression, 500 x 20, target standardized."""
    X, y = make_regression(500, 20, n_informative=10, noise=10.0, random_state=0)
    return _read_only(X, scale(y))


@pytest.fixture(scope="session")
def counts():
    """Counts with a log-linear mean, 300 x 5, for the Poisson loss."""
    rng = np.random.RandomState(0)
    X = rng.randn(300, 5)
    mean = np.exp(0.5 + X @ [0.4, -0.3, 0.2, 0.0, 0.0])
    return _read_only(X, rng.poisson(mean).astype(float))


@pytest.fixture(autouse=True)
def _nothing_was_told():
    """Warnings that a process gives once are new in each test."""
    common._warned.clear()


PLANNED = {"cosine", "cosine_restarts", "one_cycle", "flat_cosine"}


def fit_epochs(estimator, X, y, **fit_params):
    """Fit an estimator that is meant to use up `max_iter`, and expect the warning that says so.

    With a learning rate that is planned to end there it is no matter for a warning.
    """
    if getattr(estimator, "learning_rate", None) in PLANNED:
        fit_quietly(estimator, X, y, **fit_params)
        assert estimator.n_iter_ == estimator.max_iter
        return estimator
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        return estimator.fit(X, y, **fit_params)


def fit_quietly(estimator, X, y, **fit_params):
    """Fit, whether or not it converges; any other warning is still an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y, **fit_params)


def parameters(estimator):
    """Every weight and bias of a fitted estimator as one vector."""
    return np.concatenate([p.ravel() for p in [*estimator.coefs_, *estimator.intercepts_]])


def assert_same_bits(first, second):
    """Two fitted estimators hold the same weights and biases, bit for bit."""
    np.testing.assert_array_equal(parameters(first), parameters(second))


def distance(first, second):
    """Largest difference of two estimators' weights and biases, relative to the largest one."""
    a, b = parameters(first), parameters(second)
    return np.abs(a - b).max() / np.abs(b).max()


class ScriptedScorer:
    """A scorer that plays back scores, or returns 0, and remembers how it was called."""

    def __init__(self, scores=()):
        self.scores, self.calls = list(scores), []

    def __call__(self, estimator, X, y, **kwargs):
        """Return the next score."""
        call = {"estimator": estimator, "X": X, "y": y, "weights": parameters(estimator), **kwargs}
        self.calls.append(call)
        return self.scores[len(self.calls) - 1] if self.scores else 0.0
