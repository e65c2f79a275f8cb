"""Penalties and clipping at the edges of the numbers, where a shortcut would overflow."""

import numpy as np
import pytest
from conftest import fit_quietly
from scipy.optimize import brentq
from test_core import make_layers, make_network

from skreg import MLPRegressor
from skreg.network.core import make_data


def exact_prox(z, d):
    """argmin ||w|| + sum (w - z)^2 / (2 d), by bisection for the norm."""
    z, d = z.astype(np.float64), d.astype(np.float64)

    def excess(r):
        return ((z / (r + d)) ** 2).sum() - 1

    if ((np.abs(z) <= d) | (z == 0)).all() and excess(0.0) <= 0:
        return np.zeros_like(z)
    r = brentq(excess, 1e-300, np.linalg.norm(z), xtol=1e-300, rtol=1e-14)
    return z * r / (r + d)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [1.0, 1e-4, 1e-10, 1e-15])
@pytest.mark.parametrize("strength", [1e-6, 0.1, 1.0, 30.0])
def test_group_prox_with_dead_and_lively_units(dtype, spread, strength):
    """One step of adam with rate 0 in the gradient's place: moments decide on the metric alone."""
    width = 19
    network = make_network(
        make_layers([width], "identity"),
        "squared_error",
        dtype,
        [("row_groups", {"strength": strength, "layer": 0.0})],
        n_features=3,
    )
    rng = np.random.RandomState(0)
    z = network.views("weight")[0]
    z[:] = rng.randn(*z.shape) * [[1.0], [1e-3], [0.0]]
    before = z.copy()
    second = np.ones(network.parameters.size, dtype=dtype)
    second[: z.size : 2] = 1 / spread**2 if spread**2 > np.finfo(dtype).tiny else 1e30
    moments = [np.zeros_like(second), second.copy()]
    options = {"beta_1": 0.0, "beta_2": 1 - 1e-12, "epsilon": 1e-30}
    counters = np.array([0, 10**15], dtype=np.int64)
    network.attach(("adam", options), moments, counters)
    # A row of zeros with the targets equal to the biases: the gradient is zero.
    target = network.views("bias")[0][None, :].astype(dtype)
    data = make_data(np.zeros((1, 3), dtype=dtype), target=target)
    network.train_epoch(data, np.zeros(1, dtype=np.int32), 1, np.array([1.0]))
    d = (strength / np.sqrt(second[: z.size])).reshape(z.shape)
    for row, start, metric in zip(z, before, d, strict=True):
        expected = exact_prox(start, metric)
        tolerance = 2e-3 if dtype == np.float32 else 1e-6
        np.testing.assert_allclose(row, expected, rtol=tolerance, atol=1e-30)


@pytest.mark.filterwarnings("ignore:y has a standard deviation")
def test_float32_keeps_the_features_that_float64_keeps():
    """Dead units have no second moment, lively ones a huge one, in the same row."""
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(500, 5))) * 1e4
    y = X @ [1, 2, 3, 0, 0] * 100
    norms = []
    for dtype in (np.float32, np.float64):
        model = MLPRegressor(feature_alpha=0.01, max_iter=20, random_state=0)
        norms.append(np.linalg.norm(fit_quietly(model, X.astype(dtype), y).coefs_[0], axis=1))
    assert (norms[0] > 0).all()
    np.testing.assert_allclose(norms[0], norms[1], rtol=1e-2)


def test_clipping_works_where_squares_overflow():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 2)) * 1e9, rng.normal(size=20) * 1e14
    moved = []
    for dtype in (np.float32, np.float64):
        model = MLPRegressor(
            hidden_layer_sizes=(3,), solver="sgd", learning_rate_init=0.1, momentum=0.0,
            clip_norm=1.0, max_iter=1, random_state=0,
        )  # fmt: skip
        start = MLPRegressor(
            hidden_layer_sizes=(3,), solver="sgd", learning_rate_init=1e-30, max_iter=1,
            clip_norm=1.0, random_state=0,
        )  # fmt: skip
        model.partial_fit(X.astype(dtype), y)
        start.partial_fit(X.astype(dtype), y)
        steps = [a - b for a, b in zip(model.coefs_, start.coefs_, strict=True)]
        moved.append(np.sqrt(sum((s.astype(np.float64) ** 2).sum() for s in steps)))
    assert moved[1] == pytest.approx(0.1, rel=0.1)
    assert moved[0] == pytest.approx(moved[1], rel=1e-3)


def test_decay_that_turns_signs_is_refused():
    with pytest.raises(ValueError, match="would turn the signs of the weights"):
        MLPRegressor(weight_decay=1000.0).fit(np.eye(4), np.arange(4.0))
