"""The public face: signatures, attributes, targets of every kind, warm starts, output."""

import inspect
import re

import numpy as np
import pytest
import sklearn.neural_network
from conftest import assert_same_bits, fit_epochs, fit_quietly
from reference import plain_forward
from scipy.special import log_softmax
from sklearn.feature_selection import SelectFromModel
from sklearn.utils.validation import check_is_fitted

import skreg
from skreg import MLPClassifier, MLPRegressor

FAST = {"max_iter": 3, "random_state": 0}


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_parameters_begin_as_in_scikit_learn(Estimator):
    """Theirs come first, in their order, with their kinds and defaults; ours are keyword-only."""
    theirs = inspect.signature(getattr(sklearn.neural_network, Estimator.__name__)).parameters
    ours = inspect.signature(Estimator).parameters
    if "loss" not in theirs:  # scikit-learn before 1.7
        ours = {name: p for name, p in ours.items() if name != "loss"}
    assert list(ours)[: len(theirs)] == list(theirs)
    others = {"n_iter_no_change": "auto"}  # which is theirs where nothing of ours is in use
    for name, parameter in theirs.items():
        assert ours[name].default == others.get(name, parameter.default)
        assert ours[name].kind == parameter.kind
    new = {parameter.kind for name, parameter in ours.items() if name not in theirs}
    assert new == {inspect.Parameter.KEYWORD_ONLY}


def test_fit_signature():
    """The validation set is keyword-only, named as in the histogram gradient boosting."""
    for Estimator in (MLPClassifier, MLPRegressor):
        fit = inspect.signature(Estimator.fit).parameters
        names = ["self", "X", "y", "sample_weight", "X_val", "y_val", "sample_weight_val"]
        assert list(fit) == names
        assert {fit[n].kind for n in names[4:]} == {inspect.Parameter.KEYWORD_ONLY}
    assert set(skreg.__all__) >= {"MLPClassifier", "MLPRegressor"}


@pytest.mark.parametrize("early_stopping", [False, True])
def test_attributes_after_a_stochastic_fit(wine, early_stopping):
    """Those of scikit-learn, with the same meaning, and the new ones."""
    X, y = wine
    model = fit_epochs(MLPClassifier((6, 4), **FAST, early_stopping=early_stopping), X, y)
    check_is_fitted(model)
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 3, "softmax")
    assert (model.n_iter_, len(model.loss_curve_)) == (3, 3)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.lr_curve_ == [0.001] * 3
    assert model.support_.shape == (13,)
    assert model.t_ == 3 * (160 if early_stopping else 178)
    assert model.n_features_in_ == 13
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert [w.shape for w in model.coefs_] == [(13, 6), (6, 4), (4, 3)]
    watched = ("validation_scores_", "best_validation_score_", "validation_loss_curve_",
               "best_iter_")  # fmt: skip
    assert [getattr(model, name) is not None for name in watched] == [early_stopping] * 4
    assert (model.best_loss_ is None) == early_stopping
    if not early_stopping:
        assert model.best_loss_ == min(model.loss_curve_)
    assert not hasattr(model, "decision_function")


def test_the_training_loss_includes_the_penalty(cancer):
    """lbfgs: loss_ is the objective of the fitted weights."""
    X, y = cancer
    for penalty, ratio in (("l1", 1.0), ("l2", 0.0), ("elasticnet", 0.3)):
        params = {"l1_ratio": ratio} if penalty == "elasticnet" else {}
        model = MLPClassifier((4,), solver="lbfgs", penalty=penalty, alpha=0.05, random_state=0,
                              activation="tanh", max_iter=5000, **params).fit(X, y)  # fmt: skip
        w = np.concatenate([c.ravel() for c in model.coefs_])
        penalties = 0.05 * (ratio * np.abs(w).sum() + (1 - ratio) / 2 * (w**2).sum())
        loss = -model.predict_log_proba(X)[np.arange(len(y)), y].mean()
        assert model.loss_ == pytest.approx(loss + penalties, rel=1e-6)


def test_feature_importances_select_features(diabetes):
    """Norms of the outgoing weights, summing to 1, exactly 0 for a feature that L1 removed."""
    X, y = diabetes
    model = MLPRegressor(hidden_layer_sizes=(), penalty="l1", alpha=0.1, solver="lbfgs", tol=1e-6)
    model.fit(X, y)
    norms = np.linalg.norm(model.coefs_[0], axis=1)
    np.testing.assert_allclose(model.feature_importances_, norms / norms.sum())
    selector = SelectFromModel(model, threshold=1e-10).fit(X, y)
    np.testing.assert_array_equal(selector.get_support(), model.coefs_[0][:, 0] != 0)
    assert 0 < selector.get_support().sum() < 10
    assert model.sparsity_ == np.mean(model.coefs_[0] == 0)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("hidden", [(), (5,), 5, [5, 4], np.array([5, 4])], ids=str)
def test_hidden_layer_sizes_of_every_kind(wine, solver, hidden):
    """A tuple, a number, a list, an array; empty is the softmax model."""
    model = MLPClassifier(hidden, solver=solver, learning_rate_init=0.1, random_state=0)
    assert fit_quietly(model, *wine).score(*wine) > 0.9


def test_log_probabilities_stay_finite(wine, cancer):
    """They come from the raw outputs, so saturation does not send them to -inf."""
    for X, y in (wine, cancer):
        model = fit_quietly(MLPClassifier((5,), max_iter=50, random_state=0), X, y)
        np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))
        model.coefs_ = [w * 1e4 for w in model.coefs_]
        log_proba = model.predict_log_proba(X)
        assert np.isfinite(log_proba).all()
        assert log_proba.min() < -1e4
    raw = plain_forward(model.coefs_, model.intercepts_, "relu", X)
    expected = log_softmax(np.column_stack([np.zeros(len(X)), raw]), axis=1)
    np.testing.assert_allclose(log_proba, expected, rtol=1e-6)


def test_string_labels(wine):
    """Labels come back; the network is that of numbered labels."""
    X, y = wine
    names = np.array(["blanc", "rosé", "rouge"])
    params = {"hidden_layer_sizes": (6,), "max_iter": 200, "learning_rate_init": 0.01}
    model = fit_quietly(MLPClassifier(**params, random_state=0, early_stopping=True), X, names[y])
    plain = fit_quietly(MLPClassifier(**params, random_state=0, early_stopping=True), X, y)
    assert_same_bits(model, plain)
    assert list(model.classes_) == list(names)
    assert model.score(X, names[y]) > 0.9


def test_multilabel(multilabel):
    """Independent labels: probabilities per label, predictions of the target's shape."""
    X, Y = multilabel
    params = {"dropout": 0.1, "batch_norm": True, "learning_rate_init": 0.02, "max_iter": 100}
    model = fit_quietly(MLPClassifier((16,), **params, random_state=0), X, Y)
    assert model.predict_proba(X).shape == model.predict(X).shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))
    assert (model.predict(X) == Y).mean() > 0.8


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_several_targets(diabetes, solver):
    """loss_ sums over the targets: a target given twice counts twice."""
    X, y = diabetes
    params = {"hidden_layer_sizes": (), "solver": solver, "alpha": 0.0, "tol": 1e-8}
    params.update(max_iter=2000, learning_rate_init=0.05, batch_size=len(y), random_state=0)
    params.update(n_iter_no_change=np.inf)
    one = fit_quietly(MLPRegressor(**params), X, y)
    two = fit_quietly(MLPRegressor(**params), X, np.column_stack([y, y]))
    assert two.predict(X).shape == (len(y), 2)
    assert one.predict(X).shape == (len(y),)
    assert two.loss_ == pytest.approx(2 * one.loss_, rel=1e-3)


def test_poisson_predictions_are_positive(counts):
    """The link is the exponential."""
    model = fit_quietly(MLPRegressor("poisson", (5,), **FAST), *counts)
    assert model.out_activation_ == "exp"
    assert (model.predict(counts[0]) > 0).all()


def test_warm_start_continues(cancer):
    """The second fit starts from the weights of the first, with fresh moments and new epochs."""
    X, y = cancer
    warm = MLPClassifier((5,), **FAST, warm_start=True, learning_rate_init=0.01)
    fit_epochs(warm, X, y)
    first, weights = warm.loss_, warm.coefs_[0].copy()
    fit_epochs(warm, X, y)
    assert warm.n_iter_ == 3
    assert len(warm.loss_curve_) == 6
    assert warm.loss_ < first
    best = warm.best_loss_
    fit_epochs(warm, X, np.roll(y, 100))
    assert warm.best_loss_ == best == min(warm.loss_curve_) < min(warm.loss_curve_[6:])
    cold = fit_epochs(MLPClassifier((5,), **FAST, learning_rate_init=0.01), X, y)
    np.testing.assert_array_equal(cold.coefs_[0], weights)


def test_partial_fit_equals_fit_in_full_batches(cancer):
    """Ten calls are ten epochs."""
    X, y = cancer
    params = {"hidden_layer_sizes": (5,), "batch_size": len(y), "random_state": 0}
    whole = fit_epochs(MLPClassifier(**params, max_iter=10, shuffle=False), X, y)
    parts = MLPClassifier(**params, shuffle=False)
    for _ in range(10):
        parts.partial_fit(X, y, classes=[0, 1])
    assert_same_bits(whole, parts)
    assert parts.loss_curve_ == whole.loss_curve_


def test_verbose_prints_a_line_an_epoch(capsys, cancer):
    """It begins as scikit-learn's and tells what there is to see; silence is the default."""
    number = r"-?[\d.]+(e-?\d+)?"
    begin = rf"Iteration \d, loss = {number}, {number} s"
    early = rf"{begin}, rate 0.001, validation loss {number}, best epoch \d"
    lines = {
        begin: {"solver": "lbfgs"},
        rf"{begin}, rate 0.001": {},
        early: {"early_stopping": True},
        early.replace(", best", rf", validation score {number}, best"): {
            "early_stopping": True,
            "scoring": "roc_auc",
        },
    }
    for line, params in lines.items():
        model = MLPClassifier((5,), **FAST | params)
        fit_quietly(model, *cancer)
        assert capsys.readouterr().out == ""
        fit_quietly(model.set_params(verbose=True), *cancer)
        out = capsys.readouterr().out.splitlines()
        assert len(out) == model.n_iter_
        assert all(re.fullmatch(line, told) for told in out), out


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "lbfgs"}], ids=str)
def test_history_has_every_curve(params, cancer):
    """Losses with penalties and without, over all epochs of warm starts."""
    X, y = cancer
    model = MLPClassifier((5,), **FAST | params, penalty="elasticnet", alpha=0.1, warm_start=True)
    for _ in range(2):
        fit_quietly(model, X, y)
    history = model.history_
    lbfgs = model.solver == "lbfgs"
    n = model.n_iter_ if lbfgs else 2 * model.n_iter_
    assert {len(curve) for curve in history.values()} == {n}
    assert min(history["seconds"]) >= 0
    penalties = np.subtract(history["objective"], history["training_loss"])
    assert (penalties > 0).all()
    weights = np.concatenate([c.ravel() for c in model.coefs_])
    expected = 0.1 * (0.15 * np.abs(weights).sum() + 0.85 / 2 * (weights**2).sum())
    assert penalties[-1] == pytest.approx(expected, rel=1e-5 if lbfgs else 0.1)
    names = {"objective", "training_loss", "seconds"}
    if not lbfgs:
        assert history["objective"] == model.loss_curve_
        assert history["learning_rate"] == model.lr_curve_
        names |= {"learning_rate"}
    if model.early_stopping:
        assert history["validation_loss"] == model.validation_loss_curve_
        assert history["validation_score"] == model.validation_scores_
        names |= {"validation_loss", "validation_score"}
    assert set(history) == names


def test_history_after_a_change_of_what_is_validated(cancer):
    """Epochs that were not validated are nan; those of another solver are not counted on."""
    model = MLPClassifier((5,), **FAST, warm_start=True)
    fit_quietly(model, *cancer)
    fit_quietly(model.set_params(early_stopping=True), *cancer)
    losses = model.history_["validation_loss"]
    assert np.isnan(losses[:3]).all() and losses[3:] == model.validation_loss_curve_
    fit_quietly(model.set_params(early_stopping=False), *cancer)
    assert len(model.history_["objective"]) == 9 and "validation_loss" not in model.history_
    fit_quietly(model.set_params(solver="lbfgs"), *cancer)
    fit_quietly(model.set_params(solver="adam"), *cancer)
    assert len(model.history_["objective"]) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_type_of_the_input_is_kept(diabetes, dtype, solver):
    """Weights and predictions have it, whatever the solver computes in."""
    X, y = diabetes[0].astype(dtype), diabetes[1]
    model = fit_quietly(MLPRegressor(hidden_layer_sizes=(5,), **FAST, solver=solver), X, y)
    assert {p.dtype for p in [*model.coefs_, *model.intercepts_]} == {np.dtype(dtype)}
    assert model.predict(X).dtype == dtype
