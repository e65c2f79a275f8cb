"""Dropout at the level of the estimators: its rate, scale, masks and randomness.

At frozen weights (steps so short that no bit changes) the training loss is a function of the
masks alone, and its mean over masks is known in closed form.
"""

import numpy as np
import pytest
from conftest import assert_same_bits, fit_epochs, parameters
from reference import initial_parameters
from sklearn.linear_model import Ridge

from skreg import MLPClassifier, MLPRegressor

FROZEN = {"solver": "sgd", "learning_rate_init": 1e-30, "momentum": 0.0, "alpha": 0.0}
FROZEN.update(random_state=0, max_iter=200, n_iter_no_change=np.inf)


def excess_loss(contributions, p):
    """Mean over masks of what dropout adds to half the squared error of a linear output.

    A sum of terms c_k, each kept with probability 1 - p and scaled by 1 / (1 - p), has the
    variance p / (1 - p) * sum(c_k ** 2).
    """
    return 0.5 * p / (1 - p) * (contributions**2).sum(axis=1).mean()


def mean_excess(X, y, dtype=np.float64, **params):
    """Average training loss at frozen weights, minus the loss without dropout."""
    X = X.astype(dtype)
    with_masks = fit_epochs(MLPRegressor(**FROZEN, **params), X, y)
    params = {**params, "dropout": 0.0, "input_dropout": 0.0}
    without = fit_epochs(MLPRegressor(**{**FROZEN, "max_iter": 1}, **params), X, y)
    return np.mean(with_masks.loss_curve_) - without.loss_


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_input_dropout_adds_the_variance_of_its_masks(diabetes, p):
    """p is the probability to drop, and survivors are scaled by 1 / (1 - p)."""
    X, y = diabetes
    (W,), _ = initial_parameters([10, 1])
    measured = mean_excess(X, y, hidden_layer_sizes=(), input_dropout=p)
    assert measured == pytest.approx(excess_loss(X * W[:, 0], p), rel=0.05)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("activation", ["identity", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hidden_dropout_adds_the_variance_of_its_masks(diabetes, dtype, activation, p):
    """The same after the activation of a hidden layer."""
    X, y = diabetes
    (W, v), (b, _) = initial_parameters([10, 12, 1], activation)
    h = X @ W + b
    h = np.maximum(h, 0) if activation == "relu" else h
    params = {"hidden_layer_sizes": (12,), "activation": activation, "dropout": p}
    assert mean_excess(X, y, dtype, **params) == pytest.approx(
        excess_loss(h * v[:, 0], p), rel=0.05
    )


def test_one_value_per_layer(diabetes):
    """A list gives each hidden layer its own rate; zero leaves a layer alone."""
    X, y = diabetes
    (W, V, u), (b, c, _) = initial_parameters([10, 6, 8, 1], "identity")
    first = X @ W + b
    second = first @ V + c
    params = {"hidden_layer_sizes": (6, 8), "activation": "identity"}
    measured = mean_excess(X, y, **params, dropout=[0.5, 0.0])
    assert measured == pytest.approx(excess_loss(first * (V @ u)[:, 0], 0.5), rel=0.05)
    measured = mean_excess(X, y, **params, dropout=[0.0, 0.5])
    assert measured == pytest.approx(excess_loss(second * u[:, 0], 0.5), rel=0.05)
    one, two = (
        fit_epochs(MLPRegressor(**{**FROZEN, "max_iter": 3}, **params, dropout=d), X, y)
        for d in (0.3, [0.3, 0.3])
    )
    assert one.loss_curve_ == two.loss_curve_


def test_layers_have_independent_masks(diabetes):
    """Inputs and two layers of one width: masks shared between them would raise the loss."""
    X, y = diabetes[0][:, :6], diabetes[1]
    coefs, intercepts = initial_parameters([6, 6, 6, 1], "identity")
    rng, expected = np.random.RandomState(0), []
    for _ in range(300):
        h = X
        for W, b in zip(coefs, intercepts, strict=True):
            h = (h * rng.randint(0, 2, h.shape) * 2) @ W + b
        expected.append(0.5 * ((h[:, 0] - y) ** 2).mean())
    params = {"hidden_layer_sizes": (6, 6), "activation": "identity"}
    model = MLPRegressor(**FROZEN, **params, dropout=0.5, input_dropout=0.5)
    measured = np.mean(fit_epochs(model, X, y).loss_curve_)
    assert measured == pytest.approx(np.mean(expected), rel=0.05)


def test_rows_units_and_steps_have_their_own_masks(diabetes):
    """Equal rows and equal units differ under dropout, and no step repeats another.

    With one mask for all rows, or for all units, the loss would scatter over the epochs many
    times as widely as it may.
    """
    X, y = np.ones((400, 10)), np.zeros(400)
    model = MLPRegressor(**FROZEN, hidden_layer_sizes=(), input_dropout=0.5)
    losses = np.array(fit_epochs(model, X, y).loss_curve_)
    (W,), (b,) = initial_parameters([10, 1])
    keep = np.random.RandomState(0).randint(0, 2, (200, 400, 10)) * 2.0
    expected = 0.5 * ((keep @ W[:, 0] + b) ** 2).mean(axis=1)
    assert len(set(losses)) == len(losses)
    assert losses.std() == pytest.approx(expected.std(), rel=0.3)
    assert losses.mean() == pytest.approx(expected.mean(), rel=0.02)


def test_partial_fit_never_repeats_masks(diabetes):
    """The step number goes on from call to call, and from fit to partial_fit."""
    X, y = diabetes
    params = {**FROZEN, "max_iter": 5, "hidden_layer_sizes": (6,), "dropout": 0.5}
    model = fit_epochs(MLPRegressor(**params), X, y)
    losses = list(model.loss_curve_)
    for _ in range(5):
        losses.append(model.partial_fit(X, y).loss_)
    assert len(set(losses)) == 10


def test_masks_do_not_touch_the_other_randomness(cancer):
    """Initial weights, order of batches and the generator afterwards are as without dropout."""
    X, y = cancer
    states, orders = [], []
    for params in ({}, {"dropout": 0.5, "input_dropout": 0.5}):
        rng = np.random.RandomState(3)
        model = MLPClassifier((5,), random_state=rng, batch_size=50, max_iter=3, **params)
        fit_epochs(model, X, y)
        states.append(rng.get_state()[1:3])
        frozen = MLPClassifier((5,), **{**FROZEN, "max_iter": 3}, **params)
        orders.append(fit_epochs(frozen, X, y))
    np.testing.assert_array_equal(states[0][0], states[1][0])
    assert states[0][1] == states[1][1]
    assert_same_bits(*orders)
    expected = initial_parameters([30, 5, 1])
    np.testing.assert_array_equal(orders[0].coefs_[0], expected[0][0])


def test_the_order_of_batches_is_the_same_under_dropout():
    """Masks of an input that is zero cannot act, so only another order could change the bits."""
    X, y = np.zeros((100, 3)), np.random.RandomState(0).randn(100)
    params = {"hidden_layer_sizes": (5,), "batch_size": 7, "max_iter": 5, "random_state": 0}
    plain, masked, unshuffled = (
        fit_epochs(MLPRegressor(**params, **more), X, y)
        for more in ({}, {"input_dropout": 0.5}, {"shuffle": False})
    )
    assert_same_bits(plain, masked)
    assert not np.array_equal(parameters(plain), parameters(unshuffled))


def test_prediction_and_validation_are_without_dropout(cancer):
    """The watched loss is that of the full network, at every epoch."""
    X, y = cancer
    params = {**FROZEN, "max_iter": 3, "early_stopping": True}
    losses = []
    for dropout in (0.0, 0.5):
        model = MLPClassifier((5,), **params, dropout=dropout, input_dropout=dropout)
        fit_epochs(model, X, y)
        losses.append(model.validation_loss_curve_)
        np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_input_dropout_in_a_linear_model_is_ridge(diabetes, p):
    """On standardized features the mean objective is Ridge's with alpha = n p / (1 - p)."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), input_dropout=p, alpha=0.0, solver="sgd", momentum=0.0,
        learning_rate="invscaling", learning_rate_init=0.5, power_t=0.4, random_state=0,
        batch_size=len(y), max_iter=4000, n_iter_no_change=np.inf
    )  # fmt: skip
    fit_epochs(model, X, y)
    oracle = Ridge(alpha=len(y) * p / (1 - p)).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], oracle.coef_, atol=0.02)
    plain = Ridge(alpha=1e-8).fit(X, y)
    assert np.abs(plain.coef_ - oracle.coef_).max() > 0.2


def test_masks_depend_on_the_seed(diabetes):
    """With the same weights at the same step, the same seed gives the same loss, another not."""
    X, y = diabetes
    params = {**FROZEN, "hidden_layer_sizes": (6,), "dropout": 0.5, "batch_size": len(y)}
    coefs, intercepts = initial_parameters([10, 6, 1], random_state=7)
    losses = []
    for seed in (0, 0, 1):
        model = MLPRegressor(**{**params, "random_state": seed}).partial_fit(X, y)
        model.coefs_, model.intercepts_ = coefs, intercepts
        losses.append(model.partial_fit(X, y).loss_)
    assert losses[0] == losses[1] != losses[2]
