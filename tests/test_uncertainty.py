"""Spread from passes with dropout: shapes, randomness, a NumPy Monte Carlo, and the noise."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import fit_quietly
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from skreg import MLPClassifier, MLPRegressor
from skreg.network.noise import noise_deviation

NET = {"hidden_layer_sizes": (20,), "dropout": 0.3, "random_state": 0, "max_iter": 30}
NET.update(learning_rate_init=0.01)
KINDS = ["standard", "gaussian", "alpha", "connect"]


def fitted(diabetes, **params):
    """A regressor that has a validation set."""
    return fit_quietly(MLPRegressor(**{**NET, "early_stopping": True, **params}), *diabetes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_targets", [1, 2])
def test_shapes_and_repeatability(diabetes, n_targets, kind):
    """The same call gives the same bits, also after pickling; the default has no draws."""
    X, y = diabetes
    Y = y if n_targets == 1 else np.column_stack([y, -y])
    model = fitted((X, Y), dropout_kind=kind, activation="selu" if kind == "alpha" else "relu")
    assert model.noise_std_.shape == (n_targets,)
    before = model.predict(X)
    mean, std = model.predict(X, return_std=True)
    assert mean.shape == std.shape == before.shape == Y.shape
    assert (std > model.noise_std_.min()).all()
    copy = pickle.loads(pickle.dumps(model))
    for again in (model, copy):
        assert_array_equal(again.predict(X, return_std=True), (mean, std))
    assert_array_equal(model.predict(X, n_draws=100), mean)
    assert_array_equal(model.predict(X), before)
    assert not np.array_equal(mean, before)
    assert not np.array_equal(model.predict(X, n_draws=50), mean)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_passes_equal_a_monte_carlo(diabetes, batch_norm):
    """Hidden and input dropout of the folded network, by hand."""
    X, y = diabetes
    model = fitted((X, y), batch_norm=batch_norm, input_dropout=0.2)
    n, x = 4000, X[:15]
    mean, std = model.predict(x, return_std=True, n_draws=n)
    spread = np.sqrt(std**2 - model.noise_std_**2)
    (W, V), (b, c) = model.coefs_, model.intercepts_
    rng = np.random.RandomState(1)
    h = (x * (rng.rand(n, *x.shape) >= 0.2) / 0.8) @ W + b
    h = np.maximum(h, 0)
    z = (h * (rng.rand(*h.shape) >= 0.3) / 0.7) @ V + c
    assert (abs(mean - z[..., 0].mean(axis=0)) < 5 * spread * np.sqrt(2 / n)).all()
    assert_allclose(spread, z[..., 0].std(axis=0), rtol=0.12)


def test_noise_is_found():
    """y = f(x) + noise, of a size that is known."""
    rng = np.random.RandomState(0)
    X = rng.randn(3000, 3)
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1]
    for noise in (0.2, 0.6):
        model = MLPRegressor(hidden_layer_sizes=(50,), dropout=0.05, early_stopping=True,
                             learning_rate_init=0.01, max_iter=60, random_state=0)  # fmt: skip
        fit_quietly(model, X, y + noise * rng.randn(3000))
        assert model.noise_std_[0] == pytest.approx(noise, rel=0.2)


def test_errors(diabetes):
    """Each says what is missing."""
    X, y = diabetes
    plain = fitted((X, y), dropout=0.0)
    for params in ({"return_std": True}, {"n_draws": 5}):
        with pytest.raises(ValueError, match="dropout or input_dropout above 0"):
            plain.predict(X, **params)
    unwatched = fitted((X, y), early_stopping=False)
    assert unwatched.noise_std_ is None
    with pytest.raises(ValueError, match="early_stopping=True"):
        unwatched.predict(X, return_std=True)
    assert unwatched.predict(X, n_draws=3).shape == y.shape
    for n_draws in (0, -1, 2.5, True, 2**33):
        with pytest.raises(ValueError, match="n_draws must be an integer from 1"):
            unwatched.predict(X, n_draws=n_draws)
    several = fitted((X, y), loss="quantile", quantile=[0.1, 0.9])
    with pytest.raises(ValueError, match="loss='quantile'"):
        several.predict(X, return_std=True)
    assert (np.diff(several.predict(X, n_draws=3), axis=1) >= 0).all()


@pytest.mark.parametrize("data", ["cancer", "wine", "multilabel"])
@pytest.mark.parametrize("params", [{}, {"dropout": 0.0, "input_dropout": 0.3}], ids=str)
def test_probabilities_are_averaged(request, data, params):
    """They sum to 1, and are less sure than a single pass without dropout."""
    X, y = request.getfixturevalue(data)
    model = fit_quietly(MLPClassifier(**{**NET, **params}), X, y)
    sampled, single = model.predict_proba(X, n_draws=200), model.predict_proba(X)
    assert sampled.shape == single.shape
    if data != "multilabel":
        assert_allclose(sampled.sum(axis=1), 1, rtol=1e-9)
    assert 0 < np.abs(sampled - single).max() < 0.5
    assert np.abs(sampled - 0.5).mean() < np.abs(single - 0.5).mean() or data == "wine"
    assert_array_equal(sampled, model.predict_proba(X, n_draws=200))
    with pytest.raises(ValueError, match="n_draws"):
        model.predict_proba(X, n_draws=0)


def test_rows_of_other_chunks_have_other_masks(diabetes):
    """2000 equal rows get almost 2000 different sums; the same call the same ones."""
    model = fitted(diabetes, activation="tanh")
    X = np.repeat(diabetes[0][:1], 2000, axis=0)
    once = model.predict(X, n_draws=1)
    assert len(np.unique(once)) > 1000
    assert_array_equal(model.predict(X, n_draws=1), once)
    assert not np.array_equal(once[:400], once[512:912])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_compact_keeps_sampling(diabetes, batch_norm):
    """The smaller network draws for fewer units, around the same mean."""
    model = fitted(diabetes, batch_norm=batch_norm)
    model.coefs_[1][:5] = 0
    small = model.compact()
    assert small.hidden_layer_sizes == (15,)
    X = diabetes[0][:50]
    mean, std = small.predict(X, return_std=True, n_draws=2000)
    expected, spread = model.predict(X, return_std=True, n_draws=2000)
    assert (abs(mean - expected) < 6 * spread * np.sqrt(2 / 2000)).all()
    assert_allclose(std, spread, rtol=0.1)


def test_no_noise_is_known_without_a_validation_set():
    """lbfgs has none; a fit with it forgets what an earlier one learned."""
    rng = np.random.RandomState(0)
    X = rng.randn(60, 3)
    y = X[:, 0] + 0.1 * rng.randn(60)
    model = MLPRegressor(hidden_layer_sizes=(5,), dropout=0.1, early_stopping=True, max_iter=5)
    assert fit_quietly(model, X, y).noise_std_ is not None
    model.set_params(solver="lbfgs", dropout=0.0, early_stopping=False)
    assert fit_quietly(model, X, y).noise_std_ is None


def test_a_frame_needs_no_warning(diabetes):
    """The validation rows are looked at without their names; warnings are errors here."""
    X, y = diabetes
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    model = MLPRegressor(dropout=0.1, early_stopping=True, max_iter=500, random_state=0)
    mean, std = model.fit(frame, y).predict(frame, return_std=True)
    assert mean.shape == std.shape == y.shape


@pytest.mark.filterwarnings("ignore:.* columns of y_val have far other means")
def test_validation_rows_without_weight_do_not_count(monkeypatch):
    """Not even where all of the first ones have none."""
    monkeypatch.setattr("skreg.data.targets.NOISE_ROWS", 20)
    rng = np.random.RandomState(0)
    X, y = rng.randn(200, 3), rng.randn(200)
    weight = np.repeat([0.0, 1.0], 100)
    y_val = np.where(weight > 0, y, 1e3)
    model = MLPRegressor(dropout=0.1, early_stopping=True, max_iter=5)
    fit_quietly(model, X, y, X_val=X, y_val=y_val, sample_weight_val=weight)
    assert 0.5 < model.noise_std_[0] < 2


@pytest.mark.filterwarnings("ignore:.* columns of y_val have far other means")
def test_the_noise_is_that_of_rows_from_all_over(monkeypatch):
    """A validation set in the order of its noise is not judged by its beginning."""
    monkeypatch.setattr("skreg.data.targets.NOISE_ROWS", 50)
    rng = np.random.RandomState(0)
    X = rng.randn(2000, 2)
    y_val = rng.randn(2000) * np.repeat([0.1, 3.0], 1000)
    model = MLPRegressor(dropout=0.1, early_stopping=True, max_iter=5)
    fit_quietly(model, X, 0.1 * rng.randn(2000), X_val=X, y_val=y_val)
    assert 1 < model.noise_std_[0] < 3.5


def test_noise_deviation_maximizes_the_likelihood():
    """Against a fine grid; residuals without number or spread have their own answers."""
    rng = np.random.RandomState(0)
    variances = rng.uniform(0, 0.5, 3000)
    residuals = rng.randn(3000) * np.sqrt(variances + 0.7**2)
    found = noise_deviation(residuals, np.sqrt(variances))
    grid = np.linspace(0.5, 0.9, 401)
    likelihood = [norm.logpdf(residuals, 0, np.sqrt(variances + t**2)).sum() for t in grid]
    assert abs(found - grid[np.argmax(likelihood)]) < 2e-3
    assert noise_deviation(np.zeros(5), np.ones(5)) == 0
    assert noise_deviation(np.full(5, 1e200), np.ones(5)) == pytest.approx(1e200, rel=1e-2)
    assert noise_deviation(np.array([1, np.inf]), np.ones(2)) == np.inf


def test_passes_use_other_masks_than_training():
    """The same weights under the masks of the first steps would fit too well."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(40, 5), rng.randn(40)
    params = {"hidden_layer_sizes": (30,), "dropout": 0.5, "dropout_kind": "connect",
              "batch_size": 40, "shuffle": False, "alpha": 0, "random_state": 0}  # fmt: skip
    model = MLPRegressor(**params, learning_rate_init=1e-9, early_stopping=True)
    fit_quietly(model.set_params(max_iter=1), X, y, X_val=X, y_val=y)
    first_pass = model.predict(X, n_draws=1)
    # The loss of the first step is that of the weights under its mask.
    assert abs(0.5 * np.mean((y - first_pass) ** 2) - model.loss_curve_[0]) > 1e-6


def test_errors_of_quantiles_and_single_draws(diabetes):
    X, y = diabetes
    model = fitted((X, y), loss="quantile", quantile=0.9)
    with pytest.raises(ValueError, match="not available with loss='quantile'"):
        model.predict(X, return_std=True)
    assert model.noise_std_ is None
    with pytest.raises(ValueError, match="n_draws of at least 2"):
        fitted((X, y)).predict(X, return_std=True, n_draws=1)


def test_the_compact_network_draws_too(diabetes):
    """It predicts as fitted, whatever was set in between."""
    X, y = diabetes
    model = fitted((X, y), unit_alpha=0.05)
    before = model.predict(X)
    model.set_params(activation="tanh")
    small = model.compact()
    assert small.hidden_layer_sizes[0] < model.coefs_[0].shape[1]
    assert_array_equal(small.predict(X), before)
    assert small.predict(X, n_draws=5).shape == y.shape
