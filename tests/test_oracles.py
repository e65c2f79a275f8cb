"""Without hidden layers an estimator is a linear model, and scikit-learn's must agree with it.

The solutions are compared: coefficients within 1e-4, and the same ones exactly zero.
"""

import inspect

import numpy as np
import pytest
from conftest import fit_epochs
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor, Ridge

from skreg import MLPClassifier, MLPRegressor

LBFGS = {"hidden_layer_sizes": (), "solver": "lbfgs", "max_iter": 5000, "random_state": 0}
FULL_BATCH = {
    "sgd": {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 0.1},
    "nesterov": {"solver": "sgd", "nesterovs_momentum": True, "learning_rate_init": 0.1},
    "plain sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.2},
    "adam": {"solver": "adam", "learning_rate_init": 0.1},
}
FULL_BATCH["sgd"]["nesterovs_momentum"] = False


def logistic_regression(alpha, l1_ratio, n_samples):
    """scikit-learn's model of the same objective: its C is 1 / (alpha * n)."""
    default = inspect.signature(LogisticRegression).parameters["penalty"].default
    penalty = {} if default == "deprecated" else {"penalty": "elasticnet"}
    return LogisticRegression(
        C=1 / (alpha * n_samples), l1_ratio=l1_ratio, solver="saga", tol=1e-9,
        max_iter=20_000, random_state=0, **penalty
    )  # fmt: skip


def assert_same_model(estimator, oracle):
    """Coefficients agree within 1e-4 and have the same exact zeros."""
    coef = estimator.coefs_[0].T.reshape(oracle.coef_.shape)
    np.testing.assert_allclose(coef, oracle.coef_, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(coef == 0, oracle.coef_ == 0)


@pytest.mark.parametrize(
    ("penalty", "oracle"),
    [
        ({"penalty": "l1", "alpha": 0.05}, Lasso(alpha=0.05, tol=1e-10)),
        (
            {"penalty": "elasticnet", "alpha": 0.1, "l1_ratio": 0.5},
            ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-10),
        ),
        ({"penalty": "l2", "alpha": 0.3}, Ridge(alpha=0.3 * 442)),
    ],
    ids=["lasso", "elasticnet", "ridge"],
)
def test_lbfgs_solves_penalized_least_squares(diabetes, penalty, oracle):
    """Squared error with each penalty is the model of the same name."""
    X, y = diabetes
    model = MLPRegressor(**LBFGS, tol=1e-7, **penalty).fit(X, y)
    oracle.fit(X, y)
    assert_same_model(model, oracle)
    np.testing.assert_allclose(model.intercepts_[0], oracle.intercept_, atol=1e-4)


def test_lbfgs_solves_ridge_with_weights_and_several_targets(diabetes):
    """Sample weights and summed outputs mean what they mean to Ridge."""
    X, y = diabetes
    rng = np.random.RandomState(0)
    Y, s = np.column_stack([y, y**2]), rng.uniform(0.1, 3, len(y))
    model = MLPRegressor(**LBFGS, tol=1e-7, alpha=0.3).fit(X, Y, sample_weight=s)
    assert_same_model(model, Ridge(alpha=0.3 * s.sum()).fit(X, Y, sample_weight=s))


@pytest.mark.parametrize("data", ["cancer", "wine"])
@pytest.mark.parametrize(
    ("penalty", "l1_ratio"),
    [
        ({"penalty": "l1", "alpha": 0.01}, 1.0),
        ({"penalty": "elasticnet", "alpha": 0.02, "l1_ratio": 0.5}, 0.5),
        ({"penalty": "l2", "alpha": 0.1}, 0.0),
    ],
    ids=["l1", "elasticnet", "l2"],
)
def test_lbfgs_solves_penalized_logistic_regression(request, data, penalty, l1_ratio):
    """Log loss with each penalty, for two classes and, on the full softmax weights, for three."""
    X, y = request.getfixturevalue(data)
    model = MLPClassifier(**LBFGS, tol=1e-8, **penalty).fit(X, y)
    oracle = logistic_regression(penalty["alpha"], l1_ratio, len(y)).fit(X, y)
    assert_same_model(model, oracle)
    np.testing.assert_allclose(model.predict_proba(X), oracle.predict_proba(X), atol=1e-4)


def test_lbfgs_solves_poisson_regression(counts):
    """Poisson loss with L2 is the generalized linear model with log link."""
    X, y = counts
    model = MLPRegressor("poisson", **LBFGS, tol=1e-8, alpha=0.1).fit(X, y)
    oracle = PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-9).fit(X, y)
    assert_same_model(model, oracle)
    np.testing.assert_allclose(model.predict(X), oracle.predict(X), rtol=1e-3)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_full_batch_steps_converge_to_the_lasso(diabetes, solver):
    """The proximal step of every optimizer has the Lasso's minimiser as its fixed point."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), penalty="l1", alpha=0.05, batch_size=len(y), max_iter=3000,
        n_iter_no_change=np.inf, random_state=0, **FULL_BATCH[solver]
    )  # fmt: skip
    assert_same_model(fit_epochs(model, X, y), Lasso(alpha=0.05, tol=1e-10).fit(X, y))


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adam"])
def test_full_batch_steps_converge_to_l1_logistic_regression(cancer, solver):
    """The same for the log loss, on collinear features."""
    X, y = cancer
    params = {**FULL_BATCH[solver], "learning_rate_init": 0.1 if solver == "adam" else 0.2}
    model = MLPClassifier(
        hidden_layer_sizes=(), penalty="l1", alpha=0.05, batch_size=len(y), max_iter=5000,
        n_iter_no_change=np.inf, random_state=0, **params
    )  # fmt: skip
    assert_same_model(fit_epochs(model, X, y), logistic_regression(0.05, 1, len(y)).fit(X, y))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_sgd_reaches_elastic_net(diabetes, solver):
    """L2 in the gradient and L1 in the proximal step add up to the elastic net."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), penalty="elasticnet", alpha=0.1, l1_ratio=0.5, batch_size=len(y),
        max_iter=3000, n_iter_no_change=np.inf, random_state=0, **FULL_BATCH[solver]
    )  # fmt: skip
    oracle = ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-10).fit(X, y)
    assert_same_model(fit_epochs(model, X, y), oracle)
