"""Layer norm: PyTorch's, in training and prediction, and through all that keeps a fitted net."""

import pickle

import numpy as np
import pytest
from conftest import fit_quietly
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skreg import MLPClassifier, MLPRegressor
from skreg.network.architecture import stack
from skreg.network.core import make_data
from skreg.network.network import Network
from skreg.regularization.layers import LAYER_NORM_EPSILON

NET = {"hidden_layer_sizes": (7, 5), "layer_norm": True, "random_state": 0}


def forward(model, X):
    """Raw outputs of a tanh network with layer norm, from its public weights and its norms."""
    n = len(model.coefs_) - 1
    norms = model._predictor["norms"]
    for i, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        X = X @ W + b
        if i < n:
            spread = np.sqrt(X.var(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
            X = (X - X.mean(axis=1, keepdims=True)) / spread
            X = np.tanh(X * norms[i] + norms[n + i])
    return X


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_follow_from_the_fitted_arrays(diabetes, solver, dtype):
    """Weights, biases, scales and shifts, all of which have moved."""
    X, y = diabetes
    model = MLPRegressor(activation="tanh", solver=solver, max_iter=20, **NET)
    fit_quietly(model, X.astype(dtype), y)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    assert model.predict(X.astype(dtype)).dtype == dtype
    assert_allclose(model.predict(X.astype(dtype)), forward(model, X)[:, 0], tolerance, tolerance)
    scales, shifts = np.concatenate(model._predictor["norms"]).reshape(2, -1)
    assert (scales != 1).all() and (shifts != 0).all()
    assert all(b.any() for b in model.intercepts_)


@pytest.mark.parametrize("width", [2, 3, 18, 65])
def test_values_and_gradients_are_those_of_pytorch(width):
    """Of torch.nn.LayerNorm, with rows of one size or another."""
    torch = pytest.importorskip("torch")
    rng = np.random.RandomState(0)
    X, Y = rng.randn(9, 4) * np.geomspace(1e-3, 1e3, 9)[:, None], rng.randn(9, 2)
    norm = ("layer_norm", {"epsilon": LAYER_NORM_EPSILON})
    network = Network(
        stack([width], ["tanh"], 2, norm={0: norm}), ("squared_error", {}), [],
        n_features=4, dtype=np.float64, seed=0
    )  # fmt: skip
    network.initialize(rng, [6.0, 6.0])
    network.views("scale")[0][:] = rng.uniform(0.5, 1.5, width)
    network.views("shift")[0][:] = rng.randn(width)
    network.attach()
    gradient = np.empty_like(network.parameters)
    rows = np.arange(9, dtype=np.int32)
    loss = network.loss_and_gradient(make_data(X, target=Y), rows, gradient)
    kinds = [("weight", 0), ("bias", 0), ("scale", 0), ("shift", 0), ("weight", 1), ("bias", 1)]
    W, b, scale, shift, V, c = tensors = [
        torch.tensor(network.views(kind)[i], requires_grad=True) for kind, i in kinds
    ]
    h = torch.nn.functional.layer_norm(torch.tensor(X) @ W + b, (width,), scale, shift)
    z = torch.tanh(h) @ V + c
    theirs = 0.5 * ((z - torch.tensor(Y)) ** 2).sum(dim=1).mean()
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-12)
    for (kind, i), tensor in zip(kinds, tensors, strict=True):
        ours = network.views(kind, (gradient, None))[i]
        assert_allclose(ours, tensor.grad.numpy(), rtol=1e-7, atol=1e-10)


def test_pickles_and_clones_keep_it(cancer):
    """A copy predicts the same bits and goes on the same way; a clone is unfitted and equal."""
    X, y = cancer
    model = fit_quietly(MLPClassifier(**NET, max_iter=5), X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert_array_equal(copy.partial_fit(X, y).predict(X), model.partial_fit(X, y).predict(X))
    again = fit_quietly(clone(model), X, y)
    fresh = fit_quietly(MLPClassifier(**NET, max_iter=5), X, y)
    assert_array_equal(again.predict_proba(X), fresh.predict_proba(X))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_starts_go_on_from_scales_and_shifts(diabetes, solver):
    """The second fit begins at the loss at which the first one ended."""
    X, y = diabetes
    model = MLPRegressor(**NET, solver=solver, alpha=0.0, warm_start=True, max_iter=40)
    model.set_params(batch_size=len(y), shuffle=False, learning_rate_init=0.01)
    fit_quietly(model, X, y)
    end = 0.5 * np.mean((model.predict(X) - y) ** 2)
    norms = np.concatenate(model._predictor["norms"])
    fit_quietly(model.set_params(max_iter=1), X, y)
    if solver == "lbfgs":
        assert model.loss_ <= end * (1 + 1e-9)
    else:
        assert model.loss_curve_[-1] == pytest.approx(end, rel=1e-9)
    assert not np.array_equal(np.concatenate(model._predictor["norms"]), norms)


def test_changed_weights_cannot_be_continued(diabetes):
    """Training goes on from more than coefs_; nor can the norm come, go or turn into another."""
    X, y = diabetes
    model = fit_quietly(MLPRegressor(**NET, max_iter=2, warm_start=True), X, y)
    weights = model.coefs_[0]
    model.coefs_[0] = weights * 2
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="were changed, but with layer_norm=True"):
            method(X, y)
    model.coefs_[0] = weights
    for params in ({"layer_norm": False}, {"layer_norm": False, "batch_norm": True}):
        other = pickle.loads(pickle.dumps(model)).set_params(**params)
        with pytest.raises(ValueError, match="batch_norm and layer_norm cannot change"):
            other.fit(X, y)
    model.partial_fit(X, y)


def test_outputs_do_not_depend_on_the_other_rows(cancer):
    """Nor on the size of a batch: a single row is normalized in training as in prediction."""
    X, y = cancer
    model = MLPClassifier(**NET, max_iter=2, batch_size=1)
    fit_quietly(model, X[:50], y[:50])
    assert np.isfinite(model.loss_)
    single = np.vstack([model.predict_proba(x[None]) for x in X[:20]])
    assert_allclose(single, model.predict_proba(X)[:20], rtol=1e-12)


def test_lbfgs_goes_on_in_float32():
    """It works in float64; what it starts from is not mistaken for a change."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(50, 3).astype(np.float32), rng.randn(50)
    model = MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", layer_norm=True, warm_start=True,
                         max_iter=5)  # fmt: skip
    first = fit_quietly(model, X, y).loss_
    assert fit_quietly(model, X, y).loss_ < first
