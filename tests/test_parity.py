"""With every regularizer off, training is scikit-learn's, to rounding.

Same seed, same data, `alpha=0`: initial weights, order of the batches, gradients, optimizer and
learning-rate schedule must all be the same for the weights to agree after 20 epochs.
"""

import inspect

import numpy as np
import pytest
from conftest import distance, fit_epochs, fit_quietly
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from skreg import MLPClassifier, MLPRegressor

THEIRS = {MLPClassifier: TheirClassifier, MLPRegressor: TheirRegressor}
TASKS = {
    "binary": (MLPClassifier, "cancer"),
    "multiclass": (MLPClassifier, "wine"),
    "multilabel": (MLPClassifier, "multilabel"),
    "regression": (MLPRegressor, "regression"),
}
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.001},
    "constant": {"solver": "sgd", "momentum": 0.0},
    "invscaling": {"solver": "sgd", "momentum": 0.0, "learning_rate": "invscaling", "power_t": 0.2},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.01},
    "momentum": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True},
}
COMMON = {
    "hidden_layer_sizes": (16, 8), "alpha": 0.0, "max_iter": 20, "batch_size": 64,
    "learning_rate_init": 0.01, "n_iter_no_change": 20, "random_state": 0,
}  # fmt: skip

needs_their_weights = pytest.mark.skipif(
    "sample_weight" not in inspect.signature(TheirClassifier.fit).parameters,
    reason="this scikit-learn's MLP takes no sample_weight",
)


@pytest.mark.parametrize(
    "weighted", [False, pytest.param(True, marks=needs_their_weights)], ids=["", "weighted"]
)
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_same_weights_after_twenty_epochs(request, task, solver, activation, weighted):
    """Weights, biases and losses agree."""
    Ours, data = TASKS[task]
    X, y = request.getfixturevalue(data)
    s = np.random.RandomState(1).uniform(0.1, 2.0, len(y))
    fit_params = {"sample_weight": s} if weighted else {}
    params = {**COMMON, **SOLVERS[solver], "activation": activation}
    theirs = fit_quietly(THEIRS[Ours](**params), X, y, **fit_params)
    ours = fit_quietly(Ours(**params), X, y, **fit_params)
    assert ours.n_iter_ == theirs.n_iter_ > 10
    assert distance(ours, theirs) <= 1e-8
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    assert ours.t_ == theirs.t_


def test_the_adaptive_rate_has_fired(regression):
    """The adaptive case above does lower the rate: without it the weights differ."""
    X, y = regression
    adaptive = fit_epochs(TheirRegressor(**{**COMMON, **SOLVERS["adaptive"]}), X, y)
    params = {**COMMON, **SOLVERS["adaptive"], "n_iter_no_change": 20}
    assert distance(fit_epochs(TheirRegressor(**params), X, y), adaptive) > 1e-3


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
@pytest.mark.parametrize("solver", ["adam", "nesterov"])
def test_alpha_is_theirs_divided_by_the_batch_size(request, task, solver):
    """The conversion of the L2 penalty is exact when all batches have one size."""
    Ours, data = TASKS[task]
    X, y = (part[:160] for part in request.getfixturevalue(data))
    params = {**COMMON, **SOLVERS[solver], "batch_size": 40}
    theirs = fit_epochs(THEIRS[Ours](**{**params, "alpha": 0.8}), X, y)
    ours = fit_epochs(Ours(**{**params, "alpha": 0.8 / 40}), X, y)
    assert distance(ours, theirs) <= 1e-8


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_partial_fit_takes_their_steps(request, task):
    """The shuffling starts over at every call, the optimizer goes on."""
    Ours, data = TASKS[task]
    X, y = request.getfixturevalue(data)
    models = [Ours(**COMMON), THEIRS[Ours](**COMMON)]
    first_call = (
        {"classes": np.arange(4 if y.ndim == 2 else y.max() + 1)} if Ours is MLPClassifier else {}
    )
    for model in models:
        model.partial_fit(X, y, **first_call)
        for _ in range(9):
            model.partial_fit(X, y)
    assert distance(*models) <= 1e-8
    assert models[0].t_ == models[1].t_


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_warm_starts_take_their_steps(request, task, solver):
    """A second fit keeps the weights and the samples seen, and begins with fresh moments."""
    Ours, data = TASKS[task]
    X, y = request.getfixturevalue(data)
    params = {**COMMON, **SOLVERS[solver], "max_iter": 6, "warm_start": True}
    models = [Ours(**params), THEIRS[Ours](**params)]
    for model in models:
        fit_epochs(fit_epochs(model, X, y), X, y)
    assert distance(*models) <= 1e-8
    np.testing.assert_allclose(models[0].loss_curve_, models[1].loss_curve_, rtol=1e-8)
    assert (models[0].n_iter_, models[0].t_) == (6, models[1].t_)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_early_stopping_on_their_score(request, task):
    """With `scoring=None` both watch the score of the same rows and stop at the same epoch."""
    Ours, data = TASKS[task]
    X, y = request.getfixturevalue(data)
    params = {**COMMON, "early_stopping": True, "max_iter": 300, "n_iter_no_change": 5}
    theirs = THEIRS[Ours](**params).fit(X, y)
    ours = Ours(**params, scoring=None).fit(X, y)
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-8)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_, rel=1e-8)
    assert distance(ours, theirs) <= 1e-8


# Older scikit-learn passes SciPy an option that newer SciPy deprecates.
@pytest.mark.filterwarnings("ignore:.*`iprint` options.*:DeprecationWarning")
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("hidden", [(), (5,)], ids=["linear", "hidden"])
def test_lbfgs_reaches_their_loss(request, task, hidden):
    """The same smooth objective and the same options give the same minimum."""
    Ours, data = TASKS[task]
    X, y = request.getfixturevalue(data)
    params = {
        "hidden_layer_sizes": hidden, "activation": "tanh", "solver": "lbfgs", "tol": 1e-6,
        "max_iter": 5000, "random_state": 0,
    }  # fmt: skip
    theirs = THEIRS[Ours](**params, alpha=0.1 * len(y)).fit(X, y)
    ours = Ours(**params, alpha=0.1).fit(X, y)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-6)
