"""Early stopping: what is watched, when it stops, what is restored."""

import contextlib
import copy
import tracemalloc
import warnings

import numpy as np
import pytest
from conftest import ScriptedScorer, fit_epochs, fit_quietly, parameters
from reference import initial_parameters, row_losses
from sklearn.metrics import f1_score, make_scorer, r2_score
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier, MLPRegressor
from skreg.data.validation import split_rows

SMALL = {"hidden_layer_sizes": (8,), "early_stopping": True, "random_state": 0}


def fit_script(regression, scores, **params):
    """Fit with scripted validation scores; return the estimator and the scorer."""
    X, y = regression
    script = ScriptedScorer(scores)
    model = MLPRegressor(**SMALL, scoring=script, max_iter=len(scores), **params)
    return fit_quietly(model, X, y), script


# ------------------------------------------------------------------ the rule, on scripted scores
def test_the_best_epoch_is_restored(regression):
    """A gain of any size, also below tol, is saved; the saved weights come back."""
    scores = [0.0, 1.0, 1.0 + 1e-9, 0.5, 1.0, 0.2]
    model, script = fit_script(regression, scores, tol=0.1)
    assert model.best_validation_score_ == scores[2]
    assert model.best_iter_ == 3
    assert model.validation_scores_ == scores
    np.testing.assert_array_equal(parameters(model), script.calls[2]["weights"])


def test_patience_runs_out(regression):
    """Training stops when more than n_iter_no_change epochs bring no gain of tol."""
    scores = [0.0, 1.0, 1.05, 0.9, 1.02, 1.0, 2.0]
    model, _ = fit_script(regression, scores, tol=0.1, n_iter_no_change=3)
    assert model.n_iter_ == 6
    assert model.best_iter_ == 3
    assert model._no_improvement_count == 4


def test_slow_steady_gains_accumulate(regression):
    """Gains below tol add up, so that patience is renewed and training goes on."""
    scores = list(np.arange(40) * 0.04)
    model, _ = fit_script(regression, scores, tol=0.1, n_iter_no_change=3)
    assert model.n_iter_ == len(scores)
    model, _ = fit_script(regression, list(np.arange(40) * 0.02), tol=0.1, n_iter_no_change=3)
    assert model.n_iter_ == 5


def test_a_dip_below_the_last_renewal_is_no_gain(regression):
    """Rising back from a dip does not renew patience; only passing the old mark by tol does."""
    scores = [1.0, 0.0, 0.5, 0.9, 1.0, 1.05, 3.0]
    model, _ = fit_script(regression, scores, tol=0.1, n_iter_no_change=4)
    assert model.n_iter_ == 6
    assert model.best_validation_score_ == 1.05


def test_infinite_patience(regression):
    """n_iter_no_change=inf never stops, and still restores the best epoch."""
    model, _ = fit_script(regression, [1.0, *np.zeros(30)], n_iter_no_change=np.inf)
    assert (model.n_iter_, model.best_iter_) == (31, 1)


# ------------------------------------------------------------------ what is watched
def test_the_watched_loss_is_the_unpenalized_validation_loss(cancer):
    """Recomputed by hand from the weights of the restored epoch, and negated as a score."""
    X, y = cancer
    model = MLPClassifier(**SMALL, alpha=1.0, dropout=0.5, max_iter=500)
    model.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert model.n_iter_ < 500
    best = model.validation_loss_curve_[model.best_iter_ - 1]
    expected = -model.predict_log_proba(X[400:])[np.arange(len(y) - 400), y[400:]].mean()
    assert best == pytest.approx(expected, rel=1e-10)
    assert min(model.validation_loss_curve_) == best
    np.testing.assert_array_equal(model.validation_scores_, -np.array(model.validation_loss_curve_))
    assert model.best_validation_score_ == -best
    assert model.best_loss_ is None


def test_validation_loss_uses_sample_and_class_weights(cancer):
    """Each validation row counts with its sample weight times its class weight."""
    X, y = cancer
    s = np.random.RandomState(0).uniform(0.1, 3, 169)
    model = MLPClassifier(**SMALL, class_weight={0: 5.0, 1: 0.5}, max_iter=1)
    fit_epochs(model, X[:400], y[:400], X_val=X[400:], y_val=y[400:], sample_weight_val=s)
    losses = -model.predict_log_proba(X[400:])[np.arange(169), y[400:]]
    expected = np.average(losses, weights=s * np.where(y[400:] == 0, 5.0, 0.5))
    assert model.validation_loss_curve_ == [pytest.approx(expected, rel=1e-10)]


def test_class_weights_do_not_enter_a_scorer(cancer):
    """scoring=None is the estimator's score with the sample weights alone."""
    X, y = cancer
    s = np.random.RandomState(0).uniform(0.1, 3, 169)
    model = MLPClassifier(**SMALL, class_weight={0: 50.0}, scoring=None, max_iter=1)
    fit_epochs(model, X[:400], y[:400], X_val=X[400:], y_val=y[400:], sample_weight_val=s)
    assert model.validation_scores_ == [pytest.approx(model.score(X[400:], y[400:], s))]


@pytest.mark.parametrize("scoring", ["loss", None])
def test_the_split_keeps_the_weights_of_its_rows(cancer, scoring):
    """Rows set aside are watched with their own sample (and, in the loss, class) weights."""
    X, y = cancer
    s = np.random.RandomState(0).uniform(0.1, 3, len(y))
    params = {**SMALL, "class_weight": {0: 5.0}, "scoring": scoring, "max_iter": 1}
    model = fit_epochs(MLPClassifier(**params), X, y, sample_weight=s)
    rng = np.random.RandomState(0)
    initial_parameters([30, 8, 1], random_state=rng)
    _, val = train_test_split(np.arange(len(y)), random_state=rng, test_size=0.1, stratify=y)
    losses = -model.predict_log_proba(X[val])[np.arange(len(val)), y[val]]
    loss = np.average(losses, weights=s[val] * np.where(y[val] == 0, 5.0, 1.0))
    assert model.validation_loss_curve_ == [pytest.approx(loss, rel=1e-10)]
    expected = -loss if scoring == "loss" else model.score(X[val], y[val], s[val])
    assert model.validation_scores_ == [pytest.approx(expected, rel=1e-10)]


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_regression_losses_are_watched(counts, loss):
    """The losses of the regressor, also with scoring=None, where the curve is kept too."""
    X, y = counts
    for scoring in ("loss", None):
        model = MLPRegressor(loss, **SMALL, scoring=scoring, max_iter=1)
        fit_epochs(model, X[:200], y[:200], X_val=X[200:], y_val=y[200:])
        raw = np.log(model.predict(X[200:])) if loss == "poisson" else model.predict(X[200:])
        expected = row_losses(loss, y[200:, None], raw[:, None]).mean()
        assert model.validation_loss_curve_ == [pytest.approx(expected, rel=1e-10)]
    assert model.validation_scores_ == [pytest.approx(r2_score(y[200:], model.predict(X[200:])))]


@pytest.mark.parametrize("scoring", ["f1_macro", make_scorer(f1_score, average="macro")], ids=str)
def test_scorers_by_name_and_as_callables(wine, scoring):
    """The best score is what the scorer says of the restored network."""
    X, y = wine
    model = MLPClassifier(**SMALL, scoring=scoring, max_iter=30)
    fit_quietly(model, X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    expected = f1_score(y[1::2], model.predict(X[1::2]), average="macro")
    assert model.best_validation_score_ == pytest.approx(expected)


@pytest.mark.parametrize("n_groups", [None, 1, 2, 3, 10])
@pytest.mark.parametrize("fraction", [0.001, 0.1, 0.3, 0.5, 0.77, 0.999])
def test_the_split_draws_as_scikit_learn(n_groups, fraction):
    """The same rows in the same order, the generator left as it is left there, or an error."""
    for n_rows in (1, 2, 3, 5, 10, 11, 29, 100, 999, 1000, 4321):
        for seed in range(5):
            rng = np.random.RandomState(seed)
            labels = None if n_groups is None else rng.randint(n_groups, size=n_rows) ** 2
            if labels is not None:
                labels = np.unique(labels, return_inverse=True)[1]
            check_split(n_rows, fraction, labels, seed)


def check_split(n_rows, fraction, labels, seed):
    ours, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
    options = {"test_size": fraction, "stratify": labels, "random_state": theirs}
    names = None if labels is None else np.arange(labels.max() + 1)
    try:
        expected = train_test_split(np.arange(n_rows), **options)
    except ValueError:
        expected = [[], []]
    if len(expected[1]) < 2:
        with pytest.raises(ValueError, match=r"is too small|in both parts, but|leaves none"):
            split_rows(n_rows, fraction, ours, labels=labels, names=names)
        return
    for wanted in (None, names):
        ours = np.random.RandomState(seed)
        drawn = split_rows(n_rows, fraction, ours, labels=labels, names=wanted)
        for rows, expected_rows in zip(drawn, expected, strict=True):
            assert rows.dtype == np.int32
            np.testing.assert_array_equal(rows, expected_rows)
        assert ours.randint(2**31) == copy.deepcopy(theirs).randint(2**31)


def test_rows_that_are_alone_train():
    """All else is stratified where each class can be in both parts, and drawn at random if not."""
    labels = np.r_[np.repeat(np.arange(4), [40, 30, 20, 10]), 4, 5]
    for seed in range(10):
        train, val = split_rows(102, 0.2, np.random.RandomState(seed), labels=labels)
        assert sorted([*train, *val]) == list(range(102)) and len(val) == 21
        np.testing.assert_allclose(np.bincount(labels[val]), [8.4, 6.3, 4.2, 2.1], atol=1)
    labels = np.r_[np.repeat(np.arange(30), 2), 30]  # 7 rows cannot hold 30 classes
    drawn = [split_rows(61, 0.1, np.random.RandomState(seed), labels=labels) for seed in range(30)]
    assert all(len(val) == 7 and len(train) == 54 for train, val in drawn)
    assert all(len(np.unique(labels[train])) == 31 for train, _ in drawn)
    assert len({int(row) for _, val in drawn for row in val}) > 55
    labels = np.arange(9)  # each is alone
    train, val = split_rows(9, 0.3, np.random.RandomState(0), labels=labels)
    assert sorted([*train, *val]) == list(range(9)) and len(val) == 3


@pytest.mark.parametrize("scoring", ["loss", "roc_auc_ovr"])
def test_rare_classes_are_in_both_parts(scoring):
    """So that scorers that need each of them work, for every seed."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(400, 3), np.r_[np.full(5, 2), rng.randint(0, 2, 395)]
    for seed in range(20):
        model = MLPClassifier((3,), early_stopping=True, scoring=scoring, max_iter=1)
        model.set_params(random_state=seed, validation_fraction=0.2)
        assert np.isfinite(fit_epochs(model, X, y).validation_scores_).all()


def test_as_scikit_learn_each_class_must_be_in_both_parts():
    """The class is named as the user named it; another scoring takes it as it is."""
    X = np.random.RandomState(0).randn(40, 3)
    y = np.array(["yes"] + ["no"] * 39)
    model = MLPClassifier((3,), early_stopping=True, scoring=None, max_iter=1)
    with pytest.raises(ValueError, match=r"only one row of \['yes'\]\. Use another scoring"):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"validation_fraction=0.9 gives 1 and 9 rows"):
        model.set_params(validation_fraction=0.9).fit(X[:10], ["yes", "no"] * 5)
    fit_epochs(model.set_params(scoring="loss", validation_fraction=0.1), X, y)
    with pytest.raises(ValueError, match=r"too small.*fraction=0.1 of n_samples=4 are 1, "):
        model.fit(X[:4], ["yes", "no"] * 2)


@pytest.mark.parametrize("model", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("n_targets", [2, 5])
def test_memory_for_each_row(model, n_targets):
    """A fit takes few bytes a row besides the data: no list, no string, no copy of the rows."""
    tiny = {"hidden_layer_sizes": (2,), "batch_size": 1000, "max_iter": 1}

    def peak(n_rows):
        X = np.arange(n_rows, dtype=np.float32)[:, None] % 7
        y = X[:, 0].astype(int) % n_targets
        tracemalloc.start()
        try:
            fit_quietly(model(early_stopping=True, **tiny), X, y)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (peak(200_000) - peak(100_000)) / 100_000 < 40


def spread_of(model, X, y):
    """A scorer that asks for passes with dropout, and for what a fitted network tells."""
    assert model.t_ > 0
    assert not hasattr(model, "loss_curve_")
    return -np.mean((model.predict(X, n_draws=5) - y) ** 2)


def test_scorers_see_the_network_of_this_fit_alone(diabetes):
    """Its own random numbers, and nothing of a fit before."""
    params = {"hidden_layer_sizes": (8,), "dropout": 0.2, "max_iter": 4, "early_stopping": True}
    fresh = MLPRegressor(**params, scoring=spread_of, random_state=1)
    fit_quietly(fresh, *diabetes)
    again = MLPRegressor(**params, scoring=spread_of, random_state=0)
    fit_quietly(fit_quietly(again, *diabetes).set_params(random_state=1), *diabetes)
    assert again.validation_scores_ == fresh.validation_scores_


def test_a_score_that_overflows_is_not_finite(diabetes):
    """NumPy does not warn of it beside the error."""
    X, y = diabetes
    params = {"hidden_layer_sizes": (4,), "solver": "sgd", "scoring": "r2", "random_state": 0}
    model = MLPRegressor("quantile", **params, early_stopping=True, max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with contextlib.suppress(ValueError):
            fit_quietly(model, X * 1e200, y)
