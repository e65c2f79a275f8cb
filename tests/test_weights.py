"""Weights of any scale: extreme ones are used as they are or refused, never ignored."""

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly

from skreg import MLPClassifier, MLPRegressor


@pytest.fixture(scope="module")
def data():
    X = np.random.RandomState(0).randn(200, 5)
    return X, (X[:, 0] > 0).astype(int)


SKEWED = {
    "one row outweighs the rest": np.r_[1.0, np.full(199, 1e-17)],
    "one in each batch": np.where(np.arange(200) % 8 == 0, 1.0, 1e-17),
    "lognormal": np.exp(15 * np.random.RandomState(3).randn(200)),
    "tiny": np.full(200, 1e-200),
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", SKEWED)
def test_batch_norm_stays_finite(data, name, early_stopping):
    """Where one row has all the weight a batch has no variance: the running one serves."""
    X, y = data
    weight = SKEWED[name] / (SKEWED[name].sum() if name == "lognormal" else 1)
    reg = MLPRegressor(
        hidden_layer_sizes=(4,), batch_norm=True, batch_size=8, max_iter=5, random_state=0,
        early_stopping=early_stopping, validation_fraction=0.3,
    )  # fmt: skip
    fit_quietly(reg, X, y, sample_weight=weight)
    assert np.isfinite(reg.predict(X)).all()
    assert np.isfinite(reg._state["statistics"]).all()


def test_scale_of_weights_does_not_matter_below_one(data):
    X, y = data
    fits = [
        fit_quietly(
            MLPRegressor(hidden_layer_sizes=(4,), batch_norm=True, max_iter=5, random_state=0),
            X,
            y,
            sample_weight=np.full(200, weight),
        )
        for weight in (1e-200, 1e-30, 1e-3)
    ]
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.predict(X), fits[0].predict(X), rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("dtype", "weight"), [(np.float32, 1e-46), (np.float64, 1.7e308), (np.float64, 0.0)]
)
def test_weights_without_a_usable_sum_are_refused(data, dtype, weight, solver):
    if solver == "lbfgs" and dtype == np.float32:
        weight = 0.0  # lbfgs works in float64, where the small weight is one like any other
    X, y = data
    clf = MLPClassifier(solver=solver)
    with pytest.raises(ValueError, match=r"rows sum to|at least one non-zero"):
        clf.fit(X.astype(dtype), y, sample_weight=np.full(200, weight))
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_product_of_class_and_sample_weights_counts(data, solver):
    X, y = data
    clf = MLPClassifier(class_weight={0: 0, 1: 1}, solver=solver)
    with pytest.raises(ValueError, match="training rows sum to 0"):
        clf.fit(X, y, sample_weight=1 - y)


def test_validation_rows_need_weight(data):
    X, y = data
    clf = MLPClassifier(class_weight={0: 0, 1: 1}, early_stopping=True)
    with pytest.raises(ValueError, match="validation rows sum to 0"):
        clf.fit(X, y, X_val=X[y == 0], y_val=y[y == 0])


def test_adam_near_the_limit_in_float32(data):
    """1 - beta_2 keeps its digits: float32 follows float64."""
    X, y = data
    params = {"beta_2": 1 - 1e-9, "alpha": 0, "max_iter": 5, "shuffle": False, "random_state": 0}
    single = fit_quietly(MLPRegressor(**params), X.astype(np.float32), y)
    double = fit_quietly(MLPRegressor(**params), X, y)
    np.testing.assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-3)


UNITS_OF_NOISE = ["input_noise", "cutout", "adversarial_epsilon"]


@pytest.mark.parametrize("name", UNITS_OF_NOISE)
@pytest.mark.parametrize("with_sample_weight", [False, True])
def test_class_weights_are_sample_weights(name, with_sample_weight):
    """Bit for bit, in the means and deviations of the columns too."""
    rng = np.random.RandomState(0)
    X = rng.randn(120, 4)
    y = (X[:, 0] > 0.9).astype(int)
    X[y == 1] *= 3
    sample_weight = rng.rand(120) if with_sample_weight else np.ones(120)
    params = {"max_iter": 3, "random_state": 0, name: 0.2}
    by_class = MLPClassifier(class_weight={0: 0.5, 1: 4.0}, **params)
    fit_quietly(by_class, X, y, sample_weight=sample_weight if with_sample_weight else None)
    by_row = MLPClassifier(**params)
    fit_quietly(by_row, X, y, sample_weight=sample_weight * np.where(y == 1, 4.0, 0.5))
    assert_same_bits(by_class, by_row)
