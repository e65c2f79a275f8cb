"""Every hyperparameter acts: off is off to the last bit, and on changes the fit as promised.

A regularizer that silently does nothing is the typical bug of its field, so every constructor
parameter must stand in one of the registries below.
"""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly, parameters
from reference import plain_forward
from sklearn.datasets import make_classification
from sklearn.metrics import recall_score
from sklearn.preprocessing import scale

from skreg import MLPClassifier, MLPRegressor

COMMON = {"hidden_layer_sizes": (12,), "max_iter": 60, "batch_size": 50, "random_state": 0,
          "learning_rate_init": 0.01}  # fmt: skip
STOPPING = {"early_stopping": True, "n_iter_no_change": 100}
DEEP = {"hidden_layer_sizes": (10,) * 5, "activation": "logistic"}


@pytest.fixture(scope="module")
def rare():
    """Noisy classification with one rare row in six, so that nets of COMMON overfit it."""
    X, y = make_classification(
        300, 15, n_informative=4, weights=[0.85], flip_y=0.1, class_sep=0.7, random_state=0
    )
    return scale(X), y


def size(model):
    """Sum of squared weights."""
    return sum((w**2).sum() for w in model.coefs_)


def first_spread(model, X):
    """Mean standard deviation of the first layer's pre-activations."""
    return plain_forward(model.coefs_[:1], model.intercepts_[:1], "relu", X).std(axis=0).mean()


def rare_recall(model, X, y):
    """Share of the rare class that is found."""
    return recall_score(y, model.predict(X))


class Effect(NamedTuple):
    """`off` must give the bits of `without`; `on` must stand to `without` as `promise` says."""

    without: dict  # the parameter left out
    off: dict  # its neutral value
    on: dict  # a value that acts
    promise: Callable  # (without, on, X, y) -> bool


NEW = {
    "penalty": Effect(
        {"alpha": 0.02}, {"alpha": 0.02, "penalty": "l2"}, {"alpha": 0.02, "penalty": "l1"},
        lambda a, b, X, y: a.sparsity_ == 0 and b.sparsity_ > 0.2,
    ),
    "alpha": Effect(
        {"penalty": None}, {"alpha": 0.0}, {"alpha": 0.1},
        lambda a, b, X, y: size(b) < 0.5 * size(a),
    ),
    "l1_ratio": Effect(
        {"alpha": 0.02}, {"alpha": 0.02, "penalty": "elasticnet", "l1_ratio": 0.0},
        {"alpha": 0.02, "penalty": "elasticnet", "l1_ratio": 0.8},
        lambda a, b, X, y: a.sparsity_ == 0 and b.sparsity_ > 0.2,
    ),
    "dropout": Effect(
        {}, {"dropout": 0.0}, {"dropout": 0.5},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "input_dropout": Effect(
        {}, {"input_dropout": 0.0}, {"input_dropout": 0.5},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "batch_norm": Effect(
        DEEP, {**DEEP, "batch_norm": False}, {**DEEP, "batch_norm": True},
        lambda a, b, X, y: b.loss_ < 0.5 * a.loss_,
    ),
    "batch_norm_momentum": Effect(
        {**STOPPING, "batch_norm": True},
        {**STOPPING, "batch_norm": True, "batch_norm_momentum": 0.1},
        {**STOPPING, "batch_norm": True, "batch_norm_momentum": 0.001},
        lambda a, b, X, y: b.loss_curve_ == a.loss_curve_
        and b.validation_loss_curve_ != a.validation_loss_curve_,
    ),
    "batch_norm_epsilon": Effect(
        {"batch_norm": True}, {"batch_norm": True, "batch_norm_epsilon": 1e-5},
        {"batch_norm": True, "batch_norm_epsilon": 100.0},
        lambda a, b, X, y: first_spread(b, X) < 0.5 * first_spread(a, X),
    ),
    "scoring": Effect(
        STOPPING, {**STOPPING, "scoring": "loss"}, {**STOPPING, "scoring": "accuracy"},
        lambda a, b, X, y: b.loss_curve_ == a.loss_curve_
        and b.best_validation_score_ == max(b.validation_scores_)
        and b.best_iter_ != a.best_iter_,
    ),
    "class_weight": Effect(
        {"alpha": 0.1}, {"alpha": 0.1, "class_weight": None},
        {"alpha": 0.1, "class_weight": "balanced"},
        lambda a, b, X, y: rare_recall(b, X, y) > rare_recall(a, X, y) + 0.1,
    ),
}  # fmt: skip

SGD = {"solver": "sgd"}
# Parameters that scikit-learn has too: a setting, and the change that must show.
EXISTING = {
    "loss": ({}, {"loss": "poisson"}),
    "hidden_layer_sizes": ({}, {"hidden_layer_sizes": (3, 3)}),
    "activation": ({}, {"activation": "tanh"}),
    "solver": ({}, SGD),
    "batch_size": ({}, {"batch_size": 20}),
    "learning_rate": (SGD, {**SGD, "learning_rate": "invscaling"}),
    "learning_rate_init": ({}, {"learning_rate_init": 0.02}),
    "power_t": (
        {**SGD, "learning_rate": "invscaling"},
        {**SGD, "learning_rate": "invscaling", "power_t": 0.1},
    ),
    "max_iter": ({}, {"max_iter": 5}),
    "shuffle": ({}, {"shuffle": False}),
    "random_state": ({}, {"random_state": 1}),
    "tol": ({}, {"tol": 10.0}),
    "momentum": (SGD, {**SGD, "momentum": 0.5}),
    "nesterovs_momentum": (SGD, {**SGD, "nesterovs_momentum": False}),
    "early_stopping": ({}, {"early_stopping": True}),
    "validation_fraction": (STOPPING, {**STOPPING, "validation_fraction": 0.3}),
    "beta_1": ({}, {"beta_1": 0.5}),
    "beta_2": ({}, {"beta_2": 0.9}),
    "epsilon": ({}, {"epsilon": 0.1}),
    "n_iter_no_change": ({"tol": 0.05}, {"tol": 0.05, "n_iter_no_change": 1}),
    "max_fun": ({"solver": "lbfgs"}, {"solver": "lbfgs", "max_fun": 5}),
}
ELSEWHERE = {"verbose", "warm_start"}  # tested in test_api.py


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_every_parameter_is_registered(Estimator):
    """A new parameter fails here until it has an entry."""
    names = set(inspect.signature(Estimator).parameters)
    assert names <= {*NEW, *EXISTING, *ELSEWHERE}


@pytest.mark.parametrize("name", NEW)
def test_off_is_off(rare, name):
    """The neutral value is bit-identical to leaving the parameter out."""
    effect = NEW[name]
    models = [
        fit_quietly(MLPClassifier(**{**COMMON, **params}), *rare)
        for params in (effect.without, effect.off)
    ]
    assert_same_bits(*models)
    assert models[0].loss_curve_ == models[1].loss_curve_


@pytest.mark.parametrize("name", NEW)
def test_on_does_what_it_promises(rare, name):
    """Another value changes the fit, in the promised direction."""
    effect = NEW[name]
    without, on = (
        fit_quietly(MLPClassifier(**{**COMMON, **params}), *rare)
        for params in (effect.without, effect.on)
    )
    assert not np.array_equal(parameters(without), parameters(on))
    assert effect.promise(without, on, *rare)


@pytest.mark.parametrize("name", EXISTING)
def test_existing_parameters_act(counts, name):
    """A parameter that both libraries have changes the fitted network."""
    fits = []
    for params in EXISTING[name]:
        fits.append(fit_quietly(MLPRegressor(**{**COMMON, **params}), *counts))
    assert not np.array_equal(parameters(fits[0]), parameters(fits[1]))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_ends_of_the_elastic_net(cancer, solver):
    """l1_ratio=1 is L1, l1_ratio=0 is L2, bit for bit."""
    params = {"hidden_layer_sizes": (5,), "solver": solver, "alpha": 0.01, "max_iter": 10,
              "random_state": 0}  # fmt: skip
    for l1_ratio, penalty in ((1.0, "l1"), (0.0, "l2")):
        mixed = MLPClassifier(**params, penalty="elasticnet", l1_ratio=l1_ratio)
        assert_same_bits(
            fit_quietly(mixed, *cancer),
            fit_quietly(MLPClassifier(**params, penalty=penalty), *cancer),
        )


@pytest.mark.parametrize("params", [{}, {"solver": "sgd", "learning_rate_init": 0.1}], ids=str)
def test_sparsity_rises_with_alpha(cancer, params):
    """Mini-batches included, with exact zeros; L2 has none."""
    rates = []
    for alpha in (1e-4, 1e-3, 1e-2, 1e-1):
        model = MLPClassifier(**{**COMMON, **params}, penalty="l1", alpha=alpha)
        rates.append(fit_quietly(model, *cancer).sparsity_)
    assert rates == sorted(rates)
    assert rates[0] < 0.3
    assert rates[-1] > 0.9


def test_penalties_leave_biases_alone(regression):
    """Under a huge penalty all weights vanish, and the output's bias still is the mean."""
    X, y = regression[0], regression[1] + 5
    for penalty in ("l1", "l2"):
        model = MLPRegressor(**COMMON, penalty=penalty, alpha=100.0, solver="lbfgs")
        model.set_params(max_iter=500).fit(X, y)
        np.testing.assert_allclose(model.predict(X), y.mean(), rtol=0.01)


def test_dropout_regularizes(rare):
    """It widens the training loss, and narrows the gap to new rows."""
    X, y = rare
    gaps = []
    for dropout in (0.0, 0.6):
        model = MLPClassifier(**{**COMMON, "hidden_layer_sizes": (50,)}, dropout=dropout)
        fit_quietly(model, X[:150], y[:150])
        gaps.append(model.score(X[:150], y[:150]) - model.score(X[150:], y[150:]))
    assert gaps[1] < gaps[0]


def test_class_weight_is_a_sample_weight(rare):
    """A dict multiplies the rows of a class; a missing class counts 1; balanced is n / (K n_k)."""
    X, y = rare
    cases = [({1: 4.0}, {0: 1.0, 1: 4.0})]
    cases.append(("balanced", {k: len(y) / (2 * np.sum(y == k)) for k in (0, 1)}))
    s = np.random.RandomState(0).uniform(0.5, 2, len(y))
    for class_weight, values in cases:
        by_class = MLPClassifier(**COMMON, class_weight=class_weight)
        by_row = MLPClassifier(**COMMON)
        weights = np.where(y == 0, values[0], values[1])
        fit_quietly(by_class, X, y, sample_weight=s)
        fit_quietly(by_row, X, y, sample_weight=s * weights)
        np.testing.assert_allclose(parameters(by_class), parameters(by_row), rtol=1e-6, atol=1e-8)


def test_balanced_counts_all_rows_before_the_split(rare):
    """With early stopping, `balanced` is the dict computed from the whole of y."""
    X, y = rare
    values = {k: len(y) / (2 * np.sum(y == k)) for k in (0, 1)}
    models = [MLPClassifier(**COMMON, **STOPPING, class_weight=w) for w in ("balanced", values)]
    assert_same_bits(*(fit_quietly(model, X, y) for model in models))
