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
    """Where its patience is a number, with a warning; with 'auto' it only chooses the weights."""
    X, y = data
    params = {"early_stopping": True, "max_iter": 300, "tol": 10.0, "random_state": 0}
    clf = MLPClassifier(learning_rate=learning_rate, **params, n_iter_no_change=10)
    with pytest.warns(UserWarning, match=r"Training ended in epoch 12 of 300 .*='auto'"):
        clf.fit(X, y > 0)
    assert clf.n_iter_ == 12
    clf.set_params(n_iter_no_change="auto", max_iter=40).fit(X, y > 0)
    assert clf.n_iter_ == 40 and clf.best_iter_ is not None


@pytest.mark.parametrize("learning_rate", sorted(PLANNED))
def test_the_end_of_a_planned_schedule_is_no_cut(data, learning_rate):
    """No warning where the rate has fallen."""
    X, y = data
    params = {"early_stopping": True, "max_iter": 60, "tol": 10.0, "random_state": 0}
    clf = MLPClassifier(learning_rate=learning_rate, **params, n_iter_no_change=56)
    assert clf.fit(X, y > 0).n_iter_ == 58


class Scripted:
    """Validation scores by epoch; a scorer for a fit that counts its calls."""

    def __init__(self, scores):
        self.scores = iter(scores)

    def __call__(self, estimator, X, y):
        return next(self.scores)


@pytest.mark.parametrize("gain", [1, 9, 40])
def test_auto_patience_grows_with_the_last_gain(data, gain):
    """20 and half of the epochs up to it, and one more, as ever."""
    X, y = data
    scorer = Scripted([float(min(epoch, gain)) for epoch in range(1, 301)])
    model = MLPRegressor(
        hidden_layer_sizes=(3,), early_stopping=True, scoring=scorer, max_iter=300, random_state=0
    )
    assert fit_quietly(model, X, y).n_iter_ == gain + 20 + gain // 2 + 1


@pytest.mark.parametrize("patience", ["auto", 40])
@pytest.mark.parametrize("last_gain", [19, 20])
def test_max_iter_is_no_alarm_after_ten_epochs_without_progress(data, last_gain, patience):
    """By itself the patience that grows would have waited longer; a number is the user's."""
    X, y = data
    scorer = Scripted([min(epoch, last_gain) / 30 for epoch in range(1, 31)])
    params = {"early_stopping": True, "max_iter": 30, "random_state": 0, "learning_rate_init": 0.01}
    model = MLPRegressor(**params, scoring=scorer, n_iter_no_change=patience)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert len(record) == (0 if patience == "auto" and last_gain == 19 else 1)


def test_auto_patience_is_that_of_scikit_learn_where_nothing_of_ours_is_used(data):
    """10, on the training loss and with scoring=None."""
    X, y = data
    for params in ({"tol": 100.0}, {"tol": 100.0, "early_stopping": True, "scoring": None}):
        n_iter = [
            fit_quietly(
                MLPRegressor(hidden_layer_sizes=(3,), random_state=0, **params, **patience), X, y
            ).n_iter_
            for patience in ({}, {"n_iter_no_change": 10})
        ]
        assert n_iter[0] == n_iter[1] < 15


def test_of_equal_scores_the_one_with_the_smaller_loss_stays(data):
    """Unless the rules are scikit-learn's."""
    X, y = data
    params = {"early_stopping": True, "max_iter": 40, "random_state": 0, "n_iter_no_change": 99}
    ours = fit_quietly(
        MLPRegressor(hidden_layer_sizes=(3,), scoring=Scripted([0.5] * 40), **params), X, y
    )
    assert ours.best_iter_ == 1 + np.argmin(ours.validation_loss_curve_) > 1
    theirs = fit_quietly(MLPClassifier((3,), scoring=None, **params), X, y > 0)
    scores = theirs.validation_scores_
    assert theirs.best_iter_ == 1 + scores.index(max(scores))
    assert scores.count(max(scores)) > 1


def test_plateau_needs_gains_of_tol(data):
    """Gains that each are too small count as none, as for the patience."""
    params = {"solver": "sgd", "max_iter": 40, "n_iter_no_change": 20, "random_state": 0}
    model = fit_quietly(MLPRegressor(**params, learning_rate="plateau", tol=1.0), *data)
    assert model.lr_curve_[-1] < 0.3 * model.learning_rate_init


def test_any_integer_is_a_patience(cancer):
    """Also one that fits into no type of NumPy."""
    model = MLPClassifier((3,), n_iter_no_change=10**30, max_iter=2, learning_rate="plateau")
    assert fit_epochs(model, *cancer).n_iter_ == 2
