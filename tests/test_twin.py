"""The compiled core trains as its NumPy twin does, step by step."""

import numpy as np
import pytest
from conftest import fit_epochs
from reference import ACTIVATIONS, Twin, twin_of
from sklearn.preprocessing import LabelBinarizer

from skreg import MLPClassifier, MLPRegressor

N_ROWS, N_FEATURES, N_EPOCHS = 40, 5, 15

SOLVERS = {
    "sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    "momentum": {
        "solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False, "learning_rate_init": 0.02
    },
    "nesterov": {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 0.02},
    "adam": {"solver": "adam", "learning_rate_init": 0.02},
}  # fmt: skip
PENALTIES = {
    "none": {"penalty": None},
    "l1": {"penalty": "l1", "alpha": 0.02},
    "l2": {"penalty": "l2", "alpha": 0.1},
    "elasticnet": {"penalty": "elasticnet", "alpha": 0.05, "l1_ratio": 0.4},
}
TASKS = ["binary", "multiclass", "multilabel", "squared_error", "poisson"]


def task_data(task):
    """Return X, y as the estimator takes it, Y as the twin takes it, and the twin's loss."""
    rng = np.random.RandomState(7)
    X = rng.randn(N_ROWS, N_FEATURES)
    if task == "binary":
        y = (X[:, 0] + 0.5 * rng.randn(N_ROWS) > 0).astype(int)
        return X, y, y[:, None].astype(float), "binary_log_loss"
    if task == "multiclass":
        y = np.argmax(X[:, :3] + 0.5 * rng.randn(N_ROWS, 3), axis=1)
        return X, y, LabelBinarizer().fit_transform(y).astype(float), "log_loss"
    if task == "multilabel":
        Y = (X[:, :3] + 0.5 * rng.randn(N_ROWS, 3) > 0).astype(int)
        return X, Y, Y.astype(float), "binary_log_loss"
    if task == "squared_error":
        Y = X[:, :2] ** 2 + 0.1 * rng.randn(N_ROWS, 2)
        return X, Y, Y, "squared_error"
    y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    return X, y, y[:, None], "poisson"


def make(task, **params):
    """Return an unfitted estimator for a task, with full batches."""
    common = {
        "hidden_layer_sizes": (6, 4), "batch_size": N_ROWS, "max_iter": N_EPOCHS, "random_state": 3,
        "shuffle": False, "n_iter_no_change": np.inf,
    }  # fmt: skip
    if task in ("squared_error", "poisson"):
        return MLPRegressor(**{"loss": task, **common, **params})
    return MLPClassifier(**{**common, **params})


def train_both(task, sample_weight=None, batches=None, dtype=np.float64, **params):
    """Train an estimator and its twin; return them with the twin's losses."""
    X, y, Y, loss = task_data(task)
    model = make(task, **params)
    twin, optimizer = twin_of(model, X, Y, loss)
    s = np.ones(N_ROWS) if sample_weight is None else sample_weight
    losses = []
    for _ in range(N_EPOCHS):
        for rows in batches or [slice(None)]:
            losses.append(twin.step(X[rows], Y[rows], s[rows], optimizer))
    if model.batch_norm:
        twin.recalibrate(X, s)
    fit_params = {} if sample_weight is None else {"sample_weight": sample_weight}
    return fit_epochs(model, X.astype(dtype), y, **fit_params), twin, losses


def assert_same_network(model, twin, rtol=1e-10):
    """The estimator holds the twin's folded weights, and zeros where the twin has zeros."""
    coefs, intercepts = twin.fold()
    ours, theirs = [*model.coefs_, *model.intercepts_], [*coefs, *intercepts]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * np.abs(b).max())
    if rtol <= 1e-10:
        np.testing.assert_array_equal(
            np.concatenate([w.ravel() for w in model.coefs_]) == 0,
            np.concatenate([w.ravel() for w in coefs]) == 0,
        )


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "binary_log_loss", "log_loss"])
def test_twin_has_the_gradient_of_its_objective(loss, activation, batch_norm):
    """The reference itself: every gradient equals central differences, masks and weights on."""
    rng = np.random.RandomState(0)
    X, s = rng.randn(13, 4), rng.uniform(size=13)
    Y = np.eye(3)[rng.randint(0, 3, 13)]
    s[2] = 0
    twin = Twin([4, 5, 3], loss, activation, lambda_2=0.1, batch_norm=batch_norm)
    masks = [rng.randint(0, 2, (13, 5)) * 2.0]
    _, gradients = twin.gradients(X, Y, s, masks)
    for parameter, gradient in zip(twin.parameters(), gradients, strict=True):
        for index in np.ndindex(parameter.shape):
            center, values = parameter[index], []
            for parameter[index] in (center + 1e-6, center - 1e-6):
                values.append(twin.gradients(X, Y, s, masks)[0])
            parameter[index] = center
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(gradient[index], abs=1e-6)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_with_every_penalty(solver, penalty, batch_norm):
    """Optimizer and penalty steps, the rate of the proximal step, and the reported losses."""
    params = {**SOLVERS[solver], **PENALTIES[penalty], "batch_norm": batch_norm}
    model, twin, losses = train_both("multiclass", activation="tanh", **params)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-10)
    assert_same_network(model, twin)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_every_loss_with_every_activation(task, activation, batch_norm):
    """Forward and backward of every loss, activation and batch norm, with row weights."""
    s = np.random.RandomState(1).uniform(0.2, 3.0, N_ROWS)
    s[5] = 0
    params = {"activation": activation, "batch_norm": batch_norm, "solver": "sgd"}
    model, twin, losses = train_both(task, s, learning_rate_init=0.02, **params)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-10)
    assert_same_network(model, twin)


@pytest.mark.parametrize("hidden", [(), (7,), (5, 4, 3)], ids=str)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_depth(solver, hidden):
    """None, one and three hidden layers."""
    params = {**SOLVERS[solver], "hidden_layer_sizes": hidden, "penalty": "l1", "alpha": 0.01}
    model, twin, losses = train_both("binary", **params)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-10)
    assert_same_network(model, twin)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_mini_batches_and_their_mean_loss(solver, batch_norm):
    """Batches in order, the last one smaller; the epoch's loss weights them by their rows."""
    batches = [slice(0, 16), slice(16, 32), slice(32, 40)]
    params = {**SOLVERS[solver], "batch_size": 16, "batch_norm": batch_norm}
    model, twin, losses = train_both("multiclass", batches=batches, **params)
    epochs = np.average(np.reshape(losses, (N_EPOCHS, 3)), weights=[16, 16, 8], axis=1)
    np.testing.assert_allclose(model.loss_curve_, epochs, rtol=1e-10)
    assert_same_network(model, twin)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("task", TASKS)
def test_single_precision(task, batch_norm):
    """float32 follows the twin to its own accuracy, and stays float32."""
    model, twin, _ = train_both(
        task, dtype=np.float32, activation="tanh", batch_norm=batch_norm, solver="sgd",
        learning_rate_init=0.02
    )  # fmt: skip
    assert {p.dtype for p in [*model.coefs_, *model.intercepts_]} == {np.dtype(np.float32)}
    assert_same_network(model, twin, rtol=1e-4)


@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
def test_a_batch_without_weight_makes_no_step(solver):
    """A batch whose weights sum to zero moves neither weights nor the optimizer's moments."""
    s = np.ones(N_ROWS)
    s[16:32] = 0
    batches = [slice(0, 16), slice(32, 40)]
    model, twin, _ = train_both("binary", s, batches, batch_size=16, **SOLVERS[solver])
    assert_same_network(model, twin)
