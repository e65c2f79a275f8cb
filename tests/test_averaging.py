"""Weight averaging: the mean that is promised, in the place of the last weights."""

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly, parameters
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier, MLPRegressor
from skreg.network.network import Network

STEPS = {
    "hidden_layer_sizes": (4,), "solver": "sgd", "learning_rate_init": 0.05, "shuffle": False,
    "alpha": 0, "random_state": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(60, 5)
    return X, np.sin(X[:, 0]) + X[:, 1]


def trajectory(data, n):
    """All parameters after each of n full-batch steps."""
    model = MLPRegressor(**STEPS, batch_size=60)
    return np.array([parameters(model.partial_fit(*data)) for _ in range(n)])


def averaged(data, n, **params):
    full_batches = {"batch_size": 60, "max_iter": n, "tol": 0, "n_iter_no_change": np.inf}
    return fit_epochs(MLPRegressor(**{**STEPS, **full_batches, **params}), *data)


@pytest.mark.parametrize("decay", [0.5, 0.999])
@pytest.mark.parametrize("n", [1, 7])
def test_ema_is_the_weighted_mean_of_all_steps(data, decay, n):
    """Bias-corrected: the weights (1 - d) d^(n - i) are divided by their sum."""
    model = averaged(data, n, weight_averaging="ema", ema_decay=decay)
    share = decay ** np.arange(n - 1, -1, -1)
    expected = share @ trajectory(data, n) / share.sum()
    np.testing.assert_allclose(parameters(model), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("start", "first"), [(0.0, 0), (0.5, 4), (0.99, 7)])
def test_swa_is_the_mean_from_its_start_on(data, start, first):
    model = averaged(data, 8, weight_averaging="swa", swa_start=start)
    expected = trajectory(data, 8)[first:].mean(axis=0)
    np.testing.assert_allclose(parameters(model), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_training_itself_does_not_see_the_average(data, kind):
    """The loss curve is that of the training without it."""
    plain = averaged(data, 10)
    model = averaged(data, 10, weight_averaging=kind)
    assert model.loss_curve_ == plain.loss_curve_


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_what_validates_is_the_average(data, kind):
    """The kept weights have the score that was recorded for their epoch."""
    X, y = data
    own = {"ema_decay": 0.8} if kind == "ema" else {"swa_start": 0.25}
    params = {**STEPS, "shuffle": True, "batch_size": 10, "max_iter": 12, "early_stopping": True}
    model = MLPRegressor(**params, **own, weight_averaging=kind)
    fit_quietly(model, X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    loss = 0.5 * np.mean((model.predict(X[40:]) - y[40:]) ** 2)
    assert loss == pytest.approx(min(model.validation_loss_curve_), rel=1e-9)


@pytest.mark.parametrize("kind", ["ema", "swa"])
@pytest.mark.parametrize("params", [{"penalty": "l1", "alpha": 0.05}, {"feature_alpha": 0.3}])
def test_zeros_stay_zeros(data, kind, params):
    """What L1 or a group penalty has removed at the end is removed from the average."""
    last = averaged(data, 40, **params)
    model = averaged(data, 40, **params, weight_averaging=kind)
    for mean, w in zip(model.coefs_, last.coefs_, strict=True):
        assert (mean[w == 0] == 0).all()
    assert 0.05 < last.sparsity_ <= model.sparsity_ < 1


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_batch_norm_statistics_are_those_of_the_average(data, kind):
    """The first layer's normalized pre-activations have mean 0 and variance 1 over the rows."""
    X, y = data
    model = MLPRegressor(
        hidden_layer_sizes=(6,), activation="identity", batch_norm=True, max_iter=20,
        weight_averaging=kind, batch_size=20, learning_rate_init=0.01, random_state=0,
    )  # fmt: skip
    fit_quietly(model, X, y)
    hidden = X @ model.coefs_[0] + model.intercepts_[0]
    scale, shift = np.split(model._state["parameters"][-12:], 2)
    np.testing.assert_allclose(hidden.mean(axis=0), shift, atol=1e-9)
    np.testing.assert_allclose(hidden.std(axis=0, ddof=1), np.abs(scale), rtol=1e-3)


def test_continuing(data):
    """A warm start goes on from the average; partial_fit, which could not, says so."""
    model = averaged(data, 5, weight_averaging="ema", ema_decay=0.9, warm_start=True)
    fit_epochs(model, *data)
    assert len(model.loss_curve_) == 10
    with pytest.raises(ValueError, match="partial_fit does not support weight_averaging"):
        model.partial_fit(*data)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ema_decay": 0.5}, "ema_decay has an effect with weight_averaging='ema' only"),
        (
            {"weight_averaging": "ema", "swa_start": 0.5},
            "swa_start has an effect with weight_averaging='swa' only",
        ),
    ],
)
def test_parameters_of_the_other_kind_warn(data, params, message):
    X, y = data
    with pytest.warns(UserWarning, match=message):
        fit_quietly(MLPClassifier((3,), max_iter=1, **params), X, y > 0)


def test_lbfgs_has_no_trajectory(data):
    with pytest.raises(ValueError, match="weight_averaging='swa' needs training in epochs"):
        MLPRegressor(solver="lbfgs", weight_averaging="swa").fit(*data)


def test_ema_counts_batches(data):
    """Not epochs: one epoch of three batches has three steps."""
    X, y = data
    params = {**STEPS, "batch_size": 20}
    model = MLPRegressor(**params, max_iter=1, weight_averaging="ema", ema_decay=0.6)
    parts, steps = MLPRegressor(**params), []
    for begin in (0, 20, 40):
        parts.partial_fit(X[begin : begin + 20], y[begin : begin + 20])
        steps.append(parameters(parts))
    expected = np.average(steps, axis=0, weights=[0.36, 0.6, 1.0])
    np.testing.assert_allclose(parameters(fit_epochs(model, X, y)), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_the_last_average_is_kept_without_restore_best(data, kind, batch_norm):
    """The validation loss of the last epoch is that of the predictions."""
    X, y = data
    own = {"ema_decay": 0.8} if kind == "ema" else {"swa_start": 0.25}
    params = {**STEPS, "batch_size": 10, "max_iter": 12, "early_stopping": True}
    model = MLPRegressor(
        **params, **own, weight_averaging=kind, restore_best=False, batch_norm=batch_norm
    )
    fit_quietly(model, X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    loss = 0.5 * np.mean((model.predict(X[40:]) - y[40:]) ** 2)
    assert loss == pytest.approx(model.validation_loss_curve_[-1], rel=1e-9)


def test_training_waits_for_the_average_to_begin(data):
    """A lack of progress before swa_start does not end training."""
    params = {**STEPS, "max_iter": 100, "tol": 10.0, "n_iter_no_change": 3}
    assert MLPRegressor(**params).fit(*data).n_iter_ < 75
    assert MLPRegressor(**params, weight_averaging="swa").fit(*data).n_iter_ > 75


def test_an_average_that_never_began_is_said(data):
    params = {**STEPS, "max_iter": 100, "time_limit": 1e-9}
    with (
        pytest.warns(UserWarning, match="time_limit"),
        pytest.warns(UserWarning, match="averaged nothing: training ended before swa_start"),
    ):
        MLPRegressor(**params, weight_averaging="swa").fit(*data)


def test_interrupt_while_the_average_is_installed(data, monkeypatch):
    """The average is kept, with running statistics, where they could not be recomputed."""

    def interrupted(self, *args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "recalibrate", interrupted)
    model = MLPRegressor(
        hidden_layer_sizes=(4,), batch_norm=True, max_iter=3, weight_averaging="ema"
    )
    with (
        pytest.warns(UserWarning, match="interrupted by user"),
        pytest.warns(ConvergenceWarning),
    ):
        model.fit(*data)
    assert model.n_iter_ == 3
    assert np.isfinite(model.predict(data[0])).all()


@pytest.mark.parametrize("own", [{"weight_averaging": "ema"},
                                 {"weight_averaging": "swa", "swa_start": 0.0}])  # fmt: skip
def test_a_warm_start_averages_anew(data, own):
    """From the average on, without the weights on the way to it."""
    model = averaged(data, 6, warm_start=True, **own)
    start = parameters(model)
    model.set_params(max_iter=1, learning_rate_init=1e-12)
    np.testing.assert_allclose(parameters(fit_epochs(model, *data)), start, atol=1e-9)
