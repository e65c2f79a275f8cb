"""Fits that continue each other: warm starts and partial_fit across types, solvers and changes."""

import numpy as np
import pytest
from conftest import fit_quietly

from skreg import MLPClassifier, MLPRegressor


@pytest.fixture(scope="module")
def data():
    X = np.random.RandomState(0).randn(120, 5)
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("types", [(np.float64, np.float32), (np.float32, np.float64)])
def test_partial_fit_with_another_type(data, types, batch_norm):
    X, y = data
    clf = MLPClassifier((5,), batch_norm=batch_norm, random_state=0)
    clf.partial_fit(X.astype(types[0]), y, classes=[0, 1]).partial_fit(X.astype(types[1]), y)
    assert clf.coefs_[0].dtype == types[1]
    same = MLPClassifier((5,), batch_norm=batch_norm, random_state=0)
    same.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X), same.predict_proba(X), atol=1e-5)


def test_batch_norm_epsilon_may_change(data):
    clf = MLPClassifier((5,), batch_norm=True, warm_start=True, max_iter=2, random_state=0)
    fit_quietly(clf, *data)
    fit_quietly(clf.set_params(batch_norm_epsilon=1e-2), *data)
    assert clf.n_iter_ == 2


@pytest.mark.parametrize(
    "change", [lambda m: m.coefs_[0].__setitem__(0, 1.0), lambda m: m.intercepts_[1].fill(3.0)]
)
def test_changed_weights_with_batch_norm_are_an_error(data, change):
    clf = fit_quietly(MLPClassifier((5,), batch_norm=True, max_iter=2, random_state=0), *data)
    change(clf)
    with pytest.raises(ValueError, match="coefs_ or intercepts_ were changed"):
        clf.partial_fit(*data)


def test_assigned_weights_of_another_shape_are_an_error(data):
    clf = fit_quietly(MLPClassifier((5,), max_iter=2, random_state=0), *data)
    clf.coefs_ = [clf.coefs_[0][:1], clf.coefs_[1]]
    with pytest.raises(ValueError, match=r"layer 0 has shape \(1, 5\).* needs \(5, 5\)"):
        clf.partial_fit(*data)


def test_best_iter_belongs_to_the_best_score(data):
    clf = MLPClassifier((5,), max_iter=3, random_state=0, warm_start=True, early_stopping=True)
    fit_quietly(clf, *data)
    assert clf.validation_scores_[clf.best_iter_ - 1] == clf.best_validation_score_
    before = [w.copy() for w in clf.coefs_]
    fit_quietly(clf.set_params(learning_rate_init=1e3), *data)
    # Nothing got better: the weights it began with stay, and belong to no epoch of this fit.
    assert clf.best_iter_ is None
    for a, b in zip(before, clf.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_lbfgs_has_no_curves(data):
    clf = MLPClassifier((5,), max_iter=3, random_state=0, warm_start=True, early_stopping=True)
    fit_quietly(clf, *data)
    fit_quietly(clf.set_params(solver="lbfgs", early_stopping=False), *data)
    assert not hasattr(clf, "loss_curve_")
    assert clf.validation_scores_ is clf.best_validation_score_ is clf.best_iter_ is None
    assert clf._state == {}


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("params", [{"solver": "lbfgs"}, {"batch_size": 1, "max_iter": 2}], ids=str)
def test_linear_models_ignore_batch_norm_everywhere(data, Estimator, params):
    model = Estimator(hidden_layer_sizes=(), batch_norm=True, **params)
    with pytest.warns(UserWarning, match="batch_norm has no effect without hidden layers"):
        fit_quietly(model, *data)


@pytest.mark.parametrize("values", [(0, 2), (-1, 1)])
def test_multilabel_indicators_are_zero_and_one(data, values):
    X, _ = data
    Y = np.random.RandomState(0).choice(values, (120, 3))
    with pytest.raises(ValueError, match="indicator matrix of 0 and 1"):
        MLPClassifier().fit(X, Y)


def test_scoring_none_keeps_scikit_learns_patience(data):
    """Gains below tol over the best score count as none, so that slow progress ends training."""
    from sklearn.neural_network import MLPRegressor as Theirs

    X, _ = data
    y = X @ np.arange(5.0)
    params = {"alpha": 0, "early_stopping": True, "n_iter_no_change": 5, "tol": 0.01,
              "max_iter": 500, "random_state": 0, "hidden_layer_sizes": (10,)}  # fmt: skip
    ours = {s: fit_quietly(MLPRegressor(scoring=s, **params), X, y) for s in (None, "r2")}
    theirs = fit_quietly(Theirs(**params), X, y)
    assert ours[None].n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours[None].validation_scores_, theirs.validation_scores_)
    assert ours["r2"].n_iter_ > theirs.n_iter_


def test_predictions_are_those_of_the_fitted_network(data):
    """Parameters that are set after a fit act in the next one."""
    clf = fit_quietly(MLPClassifier((5, 5, 5), activation="tanh", max_iter=2), *data)
    before = clf.predict_proba(data[0])
    clf.set_params(activation=["relu"], residual=True, layer_norm=True, hidden_layer_sizes=(3,))
    np.testing.assert_array_equal(clf.predict_proba(data[0]), before)


def test_compact_shares_nothing_and_frees_earlier_layers(data):
    clf = fit_quietly(MLPClassifier((10, 8, 6), batch_norm=True, max_iter=2, random_state=0), *data)
    clf.coefs_[2][:] = 0  # the second hidden layer leads nowhere
    small = clf.compact()
    assert small.hidden_layer_sizes == (1, 1, 6)
    before = clf.predict_proba(data[0])
    np.testing.assert_array_equal(small.predict_proba(data[0]), before)
    small.coefs_[-1] += 1
    small.intercepts_[-1] += 1
    np.testing.assert_array_equal(clf.predict_proba(data[0]), before)
    fit_quietly(small, *data)  # no warning about batch norm that is off
