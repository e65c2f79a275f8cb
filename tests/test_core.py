"""The compiled core: gradients against central differences, proximal steps against their argmin,
kernels of all instruction sets against each other, random numbers against published vectors."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp
import scipy.special
from numpy.testing import assert_allclose, assert_array_equal
from test_effects import NEW

from skreg import MLPClassifier, _core
from skreg.network.architecture import stack
from skreg.network.core import count_moments, make_data
from skreg.network.core import predict as predict_layers
from skreg.network.network import Network
from skreg.regularization.plan import Plan

BATCH_NORM = ("batch_norm", {"momentum": 0.1, "epsilon": 1e-3})
LAYER_NORM = ("layer_norm", {"epsilon": 1e-3})
ACTIVATIONS = [
    *("identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
    *("mish", "softplus"),
]
LOSSES = {
    "squared_error": {},
    "absolute_error": {},
    "huber": {"threshold": 0.7},
    "quantile": {"levels": [0.1, 0.5, 0.8]},
    "poisson": {},
    "binary_log_loss": {"smoothing": 0.0},
    "softmax_log_loss": {"smoothing": 0.0},
}


def make_layers(widths, activation, norm=False, dropout=0.0, input_dropout=0.0):
    layers = [("dropout", {"p": input_dropout})] if input_dropout else []
    for width in widths[:-1]:
        layers.append(("dense", {"units": float(width)}))
        layers += [BATCH_NORM] if norm else []
        layers.append((activation, {}))
        layers += [("dropout", {"p": dropout})] if dropout else []
    return [*layers, ("dense", {"units": float(widths[-1])})]


def predict(X, coefs, intercepts, activations, link):
    """A plain network given by its arrays."""
    widths = [len(b) for b in intercepts]
    layers = stack(widths[:-1], activations, widths[-1])
    return predict_layers(X, layers, [*coefs, *intercepts], link)


def make_problem(loss, n_rows, n_outputs, dtype, weighted=False, n_features=5, sparse=False):
    rng = np.random.RandomState(0)
    X = rng.randn(n_rows, n_features).astype(dtype)
    if sparse:
        X = sp.csr_matrix(X * (rng.rand(*X.shape) < 0.4))
    if loss == "softmax_log_loss":
        targets = {"label": rng.randint(n_outputs, size=n_rows)}
    elif loss == "binary_log_loss":
        targets = {"target": rng.randint(2, size=(n_rows, n_outputs))}
    else:
        targets = {"target": np.abs(rng.randn(n_rows, n_outputs))}
    weight = rng.randint(3, size=n_rows).astype(float) if weighted else None
    return make_data(X, **targets, weight=weight), np.arange(n_rows, dtype=np.int32)


def make_network(layers, loss, dtype, parts=(), n_features=5):
    spec = (loss, LOSSES[loss])
    network = Network(layers, spec, list(parts), n_features=n_features, dtype=dtype, seed=3)
    rng = np.random.RandomState(1)
    network.initialize(rng, [6.0] * len(network.views("weight")))
    for kind in ("scale", "shift", "mean", "variance"):
        for view in network.views(kind).values():
            view[:] = rng.uniform(0.5, 1.5, view.shape)
    network.attach()
    return network


def numeric_gradient(network, loss, step=1e-6):
    gradient = np.empty_like(network.parameters)
    for i in range(len(gradient)):
        at = network.parameters[i]
        network.parameters[i] = at + step
        above = loss()
        network.parameters[i] = at - step
        gradient[i] = (above - loss()) / (2 * step)
        network.parameters[i] = at
    return gradient


CASES = {
    "plain": {},
    "batch_norm": {"norm": True},
    "dropout": {"dropout": 0.4, "input_dropout": 0.3},
    "both": {"norm": True, "dropout": 0.4, "input_dropout": 0.3},
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_central_differences(loss, activation, case):
    """All of a training batch: fixed masks, batch moments, weights of zero, an odd batch size."""
    n_outputs = 3 if loss != "poisson" else 1
    layers = make_layers([4, 3, n_outputs], activation, **CASES[case])
    penalties = [("l2", {"strength": 0.1})]
    network = make_network(layers, loss, np.float64, penalties)
    data, rows = make_problem(loss, 7, n_outputs, np.float64, weighted=True)
    gradient = np.empty_like(network.parameters)
    network.loss_and_gradient(data, rows, gradient, training=True)
    unused = np.empty_like(gradient)
    numeric = numeric_gradient(
        network, lambda: network.loss_and_gradient(data, rows, unused, training=True)
    )
    assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)
    assert np.abs(gradient).max() > 1e-2


def deep_layers(activation, n_outputs, *, norm=None, kind=None, links=(), depth=0.0, width=4):
    """Five hidden layers where there are links, else two."""
    n = 5 if links else 2
    where = {} if kind is None else dict.fromkeys(range(n), (kind, {"p": 0.4}))
    return stack(
        [width] * n,
        [activation] * n,
        n_outputs,
        norm={} if norm is None else dict.fromkeys(range(n), norm),
        link={i: ("residual", {"p": depth}) for i in links},
        **{"connect" if kind == "drop_connect" else "after": where},
    )


LINKS = {"links": (2, 4)}
PLACES = {
    "layer_norm": {"norm": LAYER_NORM},
    "gaussian": {"kind": "gaussian_dropout"},
    "alpha": {"kind": "alpha_dropout"},
    "connect": {"kind": "drop_connect"},
    "layer_norm and gaussian": {"norm": LAYER_NORM, "kind": "gaussian_dropout"},
    "batch_norm and connect": {"norm": BATCH_NORM, "kind": "drop_connect"},
    "links": LINKS,
    "links and batch_norm": {**LINKS, "norm": BATCH_NORM},
    "links and layer_norm": {**LINKS, "norm": LAYER_NORM},
    "links and dropout": {**LINKS, "kind": "dropout"},
    "links and alpha": {**LINKS, "kind": "alpha_dropout"},
    "stochastic depth": {**LINKS, "depth": 0.4},
    "stochastic depth and batch_norm": {**LINKS, "depth": 0.4, "norm": BATCH_NORM},
    "stochastic depth and gaussian": {**LINKS, "depth": 0.4, "kind": "gaussian_dropout"},
    "a link over the second pair": {"links": (3,), "norm": LAYER_NORM},
}
# The parts of every technique of place 1, at the values that test_effects.py has for it.
ROW_CHANGES = {
    name: part
    for name, effect in NEW.items()
    for technique in Plan(MLPClassifier(**effect.on)).on
    for part in technique.rows()
    if technique.name == name
}


def set_columns(network, n_outputs, n_features=5):
    """Statistics that differ from feature to feature."""
    at = np.linspace(0.5, 1.5, n_features)
    network.set_columns(at - 1, at, np.ones(n_outputs))


def assert_gradient(network, loss, n_outputs, n_rows=7):
    """Central differences of the training loss, with weights of zero among the rows."""
    data, rows = make_problem(loss, n_rows, n_outputs, np.float64, weighted=True)
    set_columns(network, n_outputs)
    gradient, unused = np.empty((2, network.parameters.size))
    network.loss_and_gradient(data, rows, gradient, training=True)
    numeric = numeric_gradient(
        network, lambda: network.loss_and_gradient(data, rows, unused, training=True)
    )
    assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-8)
    assert np.abs(gradient).max() > 1e-3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("case", PLACES)
def test_gradient_of_other_layers(activation, case):
    """Normalized rows, kinds of dropout and links, at fixed random numbers."""
    layers = deep_layers(activation, 3, **PLACES[case])
    assert_gradient(make_network(layers, "squared_error", np.float64), "squared_error", 3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("change", ROW_CHANGES)
@pytest.mark.parametrize("case", ["plain", "links and batch_norm"])
def test_gradient_at_changed_rows(case, change, loss):
    """Mixed targets under every loss; the adversarial point counts as a constant."""
    n_outputs = 3 if loss != "poisson" else 1
    layers = deep_layers("tanh", n_outputs, **PLACES.get(case, {}))
    assert_gradient(make_network(layers, loss, np.float64, [ROW_CHANGES[change]]), loss, n_outputs)


def test_gradient_of_everything_at_once():
    """All changes of rows before all that a deep network can have."""
    layers = deep_layers("gelu", 3, norm=BATCH_NORM, kind="gaussian_dropout", depth=0.4, **LINKS)
    layers = [("dropout", {"p": 0.3}), *layers]
    network = make_network(layers, "softmax_log_loss", np.float64, ROW_CHANGES.values())
    assert_gradient(network, "softmax_log_loss", 3, n_rows=9)


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("n_rows", [2, 33])
def test_other_layers_in_float32_equal_float64(case, n_rows):
    """Odd widths and heights, where vectors end within a row."""
    results = []
    for dtype in (np.float32, np.float64):
        layers = deep_layers("tanh", 3, width=37, **PLACES[case])
        network = make_network(layers, "squared_error", dtype)
        data, rows = make_problem("squared_error", n_rows, 3, dtype)
        gradient = np.empty_like(network.parameters)
        results.append((network.loss_and_gradient(data, rows, gradient, training=True), gradient))
    scale = np.abs(results[1][1]).max()
    assert_allclose(results[0][0], results[1][0], rtol=1e-3)
    assert_allclose(results[0][1], results[1][1], rtol=5e-3, atol=1e-3 * scale)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_rows", [2, 33])
def test_gradient_in_float32_equals_float64(loss, case, n_rows):
    layers = make_layers([37, 18, 3], "tanh", **CASES[case])
    results = []
    for dtype in (np.float32, np.float64):
        network = make_network(layers, loss, dtype)
        data, rows = make_problem(loss, n_rows, 3, dtype)
        gradient = np.empty_like(network.parameters)
        value = network.loss_and_gradient(data, rows, gradient, training=True)
        results.append((value, gradient))
    assert results[0][1].dtype == np.float32
    assert_allclose(results[0][0], results[1][0], rtol=1e-4)
    assert_allclose(results[0][1], results[1][1], rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("n_rows", [600, 1025])
def test_gradient_in_chunks_equals_one_batch(n_rows):
    """Outside training the rows go through in chunks, whose gradients add up."""
    network = make_network(make_layers([20, 3], "tanh"), "softmax_log_loss", np.float64)
    data, rows = make_problem("softmax_log_loss", n_rows, 3, np.float64, weighted=True)
    gradients = [np.empty_like(network.parameters) for _ in range(2)]
    values = [
        network.loss_and_gradient(data, rows, g, training=t)
        for g, t in zip(gradients, (True, False), strict=True)
    ]
    assert_allclose(values[0], values[1], rtol=1e-12)
    assert_allclose(gradients[0], gradients[1], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("input_dropout", [0.0, 0.5])
@pytest.mark.parametrize("connect", [False, True])
def test_sparse_rows_equal_dense(dtype, input_dropout, connect):
    layers = make_layers([19, 2], "relu", input_dropout=input_dropout)
    if connect:
        layers.insert(1 + bool(input_dropout), ("drop_connect", {"p": 0.4}))
    results = []
    for sparse in (False, True):
        network = make_network(layers, "squared_error", dtype, n_features=23)
        rng = np.random.RandomState(2)
        X = rng.randn(21, 23).astype(dtype) * (rng.rand(21, 23) < 0.3)
        X = X.astype(dtype)
        data = make_data(sp.csr_matrix(X) if sparse else X, target=rng.randn(21, 2))
        gradient = np.empty_like(network.parameters)
        rows = np.arange(21, dtype=np.int32)[::-1].copy()
        results.append((network.loss_and_gradient(data, rows, gradient, True), gradient))
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    assert_allclose(results[0][0], results[1][0], rtol=rtol)
    assert_allclose(results[0][1], results[1][1], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_l1_step_is_the_argmin(solver):
    """After the optimizer's step u, the weights minimise l1 |w| + (w - u)^2 / (2 metric)."""
    strength, rate = 0.3, 0.05
    options = {"momentum": 0.9, "nesterov": 0.0}
    if solver == "adam":
        options = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}
    results = {}
    for penalties in ((), (("l1", {"strength": strength}),)):
        network = make_network(make_layers([2], "relu"), "squared_error", np.float64, penalties)
        data, rows = make_problem("squared_error", 9, 2, np.float64)
        moments = [np.zeros_like(network.parameters) for _ in range(2)]
        network.attach((solver, options), moments, np.zeros(2, dtype=np.int64))
        network.train_epoch(data, rows, 9, np.array([rate]))
        results[bool(penalties)] = network.parameters.copy(), moments
    (u, moments), (w, _) = results[False], results[True]
    metric = np.full(len(u), rate / (1 - 0.9))
    if solver == "adam":
        metric = rate * np.sqrt(1 - 0.99) / (np.sqrt(moments[1]) + 1e-8)
    n_weights = 10
    for i in range(n_weights):
        expected = scipy.optimize.minimize_scalar(
            lambda x, i=i: strength * abs(x) + (x - u[i]) ** 2 / (2 * metric[i]),
            bounds=(-3, 3),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert_allclose(w[i], expected.x, atol=1e-6)
    assert_array_equal(w[n_weights:], u[n_weights:])  # biases stay out of it
    assert 0 < np.count_nonzero(w[:n_weights] == 0) < n_weights


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("l1", [0.0, 0.2])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_group_step_is_the_argmin(solver, l1, layer):
    """After the optimizer's step u, each row of one layer minimises, in the optimizer's metric,
    strength ||w|| + l1 |w|_1 + sum (w - u)^2 / (2 metric); rows leave, and all else stays u."""
    strength, rate = 0.7, 0.02
    options = {"momentum": 0.9, "nesterov": 0.0}
    if solver == "adam":
        options = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}
    groups = ("row_groups", {"strength": strength, "layer": float(layer)})
    results = {}
    for parts in ((), (("l1", {"strength": l1}), groups) if l1 else (groups,)):
        layers = make_layers([4, 3], "tanh")
        network = make_network(layers, "squared_error", np.float64, parts)
        weights = network.views("weight")[layer]
        weights *= np.geomspace(0.02, 1, len(weights))[:, None]  # short rows and long ones
        data, rows = make_problem("squared_error", 9, 3, np.float64)
        moments = [np.zeros_like(network.parameters) for _ in range(2)]
        network.attach((solver, options), moments, np.zeros(2, dtype=np.int64))
        network.train_epoch(data, rows, 9, np.array([rate]))
        results[bool(parts)] = network, moments
    (before, moments), (after, _) = results[False], results[True]
    metric = np.full(before.parameters.size, rate / (1 - 0.9))
    if solver == "adam":
        metric = rate * np.sqrt(1 - 0.99) / (np.sqrt(moments[1]) + 1e-8)
    assert (np.ptp(metric) > 0) == (solver == "adam")
    metric = before.views("weight", (metric, None))[layer]
    n_gone = 0
    pairs = zip(before.views("weight")[layer], after.views("weight")[layer], metric, strict=True)
    for u, w, d in pairs:

        def objective(x, u=u, d=d):
            distance = ((x - u) ** 2 / (2 * d)).sum()
            return strength * np.linalg.norm(x) + l1 * np.abs(x).sum() + distance

        # Positive and negative parts, so that the solver sees bounds and no kinks of the L1 part.
        def smooth(p, u=u, d=d):
            x = p[: len(u)] - p[len(u) :]
            slope = (x - u) / d + strength * x / max(np.linalg.norm(x), 1e-300)
            value = strength * np.linalg.norm(x) + l1 * p.sum() + ((x - u) ** 2 / (2 * d)).sum()
            return value, np.concatenate([slope, -slope]) + l1

        width = len(u)
        split = scipy.optimize.minimize(
            smooth,
            np.concatenate([np.maximum(u, 0), np.maximum(-u, 0)]),
            jac=True,
            bounds=[(0, None)] * (2 * width),
            options={"ftol": 0, "gtol": 1e-10, "maxiter": 1000},
        )
        best = split.x[:width] - split.x[width:]
        assert objective(w) <= objective(best) + 1e-12
        assert objective(w) <= objective(np.zeros(width))
        if w.any():
            assert_allclose(w, best, atol=1e-6)
        n_gone += not w.any()
    assert 0 < n_gone < len(metric)
    if not l1:
        rest = np.ones(before.parameters.size, dtype=bool)
        before.views("weight", (rest, None))[layer][:] = False
        assert_array_equal(after.parameters[rest], before.parameters[rest])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "function", "link"),
    [
        ("logistic", scipy.special.expit, "logistic"),
        ("tanh", np.tanh, None),
        ("exp", np.exp, "exp"),
        ("relu", lambda x: np.maximum(x, 0), None),
        ("leaky_relu", lambda x: np.where(x < 0, 0.01 * x, x), None),
        ("elu", lambda x: np.where(x < 0, np.expm1(x), x), None),
        (
            "selu",
            lambda x: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * np.expm1(x), x),
            None,
        ),
        ("gelu", lambda x: x * scipy.special.ndtr(x), None),
        ("silu", lambda x: x * scipy.special.expit(x), None),
        ("mish", lambda x: x * np.tanh(np.logaddexp(0, x)), None),
        ("softplus", lambda x: np.logaddexp(0, x), None),
    ],
)
def test_functions_are_accurate(dtype, name, function, link):
    """The core's own exp and tanh, over all magnitudes, against SciPy's in float64."""
    x = np.concatenate([[0.0], np.geomspace(1e-8, 80, 401), -np.geomspace(1e-8, 80, 401)])
    x = x.astype(dtype)[:, None]
    one, zero = np.ones((1, 1), dtype=dtype), np.zeros(1, dtype=dtype)
    if link:
        y = predict(x, [one], [zero], [], link)
    else:
        y = predict(x, [one, one], [zero, zero], [name], "identity")
    assert y.dtype == dtype
    expected = function(x.astype(np.float64))
    eps = np.finfo(dtype).eps
    if name == "gelu":  # exp(-x^2 / 2) loses digits in the far tail
        assert_allclose(y, expected, rtol=32 * eps, atol=8 * eps**2)
    else:
        assert_allclose(y, expected, rtol=8 * eps, atol=np.finfo(dtype).tiny)


def gelu_slope(x):
    return scipy.special.ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def silu_slope(x):
    s = scipy.special.expit(x)
    return s + x * s * scipy.special.expit(-x)


def mish_slope(x):
    t = np.tanh(np.logaddexp(0, x))
    return t + x * (1 - t**2) * scipy.special.expit(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("gelu", gelu_slope),
        ("silu", silu_slope),
        ("mish", mish_slope),
        ("softplus", scipy.special.expit),
    ],
)
def test_slopes_that_the_forward_pass_keeps_are_accurate(dtype, name, slope):
    """As gradients of biases, under a loss whose own gradient is 1."""
    sizes = [*np.geomspace(1e-8, 80, 150), 1e4, 1e10]
    x = np.concatenate([[0.0], sizes, np.negative(sizes)]).astype(dtype)
    n = len(x)
    network = make_network(make_layers([n, n], name), "absolute_error", dtype, n_features=1)
    network.parameters[:] = np.concatenate([x, np.eye(n).ravel(), np.zeros(2 * n)])
    data = make_data(np.ones((1, 1), dtype), target=np.full((1, n), -1e30, dtype))
    gradient = np.empty_like(network.parameters)
    network.loss_and_gradient(data, np.zeros(1, np.int32), gradient)
    found = gradient[n + n * n :][:n]
    with np.errstate(all="ignore"):
        expected = slope(x.astype(np.float64))
    eps = np.finfo(dtype).eps
    assert_allclose(found, expected, rtol=32 * eps, atol=8 * eps)


def test_extreme_outputs_stay_right():
    x = np.array([[-1e4], [-800.0], [800.0], [1e4]])
    one, zero = np.ones((1, 1)), np.zeros(1)
    assert_array_equal(predict(x, [one], [zero], [], "logistic")[:, 0], [0, 0, 1, 1])
    with np.errstate(all="ignore"):
        assert_array_equal(predict(x, [one], [zero], [], "exp")[:, 0], [0, 0, np.inf, np.inf])
    wide = predict(np.hstack([x, -x]), [np.eye(2)], [np.zeros(2)], [], "softmax")
    assert_array_equal(wide, [[0, 1], [0, 1], [1, 0], [1, 0]])
    nan = predict(np.array([[np.nan]]), [one, one], [zero, zero], ["relu"], "identity")
    assert np.isnan(nan).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (5, 3, 2), (31, 17, 33), (129, 300, 65), (7, 513, 600), (31, 1024, 530)]
)
def test_products_equal_numpy(dtype, shape):
    """Odd and tiny sizes, edges of tiles and blocks; integers, so that every order is exact."""
    n_rows, n_in, n_out = shape
    rng = np.random.RandomState(0)
    X, W, b = (rng.randint(-3, 4, s).astype(dtype) for s in ((n_rows, n_in), (n_in, n_out), n_out))
    assert_array_equal(predict(X, [W], [b], [], "identity"), X @ W + b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_of_widths_that_share_cache_sets(dtype):
    """Rows a power of two apart are copied before use, in all three products; exact integers."""
    rng = np.random.RandomState(0)
    X, y = (rng.randint(-1, 2, (512, n)).astype(dtype) for n in (512, 150))
    layers = make_layers([512, 512, 150], "identity")
    network = make_network(layers, "squared_error", dtype, n_features=512)
    W = [
        rng.choice([-1, 0, 1], (n, m), p=[0.02, 0.96, 0.02])
        for n, m in [(512, 512)] * 2 + [(512, 150)]
    ]
    network.parameters[:] = 0
    network.parameters[: sum(w.size for w in W)] = np.concatenate([w.ravel() for w in W])
    gradient = np.empty_like(network.parameters)
    rows = np.arange(len(X), dtype=np.int32)
    network.loss_and_gradient(make_data(X, target=y), rows, gradient)
    inputs = [X, X @ W[0], X @ W[0] @ W[1]]
    delta = (inputs[2] @ W[2] - y) / len(X)
    deltas = [delta @ W[2].T @ W[1].T, delta @ W[2].T, delta]
    expected = np.concatenate([(a.T @ d).ravel() for a, d in zip(inputs, deltas, strict=True)])
    assert_array_equal(gradient[: len(expected)], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", range(1, 6))
@pytest.mark.parametrize("shape", [(1, 9, 20), (37, 70, 33), (128, 20, 131)])
def test_products_of_few_outputs(dtype, n_outputs, shape):
    """They go along the long side: forward (exact, of integers), both gradients, biases."""
    n_rows, n_in, width = shape
    rng = np.random.RandomState(0)
    W, V = (rng.randint(-2, 3, s).astype(dtype) for s in ((n_in, width), (width, n_outputs)))
    X, y = (rng.randint(-2, 3, (n_rows, n)).astype(dtype) for n in (n_in, n_outputs))
    bias = rng.randint(-2, 3, n_outputs).astype(dtype)
    zero = np.zeros(width, dtype)
    assert_array_equal(predict(X, [W, V], [zero, bias], ["identity"], "identity"), X @ W @ V + bias)
    layers = make_layers([width, n_outputs], "identity")
    network = make_network(layers, "squared_error", dtype, n_features=n_in)
    network.parameters[:] = np.concatenate([W.ravel(), V.ravel(), zero, bias])
    gradient = np.empty_like(network.parameters)
    rows = np.arange(n_rows, dtype=np.int32)
    network.loss_and_gradient(make_data(X, target=y), rows, gradient)
    delta = X @ W @ V + bias - y
    expected = [
        X.T @ (delta @ V.T),
        (X @ W).T @ delta,
        (delta @ V.T).sum(axis=0),
        delta.sum(axis=0),
    ]
    expected = np.concatenate([part.ravel() for part in expected]) / n_rows
    assert_allclose(gradient, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 32, 33])
def test_softmax_of_few_and_many_classes(dtype, n_classes):
    """Rows share vectors where classes are few: any number of rows, each as if it were alone."""
    rng = np.random.RandomState(0)
    X, eye = rng.normal(0, 30, (37, n_classes)).astype(dtype), np.eye(n_classes, dtype=dtype)
    zero = np.zeros(n_classes, dtype)
    p = predict(X, [eye], [zero], [], "softmax")
    eps = np.finfo(dtype).eps
    assert_allclose(p, scipy.special.softmax(X.astype(float), axis=1), rtol=64 * eps, atol=eps**2)
    for i in (0, 5, 36):
        assert_array_equal(predict(X[i : i + 1], [eye], [zero], [], "softmax")[0], p[i])
    X[3, 1] = np.nan
    with_nan = predict(X, [eye], [zero], [], "softmax")
    assert np.isnan(with_nan[3]).all()
    assert_array_equal(np.delete(with_nan, 3, axis=0), np.delete(p, 3, axis=0))


def test_batch_moments_of_weighted_rows_equal_repeated_rows():
    layers = make_layers([6, 1], "tanh", norm=True)
    rng = np.random.RandomState(0)
    X, y, weight = rng.randn(12, 5), rng.randn(12, 1), rng.randint(0, 4, 12)
    repeated = np.repeat(np.arange(12), weight)
    networks = []
    for data, n in (
        (make_data(X, target=y, weight=weight.astype(float)), 12),
        (make_data(X[repeated], target=y[repeated]), len(repeated)),
    ):
        network = make_network(layers, "squared_error", np.float64)
        optimizer = ("sgd", {"momentum": 0.0, "nesterov": 0.0})
        moments = [np.zeros_like(network.parameters)]
        network.attach(optimizer, moments, np.zeros(2, dtype=np.int64))
        network.train_epoch(data, np.arange(n, dtype=np.int32), n, np.array([0.1]))
        networks.append(network)
    assert_allclose(networks[0].parameters, networks[1].parameters, rtol=1e-10)
    assert_allclose(networks[0].statistics, networks[1].statistics, rtol=1e-10)


def test_recalibration_is_exact_layer_by_layer():
    """After it, every normalized layer has mean 0 and variance 1 over the rows, chunks or not."""
    layers = make_layers([8, 6, 1], "tanh", norm=True)
    network = make_network(layers, "squared_error", np.float64)
    data, rows = make_problem("squared_error", 1300, 1, np.float64)
    X = np.random.RandomState(0).randn(1300, 5)
    network.recalibrate(data, rows)
    h = X
    for layer in range(2):
        z = h @ network.views("weight")[layer]
        assert_allclose(network.views("mean")[layer], z.mean(axis=0), rtol=1e-9, atol=1e-12)
        assert_allclose(network.views("variance")[layer], z.var(axis=0, ddof=1), rtol=1e-9)
        x_hat = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0, ddof=1) + 1e-3)
        h = np.tanh(x_hat * network.views("scale")[layer] + network.views("shift")[layer])


@pytest.mark.parametrize("sparse", [False, True])
def test_recalibration_follows_links(sparse):
    """Outputs that a link needs are kept; rows with weights count as often, in CSR too."""
    layers = make_layers([6] * 5 + [1], "tanh", norm=True)
    for at in (13, 7):  # before the activations of the fifth and third block
        layers.insert(at + 1, ("residual", {"p": 0.3}))
    network = make_network(layers, "squared_error", np.float64)
    data, rows = make_problem("squared_error", 1300, 1, np.float64, weighted=True, sparse=sparse)
    rng = np.random.RandomState(0)
    X = rng.randn(1300, 5)
    if sparse:
        X = X * (rng.rand(*X.shape) < 0.4)
    rng.randn(1300, 1)
    weight = rng.randint(3, size=1300)
    network.recalibrate(data, rows)
    outputs = [X]
    for layer in range(5):
        z = outputs[-1] @ network.views("weight")[layer]
        mean = np.average(z, axis=0, weights=weight)
        variance = ((z - mean) ** 2 * weight[:, None]).sum(axis=0) / (weight.sum() - 1)
        assert_allclose(network.views("mean")[layer], mean, rtol=1e-9, atol=1e-12)
        assert_allclose(network.views("variance")[layer], variance, rtol=1e-9)
        z = (z - mean) / np.sqrt(variance + 1e-3)
        z = z * network.views("scale")[layer] + network.views("shift")[layer]
        outputs.append(np.tanh(z + outputs[-2] if layer in (2, 4) else z))


def test_recalibration_of_wide_layers_takes_a_sample_of_the_rows():
    """So many that the error is a small part of what a batch of 200 rows would have."""
    n, width = 5000, 5500
    network = make_network(make_layers([width, 1], "relu", norm=True), "squared_error", np.float32)
    data, rows = make_problem("squared_error", n, 1, np.float32)
    network.recalibrate(data, rows)
    z = np.random.RandomState(0).randn(n, 5).astype(np.float32) @ network.views("weight")[0]
    error = (network.views("mean")[0] - z.mean(axis=0)) / z.std(axis=0)
    assert 0 < np.abs(error).max() < 4 / np.sqrt(4096)
    assert_allclose(network.views("variance")[0], z.var(axis=0), rtol=0.1)
    first = network.statistics.copy()
    network.recalibrate(data, rows)
    assert_array_equal(network.statistics, first)


# ------------------------------------------------------------------------------ random numbers


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (
            [0xFFFFFFFF] * 4,
            [0xFFFFFFFF] * 2,
            [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
        ),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(counter, key, expected):
    """The known-answer vectors that Random123 ships for philox4x32-10."""
    assert _core.philox(counter, *key) == expected


def test_random_bits_are_the_documented_draws():
    """Vectors of any width store what the scalar definition in random.hpp says."""
    seed, step, stream, n = 0x123456789ABCDEF0, 2**33 + 5, 7 << 16 | 2, 300
    bits = _core.random_bits(seed, step, stream, n)
    for position in (0, 1, 3, 4, 63, 64, 127, 128, 299):
        r = position % 128
        block = position // 128 * 16 + r % 64 // 4
        counter = [block, stream, step & 0xFFFFFFFF, step >> 32]
        words = _core.philox(counter, seed & 0xFFFFFFFF, seed >> 32)
        word = words[r // 64 * 2 + r % 4 // 2]
        assert bits[position] == (word >> (r % 2 * 16)) & 0xFFFF


def test_random_bits_are_uniform_and_independent():
    bits = np.array(_core.random_bits(1, 0, 1 << 16, 1 << 16)) / 65536
    assert abs(bits.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(bits))
    other = np.array(_core.random_bits(1, 1, 1 << 16, 1 << 16)) / 65536
    assert abs(np.corrcoef(bits, other)[0, 1]) < 4 / np.sqrt(len(bits))


# ---------------------------------------------------------------------------- instruction sets

TRAIN = """
import json, sys
import numpy as np
from skreg import MLPClassifier, _core
rng = np.random.RandomState(0)
X, y = rng.randn(90, 7), rng.randint(3, size=90)
results = []
for dtype in (np.float32, np.float64):
    clf = MLPClassifier((33, 18), activation="tanh", dropout=0.3, input_dropout=0.1,
                        batch_norm=True, penalty="elasticnet", batch_size=13, max_iter=3,
                        tol=0, n_iter_no_change=1000, random_state=0)
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf.fit(X.astype(dtype), y)
    results.append(np.concatenate([c.ravel() for c in clf.coefs_]).tolist())
print(json.dumps([_core.instruction_set(), results]))
"""


def run_python(code, tmp_path, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    results = {}
    for name in _core.instruction_sets():
        run = run_python(TRAIN, tmp_path_factory.mktemp("isa"), SKREG_INSTRUCTION_SET=name)
        assert run.returncode == 0, run.stderr
        used, weights = json.loads(run.stdout)
        assert used == name
        results[name] = weights
    return results


def test_all_instruction_sets_train_the_same_network(trained):
    """Same masks, same order of sums: only rounding differs."""
    reference = trained["baseline"]
    for weights in trained.values():
        assert_allclose(weights[0], reference[0], rtol=1e-2, atol=1e-4)
        assert_allclose(weights[1], reference[1], rtol=1e-9, atol=1e-11)


def test_unknown_instruction_set_says_what_there_is(tmp_path):
    run = run_python("import skreg", tmp_path, SKREG_INSTRUCTION_SET="mmx")
    assert run.returncode != 0
    assert "SKREG_INSTRUCTION_SET is 'mmx', but this processor offers: " in run.stderr
    assert "baseline" in run.stderr


@pytest.mark.skipif(not (shutil.which("nm") and shutil.which("g++")), reason="needs g++ and nm")
def test_no_symbol_is_shared_between_instruction_sets(tmp_path):
    """All that kernels.cpp defines lies in the namespace of its instruction set.

    Else the linker could take a weak symbol compiled for AVX-512 and use it on every processor.
    """
    source = Path(__file__).parent.parent / "skreg" / "_core" / "kernels.cpp"
    compile_it = ["g++", "-std=c++17", "-O1", "-Wno-psabi", "-fPIC", "-DSKREG_ISA=probe", "-c"]
    subprocess.run([*compile_it, str(source), "-o", tmp_path / "probe.o"], check=True)
    listing = subprocess.run(
        ["nm", "--defined-only", "--extern-only", tmp_path / "probe.o"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    symbols = [line.split(maxsplit=2)[2] for line in listing.splitlines()]
    assert len(symbols) > 50
    # As the compiler writes them, a name after its length: not every one can be written out.
    foreign = [s for s in symbols if "5probe" not in s and "kernels_probe_" not in s]
    assert not foreign


# --------------------------------------------------------------------------------- bad calls


def test_core_rejects_what_would_read_out_of_bounds():
    network = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64)
    X, y = np.zeros((4, 5)), np.zeros((4, 1))
    data = make_data(X, target=y)
    with pytest.raises(ValueError, match="row index is out of range"):
        network.evaluate(data, np.array([4], dtype=np.int32))
    with pytest.raises(ValueError, match="another number of features"):
        network.evaluate(make_data(X[:, :4].copy(), target=y), np.array([0], dtype=np.int32))
    with pytest.raises(ValueError, match="another number of outputs"):
        network.evaluate(make_data(X, target=np.zeros((4, 2))), np.array([0], dtype=np.int32))
    with pytest.raises(ValueError, match="differ in their number of rows"):
        make_data(X, target=y[:3])
    with pytest.raises(ValueError, match="attach an optimizer"):
        network.train_epoch(data, np.array([0], dtype=np.int32), 1, np.array([0.1]))
    with pytest.raises(ValueError, match="do not fit together"):
        predict(X, [np.zeros((4, 1))], [np.zeros(1)], [], "identity")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform_and_normal_numbers_follow_from_the_random_bits(dtype):
    """Word by word: 32 bits make a uniform number, or a sign and a tail probability."""
    bits = np.array(_core.random_bits(7, 2**33 + 5, 3, 2 * 1001), dtype=np.uint16)
    words = bits.view(np.uint32)
    suffix = np.dtype(dtype).itemsize * 8
    uniform, normal = np.empty(1001, dtype), np.empty(1001, dtype)
    getattr(_core, f"uniforms{suffix}")(7, 2**33 + 5, 3, uniform)
    getattr(_core, f"normals{suffix}")(7, 2**33 + 5, 3, normal)
    assert_allclose(uniform, (words + 0.5) / 2**32, rtol=0, atol=2.0**-23)
    assert uniform.min() > 0 and uniform.max() < 1
    tail = ((words & 0x7FFFFFFF) + 0.5) / 2**32
    expected = np.where(words >> 31, 1, -1) * scipy.special.ndtri(tail)
    assert_allclose(normal, expected, rtol=1e-6, atol=2e-6)


WRONG_PARTS = {
    "huber needs the option threshold, a number": {"loss": ("huber", {})},
    "quantile needs the option levels, a list": {"loss": ("quantile", {"levels": 0.5})},
    "l1 needs the option strength, a number": {"parts": [("l1", {"strength": [0.1]})]},
    "max_norm needs the option layer, a number": {"parts": [("max_norm", {"largest": 1.0})]},
    "row_groups names a layer": {"parts": [("row_groups", {"strength": 1.0, "layer": 2.0})]},
    "mixup needs the option concentration": {"parts": [("mixup", {"concentration": "high"})]},
    "batch_norm needs the option epsilon": {"norm": ("batch_norm", {"momentum": 0.1})},
    "unknown loss: hinge": {"loss": ("hinge", {})},
    "unknown part: l3": {"parts": [("l3", {"strength": 0.1})]},
    "unknown layer, or one in the wrong place: swish": {"norm": ("swish", {})},
}


@pytest.mark.parametrize("message", WRONG_PARTS)
def test_errors_name_the_part_and_its_option(message):
    wrong = {"loss": ("squared_error", {}), "parts": [], "norm": None, **WRONG_PARTS[message]}
    dense = ("dense", {"units": 3.0})
    layers = [dense, *([wrong["norm"]] if wrong["norm"] else []), dense]
    with pytest.raises(ValueError, match=re.escape(message)):
        Network(layers, wrong["loss"], wrong["parts"], n_features=5, dtype=np.float64, seed=0)


def test_errors_name_an_unknown_optimizer():
    network = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64)
    with pytest.raises(ValueError, match="unknown optimizer: lion"):
        network.attach(("lion", {}))
    with pytest.raises(ValueError, match="unknown optimizer: lion"):
        count_moments("lion")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_core_rejects_what_would_crash(dtype):
    """Calls that Python code never makes."""
    data, rows = make_problem("softmax_log_loss", 4, 3, dtype)
    network = make_network(make_layers([3], "relu"), "softmax_log_loss", dtype)
    outside = np.array([4], dtype=np.int32)
    with pytest.raises(ValueError, match="out of range"):
        data.total_weight(outside)
    labels = make_data(np.zeros((4, 5), dtype), label=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="a label is out of range"):
        network.evaluate(labels, rows)
    with pytest.raises(ValueError, match="a label is negative"):
        make_data(np.zeros((4, 5), dtype), label=[0, 1, 2, -1])
    gradient = np.empty_like(network.parameters)
    with pytest.raises(ValueError, match="no rows"):
        network.loss_and_gradient(data, rows[:0], gradient, training=True)
    unattached = Network(make_layers([3], "relu"), ("softmax_log_loss", {"smoothing": 0.0}), [],
                         n_features=5, dtype=dtype, seed=0)  # fmt: skip
    with pytest.raises(ValueError, match="attach"):
        _ = unattached.finite


def test_any_batch_size_is_clipped_to_the_rows():
    """Its sum with an index of a row must not overflow."""
    weights = []
    for batch_size in (4, 2**63 - 1):
        data, rows = make_problem("squared_error", 4, 1, np.float64)
        network = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64)
        momentum = [np.zeros_like(network.parameters)]
        network.attach(("sgd", {"momentum": 0.9, "nesterov": 1.0}), momentum)
        network.train_epoch(data, rows, batch_size, np.array([0.1]))
        weights.append(network.parameters.copy())
    assert_array_equal(*weights)


@pytest.mark.parametrize("part", ["alpha_dropout", "cutmix", "cutout"])
def test_probability_zero_changes_nothing(part):
    data, rows = make_problem("squared_error", 6, 2, np.float64)
    layers = make_layers([4, 2], "identity")
    spec = (part, {"p": 0.0})
    gradients = []
    for on in (False, True):
        with_part = [*layers[:2], spec, *layers[2:]] if part == "alpha_dropout" and on else layers
        parts = [spec] if part != "alpha_dropout" and on else []
        network = make_network(with_part, "squared_error", np.float64, parts)
        set_columns(network, 2)
        gradients.append(np.empty_like(network.parameters))
        network.loss_and_gradient(data, rows, gradients[-1], training=True)
    assert_allclose(gradients[1], gradients[0], rtol=1e-12)


def test_a_failed_attach_changes_nothing():
    """The core must not keep pointers to arrays that nobody keeps alive."""
    network = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64)
    network.parameters = np.full_like(network.parameters, np.nan)
    too_few = [np.zeros_like(network.parameters)]
    with pytest.raises((ValueError, IndexError)):
        network.attach(("adam", {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}), too_few)
    assert network.finite


def test_core_checks_sparse_rows_when_it_reads_them():
    """The arrays are the user's, and another thread may write into them."""
    X = sp.random(50, 6, density=0.5, format="csr", random_state=0)
    network = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64, n_features=6)
    # Already in the core's types, so that they are borrowed and not copied.
    data = _core.Data64.sparse(
        indptr := X.indptr.astype(np.int64),
        indices := X.indices.astype(np.int32),
        X.data,
        6,
        np.zeros((50, 1)),
    )
    rows = np.arange(50, dtype=np.int32)
    out = np.empty((50, 1))
    arrays = [network.parameters[s[2] : s[2] + s[3] * s[4]] for s in network._slots]
    arrays = [a.reshape(s[3], s[4]) for a, s in zip(arrays, network._slots, strict=True)]
    changing = make_network(make_layers([3, 1], "relu"), "squared_error", np.float64,
                            [("cutout", {"p": 0.5})], n_features=6)  # fmt: skip
    set_columns(changing, 1, 6)
    gradient = np.empty_like(changing.parameters)
    calls = [
        lambda: network.evaluate(data, rows),
        lambda: changing.loss_and_gradient(data, rows, gradient, training=True),
        lambda: _core.predict(data, make_layers([3, 1], "relu"), arrays, "identity", out),
    ]
    for array, value in ((indices, 2**30), (indices, -1), (indptr, 2**40), (indptr, -5)):
        before = array[7]
        array[7] = value
        for call in calls:
            with pytest.raises(ValueError, match="out of range"):
                call()
        array[7] = before
    for call in calls:
        call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pictures_with_hostile_numbers(dtype):
    """Maps, widths and boxes that are not numbers or lie outside stay within the picture."""
    x = np.random.RandomState(0).rand(2, 9, 11, 1).astype(dtype)
    out = np.empty_like(x)
    for fill in ("constant", "edge", "reflect"):
        for value in (np.nan, np.inf, -np.inf, 1e300, -1e300):
            for interpolation in ("nearest", "bilinear"):
                maps = np.array([[1.0, 0, value, 0, 1, 0], [value, value, 0, value, 1, value]])
                _core.affine_rows(x, maps, interpolation, fill, 0.5, out)
                assert np.isfinite(out).all()
    for sigma in (np.nan, np.inf, -1.0, 1e300):
        for sigmas in ([sigma, 1.0], [1.0, sigma]):
            with pytest.raises(ValueError, match="sigma"):
                _core.smooth_rows(x, np.array(sigmas), out)
    _core.smooth_rows(x, np.array([1e-200, 1e-300]), out)
    assert_array_equal(out, x)
    large = 2**63 - 5
    for box in ([8, 0, large, 1], [0, 8, 1, large], [large, 0, large, 1], [0, large, 1, 9]):
        with pytest.raises(ValueError, match="leaves its picture"):
            _core.fill_box_rows(np.array([box, box]), np.zeros(2, dtype), out)


def test_signals_longer_than_their_coordinates_count():
    """From 2 ** 24 on float32 skips indices, and the frame of the signal would be left."""
    x = np.zeros((1, 1, 2**24 + 1, 1), dtype=np.float32)
    shifts = np.ones((1, x.shape[2]), dtype=np.float32)
    with pytest.raises(ValueError, match="float64"):
        _core.time_warp_rows(x, shifts, "bilinear", "edge", 0.0, x)
