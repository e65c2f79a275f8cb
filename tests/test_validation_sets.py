"""Validation rows: the split, sets passed to `fit`, what scorers get, and pipelines."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from conftest import ScriptedScorer, assert_same_bits, fit_epochs, fit_quietly
from reference import initial_parameters
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor

SMALL = {"hidden_layer_sizes": (8,), "early_stopping": True, "random_state": 0}


# ------------------------------------------------------------------ what a scorer gets
def test_a_scorer_gets_a_copy_with_the_current_weights(wine):
    """The copy is fitted, moves from epoch to epoch, and never is the estimator itself."""
    X, labels = pd.DataFrame(wine[0]).add_prefix("x"), np.array(["red", "white", "rose"])[wine[1]]
    script = ScriptedScorer()
    model = MLPClassifier(**SMALL, scoring=script, max_iter=4)
    fit_epochs(model, X, labels, X_val=X[::3], y_val=labels[::3])
    assert len(script.calls) == 4
    for call in script.calls:
        assert call["estimator"] is not model
        assert isinstance(call["X"], pd.DataFrame)
        pd.testing.assert_frame_equal(call["X"], X[::3])
        np.testing.assert_array_equal(call["y"], labels[::3])
        assert set(call["estimator"].predict(X)) <= set(labels)
    assert not np.array_equal(script.calls[0]["weights"], script.calls[1]["weights"])


def test_a_scorer_gets_the_kind_of_data_that_was_passed(regression):
    """Rows that are set aside stay a data frame, or sparse."""
    X, y = regression
    frame = pd.DataFrame(X).add_prefix("x")
    for passed, kind in ((frame, pd.DataFrame), (sparse.csr_array(X), sparse.csr_array)):
        scorer = ScriptedScorer()
        fit_epochs(MLPRegressor(**SMALL, scoring=scorer, max_iter=1), passed, y)
        assert isinstance(scorer.calls[0]["X"], kind)
        assert scorer.calls[0]["X"].shape == (50, 20)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_split_is_the_one_of_scikit_learn(wine, regression, task):
    """Rows: `train_test_split` with the generator as it stands after the initial weights.

    Stratified for every classification, where scikit-learn's MLP does it for two classes alone.
    """
    X, y = wine if task == "classification" else regression
    Estimator = MLPClassifier if task == "classification" else MLPRegressor
    script = ScriptedScorer()
    fit_epochs(Estimator(**SMALL, scoring=script, max_iter=1, validation_fraction=0.2), X, y)
    rng = np.random.RandomState(0)
    initial_parameters([X.shape[1], 8, 3 if task == "classification" else 1], random_state=rng)
    stratify = y if task == "classification" else None
    _, X_val, _, y_val = train_test_split(X, y, random_state=rng, test_size=0.2, stratify=stratify)
    np.testing.assert_array_equal(script.calls[0]["X"], X_val)
    np.testing.assert_array_equal(script.calls[0]["y"], y_val)


def test_the_binary_split_is_stratified(cancer):
    """Two classes keep their share in the validation rows."""
    X, y = cancer
    script = ScriptedScorer()
    fit_epochs(MLPClassifier(**SMALL, scoring=script, max_iter=1), X, y)
    assert abs(np.mean(script.calls[0]["y"]) - y.mean()) < 1 / len(script.calls[0]["y"])


def test_an_explicit_validation_set_replaces_the_split(cancer):
    """All rows of X are trained on, and no random number is spent on a split."""
    X, y = cancer
    model = fit_epochs(MLPClassifier(**SMALL, max_iter=3), X, y, X_val=X[:50], y_val=y[:50])
    plain = fit_epochs(MLPClassifier((8,), random_state=0, max_iter=3), X, y)
    np.testing.assert_array_equal(model.loss_curve_, plain.loss_curve_)
    assert model.best_iter_ == 3
    assert_same_bits(model, plain)


# ------------------------------------------------------------------ inside scikit-learn's tools
@pytest.fixture
def metadata_routing():
    """Switch scikit-learn's metadata routing on for one test."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("metadata_routing")
def test_a_pipeline_transforms_the_validation_set(cancer):
    """`transform_input=["X_val"]` scales X_val as the steps before scale X."""
    X, y = cancer[0] * 7 + 3, cancer[1]
    script = ScriptedScorer()
    model = MLPClassifier(**SMALL, scoring=script, max_iter=2)
    pipe = Pipeline(
        [("scale", StandardScaler()), ("mlp", model.set_fit_request(X_val=True, y_val=True))],
        transform_input=["X_val"],
    )
    fit_epochs(pipe, X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    expected = StandardScaler().fit(X[:400]).transform(X[400:])
    np.testing.assert_allclose(script.calls[0]["X"], expected)


@pytest.mark.usefixtures("metadata_routing")
def test_grid_search_routes_a_validation_set(cancer):
    """A set with another number of rows than X reaches every fit unchanged."""
    X, y = cancer
    model = MLPClassifier(**SMALL, max_iter=5, learning_rate_init=0.05)
    search = GridSearchCV(
        model.set_fit_request(X_val=True, y_val=True), {"dropout": [0.0, 0.3]}, cv=2
    )
    fit_quietly(search, X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    assert search.best_score_ > 0.9
    assert len(search.best_estimator_.validation_loss_curve_) == 5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_cross_validation_with_early_stopping(cancer, regression):
    """Both estimators learn inside `cross_val_score`."""
    classifier = make_pipeline(StandardScaler(), MLPClassifier(**SMALL, learning_rate_init=0.01))
    assert cross_val_score(classifier, *cancer, cv=3).min() > 0.9
    regressor = MLPRegressor(**SMALL, learning_rate_init=0.01)
    assert cross_val_score(regressor, *regression, cv=3).min() > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_grid_search_over_every_regularizer(cancer):
    """A product of penalties, strengths, dropout and batch norm in a pipeline never fails."""
    grid = {
        "mlp__penalty": ["l1", "l2"],
        "mlp__alpha": [1e-4, 1e-2],
        "mlp__dropout": [0.0, [0.2]],
        "mlp__batch_norm": [False, True],
    }
    pipe = Pipeline(
        [
            ("scale", StandardScaler()),
            ("mlp", MLPClassifier(**SMALL, max_iter=10, learning_rate_init=0.01)),
        ]
    )
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(*cancer)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_inside_a_transformed_target(diabetes):
    """A meta-estimator clones, fits and predicts."""
    X, y = diabetes
    model = TransformedTargetRegressor(
        MLPRegressor(**SMALL, learning_rate_init=0.01), transformer=StandardScaler()
    )
    assert model.fit(X, 100 * y + 50).score(X, 100 * y + 50) > 0.3


def test_numbers_that_the_type_of_x_cannot_hold_are_refused():
    """By name, and without a warning of NumPy's beside it."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(40, 3).astype(np.float32), rng.randn(40)
    model = MLPRegressor(hidden_layer_sizes=(3,), early_stopping=True, max_iter=2, random_state=0)
    with pytest.raises(ValueError, match=r"X_val, y_val is not valid: .*float32"):
        model.fit(X, y, X_val=rng.randn(10, 3) * 1e300, y_val=y[:10])
    with pytest.raises(ValueError, match="float32"):
        fit_quietly(model, X, y).predict(rng.randn(10, 3) * 1e300)
