"""What a fitted estimator holds, and that it survives pickling, cloning and other containers."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import assert_same_bits, fit_epochs, fit_quietly, parameters
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.preprocessing import LabelBinarizer
from threadpoolctl import threadpool_limits

from skreg import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableEncoder,
    TabularClassifier,
    TabularRegressor,
)

REGULARIZED = {
    "hidden_layer_sizes": (9, 5), "dropout": [0.2, 0.1], "input_dropout": 0.1, "batch_norm": True,
    "penalty": "elasticnet", "random_state": 0, "max_iter": 5, "batch_size": 50,
}  # fmt: skip
VARIANTS = {
    "plain": {"hidden_layer_sizes": (9, 5), "random_state": 0, "max_iter": 5},
    "regularized": REGULARIZED,
    "sgd": {**REGULARIZED, "solver": "sgd", "penalty": "l2"},
    "linear": {"hidden_layer_sizes": (), "random_state": 0, "max_iter": 5},
}
HELD_TYPES = (np.ndarray, np.generic, np.random.RandomState, LabelBinarizer, str, int, float)


def round_trip(model, how, tmp_path):
    """Store and load an estimator."""
    if how == "pickle":
        return pickle.loads(pickle.dumps(model))
    if how == "skops":
        io = pytest.importorskip("skops.io")
        content = io.dumps(model)
        to_trust = io.get_untrusted_types(data=content)
        assert all(name.startswith("skreg.") for name in to_trust)
        return io.loads(content, trusted=to_trust)
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


def assert_plain(value, name):
    """A value is an array, number, string, None, or a container of those."""
    if isinstance(value, dict):
        for key, item in value.items():
            assert_plain(item, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple):
        for item in value:
            assert_plain(item, f"{name}[]")
    else:
        assert value is None or isinstance(value, HELD_TYPES), f"{name} holds a {type(value)}"


STORES = pytest.mark.parametrize("how", ["pickle", "joblib", "skops"])


@STORES
@pytest.mark.parametrize("variant", VARIANTS)
def test_round_trip(cancer, variant, how, tmp_path):
    """A loaded estimator predicts the same bits, and goes on training as the original does."""
    X, y = cancer
    model = MLPClassifier(**VARIANTS[variant])
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    loaded = round_trip(model, how, tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    for one in (model, loaded):
        for _ in range(3):
            one.partial_fit(X, y)
    assert_same_bits(loaded, model)
    assert loaded.t_ == model.t_


@STORES
@pytest.mark.parametrize("variant", VARIANTS)
def test_warm_start_survives(regression, variant, how, tmp_path):
    """Fitting on from a loaded estimator is fitting on from the original."""
    model = fit_epochs(MLPRegressor(**VARIANTS[variant], warm_start=True), *regression)
    loaded = round_trip(model, how, tmp_path)
    assert_same_bits(fit_epochs(loaded, *regression), fit_epochs(model, *regression))


NET = {"hidden_layer_sizes": (5,), "max_iter": 5, "dropout": 0.1}
OF_TABLES = [
    FoldEnsembleClassifier(MLPClassifier(**NET), cv=2, random_state=0),
    FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), cv=2, random_state=0),
    TabularClassifier(**NET, cv=2, random_state=0),
    TabularRegressor(**NET, cv=2, random_state=0),
]


@STORES
@pytest.mark.parametrize("model", OF_TABLES, ids=lambda model: type(model).__name__)
@pytest.mark.filterwarnings("ignore:.*networks reached max_iter")
def test_ensembles_survive(mixed_table, model, how, tmp_path):
    """With what they know of held-out rows."""
    X = mixed_table if hasattr(model, "encoder") else mixed_table[["age", "member"]] / [80, 1]
    y = mixed_table["age"].to_numpy() > 50 if is_classifier(model) else mixed_table["age"]
    model = clone(model).fit(X, y)
    loaded = round_trip(model, how, tmp_path)
    for each in ("predict", "predict_proba", "predict_held_out", "permutation_importances"):
        if hasattr(model, each):
            more = {"y": y, "random_state": 0} if each == "permutation_importances" else {}
            expected, found = (getattr(one, each)(X, **more) for one in (model, loaded))
            np.testing.assert_equal(found, expected)
    np.testing.assert_array_equal(loaded.oof_prediction_, model.oof_prediction_)
    assert loaded.get_params().keys() == model.get_params().keys()


@STORES
@pytest.mark.parametrize("numeric", ["piecewise_linear", "standard", "robust", "quantile"])
def test_encoders_survive(mixed_table, numeric, how, tmp_path):
    """Whatever the categories are: also those that JSON, of which skops makes use, has as text."""
    rng = np.random.RandomState(0)
    values = np.array([1, "1", 2.5, True, "True", None], dtype=object)
    X = mixed_table.assign(any=values[rng.randint(6, size=len(mixed_table))])
    X["number"] = rng.randint(3, size=len(X))
    encoder = TableEncoder(
        numeric=numeric, categorical_features=["town", "member", "any", "number"]
    )
    X = X.drop(columns="grade")
    encoder.fit(X)
    loaded = round_trip(encoder, how, tmp_path)
    np.testing.assert_array_equal(loaded.transform(X), encoder.transform(X))
    assert list(loaded.get_feature_names_out()) == list(encoder.get_feature_names_out())


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_fitted_state_is_plain(cancer, variant, early_stopping):
    """No object of this package is held, so that loading needs to trust one type only."""
    model = fit_quietly(MLPClassifier(**VARIANTS[variant], early_stopping=early_stopping), *cancer)
    for name, value in vars(model).items():
        assert_plain(value, name)


def test_predicting_caches_nothing(cancer):
    """The state before and after prediction is the same, and so is the pickle."""
    X, y = cancer
    model = fit_epochs(MLPClassifier(**REGULARIZED), X, y)
    before = pickle.dumps(model)
    model.predict(X), model.predict_proba(X), model.predict_log_proba(X), model.score(X, y)
    assert pickle.dumps(model) == before


def test_a_pickle_is_a_few_copies_of_the_weights(cancer):
    """Weights and the two moments of Adam are kept, and nothing as large as the data."""
    model = fit_epochs(MLPClassifier((50, 50), max_iter=2, early_stopping=True), *cancer)
    assert len(pickle.dumps(model)) < 5 * parameters(model).nbytes + 10_000


def test_clone_copies_parameters_only(cancer):
    """A clone is unfitted, and fits to the same bits."""
    model = fit_epochs(MLPClassifier(**REGULARIZED), *cancer)
    copy = clone(model)
    assert not hasattr(copy, "coefs_")
    assert copy.get_params() == model.get_params()
    assert_same_bits(fit_epochs(copy, *cancer), model)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_bits(cancer, variant):
    """Whatever the number of threads; another seed gives another network."""
    params = {**VARIANTS[variant], "max_iter": 3}
    with threadpool_limits(1):
        one = fit_epochs(MLPClassifier(**params), *cancer)
        again = fit_epochs(MLPClassifier(**params), *cancer)
    with threadpool_limits(4):
        four = fit_epochs(MLPClassifier(**params), *cancer)
    assert_same_bits(one, again)
    assert_same_bits(one, four)
    other = fit_epochs(MLPClassifier(**{**params, "random_state": 1}), *cancer)
    assert not np.array_equal(parameters(one), parameters(other))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("Sparse", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(regression, solver, Sparse):
    """Training and prediction do not depend on how zeros are stored."""
    X, y = np.where(regression[0] > 0.5, regression[0], 0), regression[1]
    params = {"hidden_layer_sizes": (6,), "solver": solver, "max_iter": 5, "random_state": 0}
    if solver != "lbfgs":
        params["input_dropout"] = 0.2
    dense = fit_quietly(MLPRegressor(**params), X, y)
    stored = fit_quietly(MLPRegressor(**params), Sparse(X), y)
    np.testing.assert_allclose(parameters(stored), parameters(dense), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(stored.predict(Sparse(X)), dense.predict(X), rtol=1e-9, atol=1e-12)


def test_sparse_validation_set(regression):
    """A sparse X_val is watched like a dense one."""
    X, y = np.where(regression[0] > 0.5, regression[0], 0), regression[1]
    params = {"hidden_layer_sizes": (6,), "early_stopping": True, "max_iter": 4, "random_state": 0}
    curves = []
    for make in (np.asarray, sparse.csr_array, sparse.csc_array):
        model = MLPRegressor(**params)
        fit_epochs(model, make(X[:400]), y[:400], X_val=make(X[400:]), y_val=y[400:])
        curves.append(model.validation_loss_curve_)
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-9)
    np.testing.assert_allclose(curves[2], curves[0], rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_data_frames(cancer, early_stopping):
    """pandas in, names kept and checked, the same bits as from arrays, and no warning."""
    X, y = pd.DataFrame(cancer[0]).add_prefix("feature "), pd.Series(cancer[1], name="label")
    params = {**REGULARIZED, "early_stopping": early_stopping}
    model = fit_epochs(MLPClassifier(**params), X, y)
    assert list(model.feature_names_in_) == list(X.columns)
    assert_same_bits(model, fit_epochs(MLPClassifier(**params), *cancer))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[X.columns[::-1]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(cancer[0])
