"""Batch norm at the level of the estimators: folding, statistics, weights, small batches."""

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly, parameters
from reference import LINKS, SGD, Twin, batch_moments, plain_forward, unbiased
from scipy.special import expit

from skreg import MLPClassifier, MLPRegressor

NET = {"hidden_layer_sizes": (7, 5), "batch_norm": True, "random_state": 0}
# Steps so short that the weights stay at their initial values, bit for bit.
FROZEN = {"solver": "sgd", "learning_rate_init": 1e-30, "momentum": 0.0}


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("data", ["cancer", "wine", "multilabel"])
def test_the_folded_network_predicts(request, data, activation):
    """`coefs_` and `intercepts_` are all of it: a plain forward pass gives the probabilities."""
    X, y = request.getfixturevalue(data)
    params = {**NET, "activation": activation, "dropout": 0.2, "max_iter": 3}
    model = fit_epochs(MLPClassifier(**params), X, y)
    raw = plain_forward(model.coefs_, model.intercepts_, activation, X)
    proba = LINKS["log_loss"](raw) if data == "wine" else expit(raw)
    if data == "cancer":
        proba = np.column_stack([1 - proba, proba])
    np.testing.assert_allclose(model.predict_proba(X), proba, rtol=1e-10, atol=1e-14)


def normalized_moments(model, X, s=None):
    """Mean and biased variance of every hidden pre-activation of the folded network."""
    hidden = plain_forward(model.coefs_, model.intercepts_, model.activation, X, True)[:-1]
    return [batch_moments(z, np.ones(len(X)) if s is None else s) for z in hidden]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_are_exact_at_the_end_of_fit(regression, dropout, weighted):
    """On the training rows every hidden layer is normalized: scale 1 and shift 0 show it.

    Running averages of batches, or statistics under dropout, would be off by percents.
    """
    X, y = regression
    s = np.random.RandomState(1).randint(0, 4, len(y)).astype(float) if weighted else None
    params = {**NET, **FROZEN, "hidden_layer_sizes": (9, 8, 7), "dropout": dropout, "max_iter": 2}
    model = fit_epochs(MLPRegressor(**params, batch_size=50), X, y, sample_weight=s)
    n = len(y) if s is None else s.sum()
    for mean, var in normalized_moments(model, X, s):
        np.testing.assert_allclose(mean, 0, atol=1e-10)
        np.testing.assert_allclose(var * n / (n - 1), 1, rtol=1e-3)  # epsilon is in the divisor


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_single_precision_survives_an_offset(method):
    """Variances are means of squared deviations: features around 10000 do not cancel."""
    rng = np.random.RandomState(0)
    X = (rng.randn(300, 8) + 1e4).astype(np.float32)
    params = {**NET, **FROZEN, "batch_norm_momentum": 1.0, "batch_size": 300, "max_iter": 1}
    model = MLPRegressor(**params)
    if method == "fit":
        fit_epochs(model, X, rng.randn(300))
    else:
        model.partial_fit(X, rng.randn(300))
    raw = X.astype(np.float64) @ model.coefs_[0].astype(np.float64)
    np.testing.assert_allclose(raw.std(axis=0), 1, rtol=0.02)
    np.testing.assert_allclose(raw.mean(axis=0) + model.intercepts_[0], 0, atol=0.05)


def test_partial_fit_keeps_running_statistics(regression):
    """Two batches: the new one counts batch_norm_momentum, its variance unbiased."""
    X, y = regression
    model = MLPRegressor(
        **{**NET, **FROZEN, "hidden_layer_sizes": (6,), "activation": "identity"},
        batch_norm_momentum=0.3, batch_norm_epsilon=0.01,
    )  # fmt: skip
    W = Twin([20, 6, 1], "squared_error", batch_norm=True).coefs[0]
    mean, var = np.zeros(6), np.ones(6)
    for rows in (slice(0, 100), slice(100, 130)):
        model.partial_fit(X[rows], y[rows])
        batch_mean, batch_var = batch_moments(X[rows] @ W, np.ones(len(y[rows])))
        mean = 0.7 * mean + 0.3 * batch_mean
        var = 0.7 * var + 0.3 * unbiased(batch_var, np.ones(len(y[rows])))
    np.testing.assert_allclose(model.coefs_[0], W / np.sqrt(var + 0.01), rtol=1e-10)
    np.testing.assert_allclose(model.intercepts_[0], -mean / np.sqrt(var + 0.01), rtol=1e-10)


@pytest.mark.parametrize("n_rows", [33, 17])
def test_a_last_batch_of_one_row_joins_the_batch_before(n_rows):
    """16 + 16 + 1 rows are trained as 16 + 17, and 16 + 1 as 17."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(n_rows, 4), rng.randn(n_rows)
    params = {**NET, "solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.0, "alpha": 0.0}
    model = MLPRegressor(**params, batch_size=16, shuffle=False, max_iter=5)
    fit_epochs(model, X, y)
    twin = Twin([4, 7, 5, 1], "squared_error", batch_norm=True)
    optimizer = SGD(0.05)
    for _ in range(5):
        batches = [slice(0, 16), slice(16, 33)] if n_rows == 33 else [slice(0, 17)]
        for rows in batches:
            twin.step(X[rows], y[rows, None], None, optimizer)
    twin.recalibrate(X)
    np.testing.assert_allclose(model.coefs_[0], twin.fold()[0][0], rtol=1e-8)
    np.testing.assert_allclose(model.intercepts_[1], twin.fold()[1][1], rtol=1e-8)


def test_one_row_uses_the_running_statistics(regression):
    """partial_fit with a row, or with one row of positive weight, takes the twin's step."""
    X, y = regression
    params = {**NET, "solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.0, "alpha": 0.0}
    twin, optimizer = Twin([20, 7, 5, 1], "squared_error", batch_norm=True), SGD(0.05)
    model, weighted = MLPRegressor(**params), MLPRegressor(**params)
    for rows in (slice(0, 50), slice(50, 51), slice(51, 52)):
        twin.step(X[rows], y[rows, None], None, optimizer)
        model.partial_fit(X[rows], y[rows])
        s = np.ones(rows.stop - rows.start + 3)
        s[-3:] = 0
        more = slice(rows.start, rows.stop + 3)
        weighted.partial_fit(X[more], y[more], sample_weight=s)
    expected = np.concatenate([p.ravel() for part in twin.fold() for p in part])
    np.testing.assert_allclose(parameters(model), expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(parameters(weighted), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_weights_are_repetitions_in_a_full_batch(wine, solver):
    """Integer weights equal repeated rows, zero weights equal removed rows, statistics included."""
    X, y = wine
    s = np.random.RandomState(0).randint(0, 3, len(y))
    params = {**NET, "solver": solver, "max_iter": 5, "activation": "tanh"}
    weighted = MLPClassifier(**params, batch_size=len(y))
    fit_epochs(weighted, X, y, sample_weight=s.astype(float))
    repeated = MLPClassifier(**params, batch_size=s.sum())
    fit_epochs(repeated, np.repeat(X, s, axis=0), np.repeat(y, s))
    np.testing.assert_allclose(parameters(weighted), parameters(repeated), rtol=1e-7, atol=1e-10)


def test_early_stopping_restores_the_statistics(wine):
    """The restored network has the watched loss of its epoch, or a lower one once recalibrated."""
    X, y = wine
    model = MLPClassifier(**NET, early_stopping=True, learning_rate_init=0.02, n_iter_no_change=5)
    model.set_params(batch_size=40, max_iter=400).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert model.best_iter_ < model.n_iter_
    rows = np.arange(len(y[1::2]))
    loss = -model.predict_log_proba(X[1::2])[rows, y[1::2]].mean()
    assert loss <= model.validation_loss_curve_[model.best_iter_ - 1] * (1 + 1e-10)


def test_training_goes_on_from_the_unfolded_state(wine):
    """Calls of partial_fit continue; assigning folded weights is refused at the next call."""
    X, y = wine
    model = fit_epochs(MLPClassifier(**NET, max_iter=2), X, y)
    loss = model.loss_
    for _ in range(60):
        model.partial_fit(X, y)
    assert model.loss_ < loss
    model.coefs_ = [w + 1.0 for w in model.coefs_]
    with pytest.raises(ValueError, match="coefs_"):
        model.partial_fit(X, y)


def test_without_batch_norm_assigned_weights_count(wine):
    """There `coefs_` are the trained parameters, and training starts from what was assigned."""
    X, y = wine
    model = fit_epochs(MLPClassifier((7,), random_state=0, max_iter=2, **FROZEN), X, y)
    assigned = [w + 1.0 for w in model.coefs_]
    model.coefs_ = [w.copy() for w in assigned]
    model.partial_fit(X, y)
    for w, expected in zip(model.coefs_, assigned, strict=True):
        np.testing.assert_array_equal(w, expected)


def test_l1_zeros_survive_folding(cancer):
    """Folding scales columns, so a weight that is zero stays exactly zero."""
    model = fit_epochs(MLPClassifier(**NET, penalty="l1", alpha=0.05, max_iter=60), *cancer)
    assert 0.2 < model.sparsity_ < 1
    assert model.sparsity_ == np.mean(np.concatenate([w.ravel() for w in model.coefs_]) == 0)


def test_a_constant_feature_and_a_dead_unit_are_harmless():
    """Zero variance is divided by epsilon's root, never by zero."""
    X = np.column_stack([np.zeros(40), np.ones(40)])
    model = MLPRegressor(**NET, max_iter=3)
    fit_quietly(model, X, np.arange(40.0))
    assert np.isfinite(model.predict(X)).all()
