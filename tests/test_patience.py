"""Schedules with an end decide when training ends, unless a validation set is watched."""

import warnings

import numpy as np
import pytest
from conftest import PLANNED, fit_epochs, fit_quietly

from skreg import MLPClassifier, MLPRegressor


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).normal(size=(150, 4))
    return X, (2 * X[:, 0] + np.sin(X[:, 1])) / 3


def test_a_slow_start_does_not_end_training(data):
    """While the rate rises a lack of progress means nothing."""
    params = {"solver": "sgd", "max_iter": 2000, "random_state": 0}
    model = MLPRegressor(**params, warmup=0.5).fit(*data)
    assert model.n_iter_ > 1000
    assert model.score(*data) > 0.9


@pytest.mark.parametrize("learning_rate", sorted(PLANNED))
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_planned_rates_run_to_their_end(data, learning_rate, solver):
    """Without a warning: that is where they were meant to end."""
    params = {"solver": solver, "max_iter": 60, "tol": 10.0, "n_iter_no_change": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MLPRegressor(**params, learning_rate=learning_rate).fit(*data)
    assert model.n_iter_ == 60
    assert model.lr_curve_[-1] < 0.01 * model.learning_rate_init


@pytest.mark.parametrize("learning_rate", sorted(PLANNED))
def test_a_validation_set_may_end_them(data, learning_rate):
    X, y = data
    clf = MLPClassifier(
        learning_rate=learning_rate, early_stopping=True, max_iter=300, tol=10.0, random_state=0
    )
    fit_quietly(clf, X, y > 0)
    assert clf.n_iter_ < 20


def test_plateau_needs_gains_of_tol(data):
    """Gains that each are too small count as none, as for the patience."""
    params = {"solver": "sgd", "max_iter": 40, "n_iter_no_change": 20, "random_state": 0}
    model = fit_quietly(MLPRegressor(**params, learning_rate="plateau", tol=1.0), *data)
    assert model.lr_curve_[-1] < 0.3 * model.learning_rate_init


def test_any_integer_is_a_patience(cancer):
    """Also one that fits into no type of NumPy."""
    model = MLPClassifier((3,), n_iter_no_change=10**30, max_iter=2, learning_rate="plateau")
    assert fit_epochs(model, *cancer).n_iter_ == 2
