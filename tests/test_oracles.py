"""Without hidden layers an estimator is a linear model, and scikit-learn's must agree with it.

The solutions are compared: coefficients within 1e-4, and the same ones exactly zero.
"""

import inspect

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from conftest import fit_epochs
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    MultiTaskLasso,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
)
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.preprocessing import scale

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


# ------------------------------------------------------------------ groups
GROUPS = {"hidden_layer_sizes": (), "penalty": None, "max_iter": 1500, "n_iter_no_change": np.inf,
          "random_state": 0}  # fmt: skip


@pytest.fixture(scope="module")
def several_targets(diabetes):
    """The features of diabetes with three standardized targets, one of them mostly noise."""
    X, y = diabetes
    noise = np.random.RandomState(0).randn(len(y))
    return X, scale(np.column_stack([y, y**2, X[:, 1] - X[:, 4] + noise]))


@pytest.mark.parametrize("feature_alpha", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adam"])
def test_feature_alpha_is_the_multi_task_lasso(several_targets, solver, feature_alpha):
    """The group step's fixed point is the minimiser, in the diagonal metric of adam too."""
    X, Y = several_targets
    model = MLPRegressor(
        **GROUPS, feature_alpha=feature_alpha, batch_size=len(X), **FULL_BATCH[solver]
    )
    fit_epochs(model, X, Y)
    oracle = MultiTaskLasso(alpha=feature_alpha, tol=1e-12, max_iter=100_000).fit(X, Y)
    np.testing.assert_allclose(model.coefs_[0].T, oracle.coef_, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.support_, (oracle.coef_ != 0).any(axis=0))
    assert 0 < model.support_.sum() < 10


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "adam"])
@pytest.mark.parametrize("problem", ["targets", "classes"])
def test_l1_and_feature_alpha_are_the_sparse_group_lasso(request, several_targets, solver, problem):
    """Conditions of optimality of a convex problem: zero lies in the subdifferential."""
    l1, group = (0.03, 0.06) if problem == "targets" else (0.01, 0.03)
    params = {**GROUPS, **FULL_BATCH[solver], "penalty": "l1", "alpha": l1, "max_iter": 3000}
    params["feature_alpha"] = group
    if problem == "targets":
        X, Y = several_targets
        model = fit_epochs(MLPRegressor(**params, batch_size=len(X)), X, Y)
        residual = model.predict(X) - Y
    else:
        X, y = request.getfixturevalue("wine")
        model = fit_epochs(MLPClassifier(**params, batch_size=len(X)), X, y)
        residual = model.predict_proba(X) - np.eye(3)[y]
    W, gradient = model.coefs_[0], X.T @ residual / len(X)
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=1e-8)  # of the intercepts
    soft = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0)
    for w, g, s in zip(W, gradient, soft, strict=True):
        if not w.any():
            assert np.linalg.norm(s) <= group * (1 + 1e-6)
            continue
        on = w != 0
        subgradient = g[on] + l1 * np.sign(w[on]) + group * w[on] / np.linalg.norm(w)
        np.testing.assert_allclose(subgradient, 0, atol=1e-6)
        assert (np.abs(g[~on]) <= l1 * (1 + 1e-6)).all()
    kept = W[model.support_]
    assert 0 < len(kept) < len(W)
    assert 0 < np.count_nonzero(kept) < kept.size  # zeros within the groups that stay


SCHEDULES = ["cosine", "cosine_restarts", "one_cycle", "flat_cosine"]


@pytest.mark.parametrize("learning_rate", SCHEDULES)
@pytest.mark.parametrize(
    "solver",
    ["plain sgd", "adam", "sgd",
     "nesterov"],
)  # fmt: skip
def test_zeros_survive_a_falling_rate(diabetes, solver, learning_rate):
    """The rate of the proximal step is that of the optimizer, momentum's memory included."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), penalty="l1", alpha=0.05, batch_size=len(y), max_iter=2000,
        n_iter_no_change=np.inf, learning_rate=learning_rate, random_state=0, **FULL_BATCH[solver]
    )  # fmt: skip
    assert_same_model(fit_epochs(model, X, y), Lasso(alpha=0.05, tol=1e-10).fit(X, y))


@pytest.mark.parametrize("solver", ["plain sgd", "sgd", "nesterov", "adam"])
def test_zeros_arrive_while_the_rate_rises(diabetes, solver):
    """A warm-up changes the way, not the solution."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), penalty="l1", alpha=0.05, batch_size=len(y), max_iter=2000,
        n_iter_no_change=np.inf, warmup=0.3, random_state=0, **FULL_BATCH[solver]
    )  # fmt: skip
    assert_same_model(fit_epochs(model, X, y), Lasso(alpha=0.05, tol=1e-10).fit(X, y))


# ------------------------------------------------------------------ robust losses
ROBUST = {"hidden_layer_sizes": (), "penalty": None, "random_state": 0}


@pytest.fixture(scope="module")
def outliers(diabetes):
    """diabetes with a tenth of the targets off by far."""
    X, y = diabetes
    off = np.random.RandomState(0).rand(len(y)) < 0.1
    return X, np.where(off, y + 15, y)


@pytest.mark.parametrize("delta", [0.3, 1.0, 100.0])
def test_lbfgs_minimizes_the_huber_loss(outliers, delta):
    """The same objective, minimized by SciPy from its definition; least squares at large delta."""
    X, y = outliers
    design = np.column_stack([X, np.ones(len(y))])

    def objective(w):
        residual = design @ w - y
        slope = design.T @ np.clip(residual, -delta, delta) / len(y)
        return scipy.special.huber(delta, residual).mean(), slope

    oracle = scipy.optimize.minimize(
        objective, np.zeros(11), jac=True, method="BFGS", options={"gtol": 1e-10}
    )
    model = MLPRegressor("huber", **ROBUST, delta=delta, solver="lbfgs", max_iter=5000, tol=1e-10)
    model.fit(X, y)
    fitted = np.append(model.coefs_[0][:, 0], model.intercepts_[0])
    np.testing.assert_allclose(fitted, oracle.x, atol=1e-3)
    assert model.loss_ == pytest.approx(oracle.fun, rel=1e-8)
    least_squares = np.linalg.lstsq(design, y, rcond=None)[0]
    assert np.allclose(fitted, least_squares, atol=1e-3) == (delta == 100.0)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("quantile", [0.2, 0.5, 0.9])
def test_quantile_loss_is_quantile_regression(diabetes, solver, quantile):
    """A linear program's solution, approached by steps that go to zero."""
    X, y = diabetes
    model = MLPRegressor(
        "quantile", **ROBUST, quantile=quantile, batch_size=len(y), learning_rate="cosine",
        max_iter=3000, n_iter_no_change=np.inf, **FULL_BATCH[solver]
    )  # fmt: skip
    fit_epochs(model, X, y)
    oracle = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
    losses = [mean_pinball_loss(y, m.predict(X), alpha=quantile) for m in (model, oracle)]
    assert losses[1] - 1e-12 <= losses[0] < losses[1] + 1e-5
    np.testing.assert_allclose(model.coefs_[0][:, 0], oracle.coef_, atol=0.05)
    assert np.mean(y < model.predict(X)) == pytest.approx(quantile, abs=0.03)
    assert model.loss_ == pytest.approx(losses[0], rel=1e-3)


def test_several_quantiles_are_as_many_regressions(diabetes):
    """Without hidden layers the outputs share nothing."""
    X, y = diabetes
    model = MLPRegressor(
        "quantile", **ROBUST, quantile=[0.9, 0.2, 0.5], batch_size=len(y), learning_rate="cosine",
        max_iter=3000, n_iter_no_change=np.inf, **FULL_BATCH["adam"]
    )  # fmt: skip
    fit_epochs(model, X, y)
    for quantile, column in zip((0.2, 0.5, 0.9), model.predict(X).T, strict=True):
        oracle = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
        least = mean_pinball_loss(y, oracle.predict(X), alpha=quantile)
        assert mean_pinball_loss(y, column, alpha=quantile) < least + 1e-5


def test_absolute_error_is_median_regression(outliers):
    """Twice the pinball loss at one half, and blind to how far off the outliers are."""
    X, y = outliers
    model = MLPRegressor(
        "absolute_error", **ROBUST, batch_size=len(y), learning_rate="cosine", max_iter=3000,
        n_iter_no_change=np.inf, **FULL_BATCH["adam"]
    )  # fmt: skip
    fit_epochs(model, X, y)
    oracle = QuantileRegressor(quantile=0.5, alpha=0).fit(X, y)
    least = mean_absolute_error(y, oracle.predict(X))
    assert least - 1e-12 <= mean_absolute_error(y, model.predict(X)) < least + 1e-5
    assert model.loss_ == pytest.approx(least, rel=1e-4)
    np.testing.assert_allclose(model.coefs_[0][:, 0], oracle.coef_, atol=0.05)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_robust_losses_weigh_rows_and_sum_over_targets(several_targets, loss):
    """A row of weight two is two rows, and every target has the fit that it has alone."""
    X, Y = several_targets
    s = np.random.RandomState(0).randint(0, 3, len(X))
    repeated = np.repeat(np.arange(len(X)), s)
    params = {**ROBUST, "max_iter": 40, "n_iter_no_change": np.inf, **FULL_BATCH["sgd"]}
    weighted = MLPRegressor(loss, **params, batch_size=len(X))
    fit_epochs(weighted, X, Y, sample_weight=s)
    plain = MLPRegressor(loss, **params, batch_size=len(repeated))
    fit_epochs(plain, X[repeated], Y[repeated])
    np.testing.assert_allclose(weighted.coefs_[0], plain.coefs_[0], rtol=1e-9, atol=1e-12)
    start = {"coefs_": 0.0, "intercepts_": 0.0}
    models = [MLPRegressor(loss, **params, batch_size=len(X), warm_start=True) for _ in range(2)]
    for model, target in zip(models, (Y, Y[:, 1]), strict=True):
        fit_epochs(model.set_params(max_iter=1), X, target)
        for name, value in start.items():
            for array in getattr(model, name):
                array[:] = value
        fit_epochs(model.set_params(max_iter=40), X, target)
    together, alone = models
    np.testing.assert_allclose(together.coefs_[0][:, [1]], alone.coefs_[0], rtol=1e-9, atol=1e-12)
    assert together.loss_ > 1.5 * alone.loss_
