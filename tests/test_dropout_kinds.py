"""Kinds of dropout: their factors from the core's own random numbers, their moments and scale.

At frozen weights the training loss is a function of the random numbers alone.
"""

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly
from numpy.testing import assert_array_equal
from reference import initial_parameters

from skreg import MLPRegressor, _core

FROZEN = {"solver": "sgd", "learning_rate_init": 1e-30, "momentum": 0.0, "alpha": 0.0}
FROZEN.update(hidden_layer_sizes=(12,), random_state=0, max_iter=1, n_iter_no_change=np.inf)
SELU = 1.0507009873554805, 1.6732632423543772
LIMIT = -SELU[0] * SELU[1]  # of selu for very negative arguments
STREAM = 1 << 16  # hidden dropout of the first layer


def selu(z):
    """Klambauer et al. 2017."""
    return SELU[0] * np.where(z < 0, SELU[1] * np.expm1(z), z)


def dropped(seed, step, p, shape):
    """The masks of a step."""
    bits = np.array(_core.random_bits(seed, step, STREAM, int(np.prod(shape))))
    return (bits < round(p * 65536)).reshape(shape)


def gaussian(h, seed, step, p):
    """Units times factors with mean 1 and variance p / (1 - p)."""
    _core.normals64(seed, step, STREAM, z := np.empty(h.size))
    return h * (1 + np.sqrt(p / (1 - p)) * z.reshape(h.shape))


def alpha(h, seed, step, p):
    """Dropped units at the limit of selu, then the affine map of PyTorch's alpha dropout."""
    a = 1 / np.sqrt((1 - p) * (1 + p * LIMIT**2))
    b = -a * p * LIMIT
    return a * np.where(dropped(seed, step, p, h.shape), LIMIT, h) + b


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("kind", ["gaussian", "alpha", "connect"])
def test_the_training_loss_follows_from_the_draws(diabetes, kind, p):
    """The formulas, with the same random numbers; these p are exact in 16 bits."""
    X, y = diabetes[0][:200], diabetes[1][:200]
    params = {**FROZEN, "activation": "selu", "dropout": p, "dropout_kind": kind}
    model = fit_epochs(MLPRegressor(**params), X, y)
    (W, V), (b, c) = initial_parameters([10, 12, 1], "selu")
    order = np.random.RandomState(0)
    initial_parameters([10, 12, 1], "selu", order)
    rows = np.arange(200)
    order.shuffle(rows)
    seed = model._state["seed"]
    if kind == "connect":
        W = W * ~dropped(seed, 0, p, W.shape) / (1 - p)
    h = selu(X[rows] @ W + b)
    if kind != "connect":
        h = {"gaussian": gaussian, "alpha": alpha}[kind](h, seed, 0, p)
    expected = 0.5 * np.mean(((h @ V + c)[:, 0] - y[rows]) ** 2)
    assert model.loss_ == pytest.approx(expected, rel=1e-5)


def test_moments_of_the_factors():
    """Gaussian: mean 1, variance p / (1 - p); alpha: mean 0 and variance 1 stay, without bias."""
    n = 200_000
    ones = gaussian(np.ones(n), 1, 0, 0.3)
    assert abs(ones.mean() - 1) < 5 * np.sqrt(3 / 7 / n)
    assert ones.var() == pytest.approx(3 / 7, rel=0.02)
    h = selu(np.random.RandomState(0).randn(n))
    for p in (0.1, 0.5, 0.8):
        x = alpha(h, 1, 0, p)
        assert abs(x.mean()) < 0.01
        assert x.var() == pytest.approx(1, rel=0.02)


def test_alpha_dropout_is_pytorchs():
    """Its two values of a dropped unit and of a kept one."""
    torch = pytest.importorskip("torch")
    h = np.full(64, 0.7)
    theirs = torch.nn.AlphaDropout(0.4).train()(torch.full((64,), 0.7, dtype=torch.float64))
    np.testing.assert_allclose(np.unique(alpha(h, 1, 0, 0.4)), np.unique(theirs), rtol=1e-6)


@pytest.mark.parametrize("kind", ["gaussian", "connect", "standard"])
def test_the_expectation_is_kept(diabetes, kind):
    """With identity units the loss exceeds that of the whole network by the variance alone."""
    X, y = diabetes
    params = {**FROZEN, "activation": "identity", "batch_size": len(y), "max_iter": 1500}
    mean = np.mean(
        fit_epochs(MLPRegressor(**params, dropout=0.4, dropout_kind=kind), X, y).loss_curve_
    )
    (W, V), (b, c) = initial_parameters([10, 12, 1], "identity")
    h = X @ W + b
    whole = 0.5 * np.mean(((h @ V + c)[:, 0] - y) ** 2)
    variance = 0.4 / 0.6 * np.mean((h**2) @ (V**2))
    if kind == "connect":
        variance = 0.4 / 0.6 * np.mean((X**2) @ (W**2) @ (V**2))
    assert mean == pytest.approx(whole + 0.5 * variance, rel=0.03)


def test_drop_connect_has_one_mask_for_all_rows_of_a_batch():
    """Equal rows stay equal in a batch, so the spread of the loss does not shrink with it."""
    spreads = {}
    for kind in ("standard", "connect"):
        X, y = np.ones((100, 4)), np.zeros(100)
        params = {**FROZEN, "dropout": 0.5, "dropout_kind": kind, "max_iter": 300}
        losses = fit_epochs(MLPRegressor(**params), X, y).loss_curve_
        spreads[kind] = np.std(losses) / np.mean(losses)
    assert spreads["connect"] > 3 * spreads["standard"]


@pytest.mark.parametrize("kind", ["standard", "gaussian", "alpha", "connect"])
def test_prediction_is_without_it(diabetes, kind):
    """The same bits each time, and those of the frozen network without dropout."""
    X, y = diabetes
    params = {**FROZEN, "activation": "selu"}
    plain = fit_quietly(MLPRegressor(**params), X, y)
    model = fit_quietly(MLPRegressor(**params, dropout=0.5, dropout_kind=kind), X, y)
    assert_array_equal(model.predict(X), plain.predict(X))
    assert model.loss_ != plain.loss_
