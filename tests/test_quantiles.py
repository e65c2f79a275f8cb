"""The quantile loss, one level or several at once, and its relatives that stand up to outliers."""

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly, parameters
from sklearn.metrics import d2_pinball_score, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, cross_val_score

from skreg import MLPRegressor

LEVELS = [0.1, 0.5, 0.9]
NET = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.01, "random_state": 0, "max_iter": 150}


def heteroscedastic(seed, n=1000):
    """Noise whose spread grows along the first feature."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (n, 2))
    return X, X[:, 1] + (0.2 + 0.8 * (X[:, 0] > 0)) * rng.randn(n)


@pytest.fixture(scope="module")
def several():
    """Three quantiles at once, with the data they are fitted to."""
    X, y = heteroscedastic(0)
    return fit_quietly(MLPRegressor("quantile", quantile=LEVELS, **NET), X, y), X, y


def test_columns_are_quantiles(several):
    """Sorted; each has about its share of new rows below it, where the noise is small or large."""
    model = several[0]
    X, y = heteroscedastic(1, 4000)
    q = model.predict(X)
    assert q.shape == (4000, 3)
    assert (np.diff(q, axis=1) >= 0).all()
    for large in (False, True):
        rows = (X[:, 0] > 0) == large
        np.testing.assert_allclose((y[rows, None] <= q[rows]).mean(axis=0), LEVELS, atol=0.06)
    width = q[:, 2] - q[:, 0]
    assert width[X[:, 0] > 0.1].mean() > 2.5 * width[X[:, 0] < -0.1].mean()


def test_crossing_quantiles_are_sorted(several):
    """Where the network's outputs cross, predict puts them in order."""
    model, X, _ = several
    crossed = MLPRegressor("quantile", quantile=LEVELS, **{**NET, "max_iter": 1})
    fit_epochs(crossed, X[:20], X[:20, 0])
    raw = crossed._outputs(X)
    assert (np.diff(raw, axis=1) < 0).any()
    np.testing.assert_array_equal(crossed.predict(X), np.sort(raw, axis=1))
    assert model.n_outputs_ == 3


@pytest.mark.parametrize("weighted", [False, True])
def test_score_is_the_mean_d2_pinball_score(several, weighted):
    """Of the columns, with weights; better than the constant quantiles."""
    model, X, y = several
    s = np.random.RandomState(0).rand(len(y)) if weighted else None
    expected = [
        d2_pinball_score(y, column, alpha=level, sample_weight=s)
        for level, column in zip(LEVELS, model.predict(X).T, strict=True)
    ]
    assert model.score(X, y, sample_weight=s) == pytest.approx(np.mean(expected), rel=1e-12)
    assert model.score(X, y) > 0.2


def test_loss_is_the_sum_of_pinball_losses(several):
    """Of the raw outputs, one level each; the objective counts every quantile once."""
    _, X, y = several
    model = MLPRegressor("quantile", quantile=LEVELS, **NET, alpha=0.0, solver="sgd")
    model.set_params(batch_size=len(y), learning_rate_init=1e-12, max_iter=1)
    raw = fit_epochs(model, X, y)._outputs(X)
    pinball = sum(mean_pinball_loss(y, raw[:, i], alpha=level) for i, level in enumerate(LEVELS))
    assert model.loss_ == pytest.approx(pinball, rel=1e-9)


def test_the_order_of_the_levels_does_not_matter(several):
    """They are sorted before training, as are the columns."""
    model, X, y = several
    other = MLPRegressor("quantile", quantile=np.array([0.9, 0.1, 0.5]), **NET)
    np.testing.assert_array_equal(parameters(fit_quietly(other, X, y)), parameters(model))


def test_more_than_ten_levels_keep_their_columns():
    """Column k is level k also where the numbers of the columns have two digits."""
    X, y = heteroscedastic(0)
    levels = np.linspace(0.05, 0.95, 13)
    model = MLPRegressor("quantile", quantile=levels, **{**NET, "hidden_layer_sizes": ()})
    raw = fit_quietly(model.set_params(max_iter=400), X, y)._outputs(X)
    np.testing.assert_allclose((y[:, None] <= raw).mean(axis=0), levels, atol=0.04)


@pytest.mark.parametrize("scoring", ["loss", None, "neg_mean_pinball"])
def test_early_stopping_with_several_quantiles(scoring):
    """From a split or a given set; the score is what it watches with scoring=None."""
    X, y = heteroscedastic(0, 300)
    X_val, y_val = heteroscedastic(1, 200)
    if scoring == "neg_mean_pinball":
        scoring = negative_pinball
    params = {**NET, "early_stopping": True, "scoring": scoring, "max_iter": 20}
    model = MLPRegressor("quantile", quantile=LEVELS, **params)
    fit_quietly(model, X, y, X_val=X_val, y_val=y_val)
    best = max(model.validation_scores_)
    assert model.best_validation_score_ == best
    if scoring is None:
        assert best == pytest.approx(model.score(X_val, y_val), rel=1e-9)
    elif scoring == "loss":
        raw = model._outputs(X_val)
        pinball = [mean_pinball_loss(y_val, z, alpha=q) for z, q in zip(raw.T, LEVELS, strict=True)]
        assert -best == pytest.approx(sum(pinball), rel=1e-9)
    else:
        assert best == pytest.approx(negative_pinball(model, X_val, y_val), rel=1e-9)
    split = fit_quietly(MLPRegressor("quantile", quantile=LEVELS, **params), X, y)
    assert np.isfinite(split.validation_scores_).all()
    assert split.predict(X).shape == (300, 3)


def negative_pinball(estimator, X, y):
    """A scorer for the median alone."""
    return -mean_pinball_loss(y, estimator.predict(X)[:, 1], alpha=0.5)


def test_a_validation_set_has_one_target_for_several_quantiles():
    """Its columns are those of y, not those of the outputs."""
    X, y = heteroscedastic(0, 60)
    model = MLPRegressor("quantile", quantile=LEVELS, **NET, early_stopping=True)
    with pytest.raises(ValueError, match=r"y_val has 3 targets, but y has 1"):
        model.fit(X, y, X_val=X, y_val=np.column_stack([y, y, y]))


@pytest.mark.parametrize("quantile", [0.5, [0.5], np.array([0.5]), (0.5,)], ids=str)
def test_a_single_quantile_is_a_usual_regressor(quantile):
    """One dimension, the pinball score, several targets."""
    X, y = heteroscedastic(0, 300)
    model = fit_quietly(MLPRegressor("quantile", quantile=quantile, **NET), X, y)
    assert model.predict(X).shape == (300,)
    assert model.score(X, y) == d2_pinball_score(y, model.predict(X), alpha=0.5)
    plain = fit_quietly(MLPRegressor("quantile", **NET), X, y)
    np.testing.assert_array_equal(parameters(model), parameters(plain))
    both = fit_quietly(MLPRegressor("quantile", quantile=quantile, **NET), X, np.c_[y, -y])
    assert both.predict(X).shape == (300, 2)


def test_one_level_for_every_target():
    """0.9 of each column lies below, not 0.9 of the first alone."""
    X, y = heteroscedastic(0)
    Y = np.column_stack([y, 3 * y[::-1] - 1])
    model = MLPRegressor("quantile", quantile=0.9, **{**NET, "max_iter": 300})
    fit_quietly(model, X, Y)
    np.testing.assert_allclose((model.predict(X) >= Y).mean(axis=0), 0.9, atol=0.03)


def test_a_column_vector_is_a_single_target():
    """With the usual warning."""
    X, y = heteroscedastic(0, 60)
    model = MLPRegressor("quantile", quantile=LEVELS, **NET)
    with pytest.warns(UserWarning, match="column-vector"):
        fit_quietly(model, X, y[:, None])
    assert model.predict(X).shape == (60, 3)


def test_several_quantiles_in_searches():
    """Cross-validation and grids use their score."""
    X, y = heteroscedastic(0, 200)
    model = MLPRegressor("quantile", quantile=LEVELS, **{**NET, "max_iter": 600, "tol": 1e-3})
    assert (cross_val_score(model, X, y, cv=3) > 0).all()
    grid = {"quantile": [[0.25, 0.75], LEVELS], "hidden_layer_sizes": [(4,)]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert search.best_params_["quantile"] in grid["quantile"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_partial_fit_continues_several_quantiles():
    """Ten calls are ten epochs."""
    X, y = heteroscedastic(0, 60)
    params = {**NET, "max_iter": 10, "shuffle": False, "batch_size": 60}
    whole = fit_epochs(MLPRegressor("quantile", quantile=LEVELS, **params), X, y)
    parts = MLPRegressor("quantile", quantile=LEVELS, **params)
    for _ in range(10):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(parameters(parts), parameters(whole))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_robust_losses_stand_up_to_outliers(loss, solver):
    """A tenth of the targets off by far spoils least squares, and not these."""
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (400, 2))
    clean = np.sin(3 * X[:, 0]) + X[:, 1]
    y = clean + np.where(rng.rand(400) < 0.1, 20.0, 0.0)
    errors = {}
    for name in (loss, "squared_error"):
        model = MLPRegressor(name, **NET, solver=solver).set_params(max_iter=400)
        params = {"learning_rate_init": 0.1} if name == loss and solver == "sgd" else {}
        fit_quietly(model.set_params(**params), X, y)
        errors[name] = np.abs(model.predict(X) - clean).mean()
    assert errors[loss] < 0.4 < 1.2 < errors["squared_error"]


def test_fitted_quantiles_stay(diabetes):
    """What was fitted decides on predictions and score, whatever set_params says since."""
    X, y = diabetes
    model = fit_quietly(MLPRegressor("quantile", (5,), quantile=[0.9, 0.1], max_iter=20), X, y)
    np.testing.assert_array_equal(model.quantiles_, [0.1, 0.9])
    before, score = model.predict(X), model.score(X, y)
    model.set_params(loss="squared_error", quantile=0.5)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.score(X, y) == score
