"""Invalid values and combinations: the message says what was wrong and what to do.

A failed `fit` never leaves a half-changed estimator.
"""

import copy
import re

import numpy as np
import pandas as pd
import pytest
import sklearn.compose
import sklearn.pipeline
import sklearn.preprocessing
from conftest import fit_epochs
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import FeatureNoise

rng = np.random.RandomState(0)
X = rng.randn(60, 4)
Y_CLASS = (X[:, 0] > 0).astype(int)
Y_REAL = X @ [1.0, -1.0, 0.5, 0.0]

BOTH = [MLPClassifier, MLPRegressor]


def target(Estimator):
    """The target that suits an estimator."""
    return Y_CLASS if Estimator is MLPClassifier else Y_REAL


def snapshot(model):
    """A deep copy of everything an estimator holds."""
    return copy.deepcopy(vars(model))


def assert_unchanged(model, before):
    """No attribute was added, removed or altered."""
    now = vars(model)
    assert set(now) == set(before)
    np.testing.assert_equal(
        {k: v for k, v in now.items() if not k.startswith("_")},
        {k: v for k, v in before.items() if not k.startswith("_")},
    )


def assert_fit_fails(model, pattern, *args, **fit_params):
    """`fit` raises a ValueError that matches, and an unfitted estimator stays as it was."""
    before = snapshot(model)
    with pytest.raises(ValueError, match=pattern):
        model.fit(*(args or (X, target(type(model)))), **fit_params)
    assert_unchanged(model, before)
    with pytest.raises(NotFittedError):
        model.predict(X)


# Each value, and what its message must name: the parameter and what is expected of it.
INVALID_VALUES = [
    ({"penalty": "l3"}, r"'penalty'.*'elasticnet'.*'l3'"),
    ({"penalty": "none"}, r"'penalty'.*None"),
    ({"alpha": -1e-3}, r"'alpha'.*\[0"),
    ({"alpha": np.nan}, r"'?alpha'?"),
    ({"l1_ratio": -0.1}, r"'l1_ratio'.*\[0.*1"),
    ({"l1_ratio": 1.1}, r"'l1_ratio'.*\[0.*1"),
    ({"dropout": -0.1}, r"'?dropout'?.*0.*1"),
    ({"dropout": 1.0}, r"'?dropout'?.*0.*1"),
    ({"dropout": np.nan}, r"'?dropout'?"),
    ({"dropout": "half"}, r"'dropout'"),
    ({"dropout": [0.5, 1.0], "hidden_layer_sizes": (3, 3)}, r"'?dropout'?.*1"),
    ({"input_dropout": 1.0}, r"'input_dropout'.*\[0.*1"),
    ({"input_dropout": [0.1]}, r"'input_dropout'"),
    ({"batch_norm": "yes"}, r"'batch_norm'"),
    ({"batch_norm_momentum": -0.1}, r"'batch_norm_momentum'"),
    ({"batch_norm_momentum": 1.5}, r"'batch_norm_momentum'"),
    ({"batch_norm_epsilon": 0.0}, r"'batch_norm_epsilon'"),
    ({"scoring": "no_such_score", "early_stopping": True}, r"no_such_score"),
    ({"scoring": 3}, r"'scoring'"),
    ({"activation": "swish"}, r"'activation'.*'relu'"),
    ({"activation": ["relu", "swish"], "hidden_layer_sizes": (3, 3)}, r"swish.*'relu'"),
    ({"activation": [1, 2], "hidden_layer_sizes": (3, 3)}, r"activation.*'1'"),
    ({"activation": None}, r"'activation'"),
    ({"learning_rate": "linear"}, r"'learning_rate'.*'one_cycle'"),
    ({"clip_norm": 0.0}, r"'clip_norm'.*\(0"),
    ({"clip_norm": -1.0}, r"'clip_norm'.*\(0"),
    ({"clip_norm": np.nan}, r"'?clip_norm'?"),
    ({"weight_decay": -0.1}, r"'weight_decay'.*\[0"),
    ({"feature_alpha": -0.1}, r"'feature_alpha'.*\[0"),
    ({"feature_alpha": np.nan}, r"'?feature_alpha'?"),
    ({"unit_alpha": -0.1}, r"'unit_alpha'.*\[0"),
    ({"max_norm": 0.0}, r"'max_norm'.*\(0"),
    ({"max_norm": "big"}, r"'max_norm'"),
    ({"restore_best": "yes"}, r"'restore_best'"),
    ({"warmup": 1.0}, r"'warmup'.*\[0.*1"),
    ({"warmup": -0.1}, r"'warmup'.*\[0.*1"),
    ({"weight_init": "glorot"}, r"'weight_init'.*'orthogonal'"),
    ({"weight_averaging": "mean"}, r"'weight_averaging'.*'ema'"),
    ({"ema_decay": 1.0}, r"'ema_decay'.*\(0.*1"),
    ({"swa_start": 1.0}, r"'swa_start'.*\[0.*1"),
    ({"time_limit": 0}, r"'time_limit'.*\(0"),
    ({"input_noise": -0.1}, r"'input_noise'.*\[0"),
    ({"input_noise": np.nan}, r"'?input_noise'?"),
    ({"swap_noise": 1.0}, r"'swap_noise'.*\[0.*1"),
    ({"swap_noise": -0.1}, r"'swap_noise'.*\[0.*1"),
    ({"mixup": -0.1}, r"'mixup'.*\[0"),
    ({"mixup": None}, r"'mixup'"),
    ({"cutmix": 1.0}, r"'cutmix'.*\[0.*1"),
    ({"cutout": 1.0}, r"'cutout'.*\[0.*1"),
    ({"adversarial_epsilon": -0.1}, r"'adversarial_epsilon'.*\[0"),
    ({"layer_norm": "yes"}, r"'layer_norm'"),
    ({"dropout_kind": "concrete"}, r"'dropout_kind'.*'connect'"),
    ({"dropout_kind": None}, r"'dropout_kind'"),
    ({"residual": 2}, r"'residual'"),
    ({"stochastic_depth": 1.0}, r"'stochastic_depth'.*\[0.*1"),
    ({"solver": "adagrad"}, r"'solver'.*'adam'"),
    ({"hidden_layer_sizes": (4, 0)}, r"hidden_layer_sizes must be > 0"),
    ({"hidden_layer_sizes": -1}, r"'?hidden_layer_sizes'?"),
    ({"batch_size": 0}, r"'batch_size'"),
    ({"learning_rate_init": 0.0}, r"'learning_rate_init'"),
    ({"momentum": 1.1}, r"'momentum'"),
    ({"max_iter": 0}, r"'max_iter'"),
    ({"n_iter_no_change": 0}, r"'n_iter_no_change'"),
    ({"validation_fraction": 1.0, "early_stopping": True}, r"'validation_fraction'"),
]


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("params", "pattern"), INVALID_VALUES, ids=[str(p) for p, _ in INVALID_VALUES]
)
def test_invalid_values(Estimator, params, pattern):
    """The message names the parameter and the values it may take."""
    assert_fit_fails(Estimator(**params), rf"(?s){pattern}")


HERE = {
    MLPClassifier: [
        ({"label_smoothing": 1.0}, r"'label_smoothing'.*\[0.*1"),
        ({"label_smoothing": -0.1}, r"'label_smoothing'.*\[0.*1"),
    ],
    MLPRegressor: [
        ({"delta": 0.0, "loss": "huber"}, r"'delta'.*\(0"),
        ({"loss": "hinge"}, r"'loss'.*'quantile'"),
        ({"quantile": 0.0, "loss": "quantile"}, r"'quantile'.*\(0.*1"),
        ({"quantile": 1.0, "loss": "quantile"}, r"'quantile'.*\(0.*1"),
        ({"quantile": np.nan, "loss": "quantile"}, r"quantile"),
        ({"quantile": [0.1, 1.0], "loss": "quantile"}, r"quantile.*\(0, 1\)"),
        ({"quantile": [0.0], "loss": "quantile"}, r"quantile.*\(0, 1\)"),
        ({"quantile": [], "loss": "quantile"}, r"quantile.*\(0, 1\)"),
        ({"quantile": [0.5, np.nan], "loss": "quantile"}, r"quantile.*\(0, 1\)"),
        ({"quantile": [[0.1, 0.9]], "loss": "quantile"}, r"quantile"),
        ({"mixup_bandwidth": 0.0, "mixup": 0.2}, r"'mixup_bandwidth'.*\(0"),
        ({"mixup_bandwidth": np.nan, "mixup": 0.2}, r"mixup_bandwidth"),
    ],
}


@pytest.mark.parametrize(
    ("Estimator", "params", "pattern"),
    [(e, *case) for e in BOTH for case in HERE[e]],
    ids=str,
)
def test_invalid_values_of_one_estimator(Estimator, params, pattern):
    """The same for the parameters that only one of them has."""
    assert_fit_fails(Estimator(**params), rf"(?s){pattern}")


def test_several_quantiles_need_a_single_target():
    """Columns of the output are quantiles there, not targets."""
    model = MLPRegressor("quantile", quantile=[0.1, 0.9])
    Y = np.column_stack([Y_REAL, Y_REAL])
    assert_fit_fails(model, r"single target.*2", X, Y)
    single = MLPRegressor("quantile", (3,), quantile=0.1, max_iter=2, random_state=0)
    assert fit_epochs(single, X, Y).predict(X).shape == Y.shape


def test_the_number_of_quantiles_cannot_change():
    """A warm start would need other outputs."""
    model = MLPRegressor("quantile", (3,), quantile=[0.1, 0.9], max_iter=2, warm_start=True)
    fit_epochs(model, X, Y_REAL)
    before = snapshot(model.set_params(quantile=[0.1, 0.5, 0.9]))
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"3 outputs.*2"):
            method(X, Y_REAL)
    assert_unchanged(model, before)


HORIZONS = [
    *({"learning_rate": name} for name in ("cosine", "cosine_restarts", "one_cycle")),
    {"learning_rate": "flat_cosine"},
    {"warmup": 0.1},
    {"warmup": 0.1, "learning_rate": "plateau"},
]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("params", HORIZONS, ids=str)
def test_partial_fit_has_no_horizon(params, solver):
    """A schedule that ends somewhere cannot be followed one epoch at a time."""
    model = MLPRegressor(hidden_layer_sizes=(3,), solver=solver, max_iter=3, **params)
    before = snapshot(model)
    with pytest.raises(ValueError, match=next(iter(params))):
        model.partial_fit(X, Y_REAL)
    assert_unchanged(model, before)
    assert fit_epochs(model, X, Y_REAL).n_iter_ == 3


INVALID_COMBINATIONS = [
    ({"solver": "lbfgs", "dropout": 0.5}, r"dropout.*lbfgs|lbfgs.*dropout"),
    ({"solver": "lbfgs", "input_dropout": 0.5}, r"input_dropout.*lbfgs|lbfgs.*input_dropout"),
    ({"solver": "lbfgs", "batch_norm": True}, r"batch_norm.*lbfgs|lbfgs.*batch_norm"),
    ({"solver": "lbfgs", "early_stopping": True}, r"early_stopping.*lbfgs|lbfgs.*early_stopping"),
    ({"dropout": [0.5]}, r"dropout.*hidden.*|hidden.*dropout"),
    ({"dropout": [0.5, 0.5, 0.5]}, r"dropout.*3|3.*dropout"),
    ({"solver": "sgd", "momentum": 1.0, "penalty": "l1"}, r"momentum"),
    ({"solver": "sgd", "momentum": 1.0, "penalty": "elasticnet"}, r"momentum"),
    ({"batch_norm": True, "batch_size": 1}, r"batch_size|batch_norm"),
    *(
        ({"solver": "lbfgs", name: value}, rf"{name}.*lbfgs|lbfgs.*{name}")
        for name, value in {
            "clip_norm": 1.0, "weight_decay": 0.1, "feature_alpha": 0.1, "unit_alpha": 0.1,
            "max_norm": 1.0, "time_limit": 10.0, "weight_averaging": "ema", "input_noise": 0.1,
            "swap_noise": 0.1, "mixup": 0.1, "cutmix": 0.1, "cutout": 0.1,
            "adversarial_epsilon": 0.1, "stochastic_depth": 0.1,
        }.items()
    ),
    *(
        ({"batch_size": 1, name: 0.1}, rf"{name}=0.1.*batch_size=1")
        for name in ("swap_noise", "mixup", "cutmix")
    ),
    ({"batch_norm": True, "layer_norm": True}, r"batch_norm and layer_norm"),
    ({"solver": "sgd", "momentum": 1.0, "feature_alpha": 0.1}, r"momentum.*feature_alpha"),
    ({"solver": "sgd", "momentum": 1.0, "unit_alpha": 0.1}, r"momentum.*unit_alpha"),
    ({"activation": ["relu"]}, r"activation.*1.*2 hidden"),
    ({"activation": ["relu", "tanh", "tanh"]}, r"activation.*3.*2 hidden"),
]  # fmt: skip


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("params", "pattern"), INVALID_COMBINATIONS, ids=[str(p) for p, _ in INVALID_COMBINATIONS]
)
def test_invalid_combinations(Estimator, params, pattern):
    """What cannot be done together is refused and named."""
    assert_fit_fails(Estimator(hidden_layer_sizes=(4, 3), **params), rf"(?s){pattern}")


def test_layer_norm_of_a_single_unit():
    """It would be constant."""
    assert_fit_fails(MLPRegressor(hidden_layer_sizes=(4, 1), layer_norm=True), r"one unit.*4, 1")


VALIDATION_SETS = {
    "X_val alone": ({"X_val": X}, "y_val"),
    "y_val alone": ({"y_val": "y"}, "X_val"),
    "sample_weight_val alone": ({"sample_weight_val": np.ones(60)}, "X_val"),
    "other features": ({"X_val": X[:, :2], "y_val": "y"}, "features"),
    "other rows": ({"X_val": X[:9], "y_val": "y"}, "inconsistent numbers of samples"),
    "nan": ({"X_val": np.full_like(X, np.nan), "y_val": "y"}, "NaN"),
    "other weights": (
        {"X_val": X, "y_val": "y", "sample_weight_val": np.ones(3)},
        r"sample_weight|inconsistent",
    ),
}  # fmt: skip


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("case", VALIDATION_SETS)
def test_invalid_validation_sets(Estimator, case):
    """Every part of a validation set is checked before training."""
    fit_params, pattern = VALIDATION_SETS[case]
    y = target(Estimator)
    fit_params = {k: y if isinstance(v, str) else v for k, v in fit_params.items()}
    assert_fit_fails(Estimator(early_stopping=True), pattern, **fit_params)


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}], ids=str)
def test_a_validation_set_needs_early_stopping(Estimator, params):
    """Without early stopping, or with lbfgs, a validation set is an error."""
    fit_params = {"X_val": X, "y_val": target(Estimator)}
    assert_fit_fails(Estimator(**params), "early_stopping|lbfgs", **fit_params)


def test_unknown_labels_in_the_validation_set():
    """A label of y_val that y lacks cannot be scored."""
    model = MLPClassifier(early_stopping=True)
    assert_fit_fails(model, r"y_val|classes|labels", X_val=X, y_val=Y_CLASS + 7)


def test_negative_counts():
    """The Poisson loss needs y >= 0."""
    assert_fit_fails(MLPRegressor("poisson"), r"poisson|Poisson|negative|>= 0")


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_non_finite_input(Estimator, value, container):
    """NaN or infinity in X or y is refused."""
    bad = X.copy()
    bad[3, 2] = value
    assert_fit_fails(Estimator(), "NaN|infinity", container(bad), target(Estimator))
    if Estimator is MLPRegressor:
        assert_fit_fails(Estimator(), "NaN|infinity", container(X), np.where(X[:, 0] > 0, value, 0))


def test_class_weight_is_refused_where_it_has_no_meaning():
    """Multilabel targets and partial_fit have no class frequencies."""
    model = MLPClassifier(class_weight="balanced")
    assert_fit_fails(model, "class_weight.*multilabel|multilabel.*class_weight", X, X > 0)
    with pytest.raises(ValueError, match="class_weight"):
        model.partial_fit(X, Y_CLASS, classes=[0, 1])
    assert_fit_fails(MLPClassifier(class_weight="even"), "'class_weight'.*'balanced'")


@pytest.mark.parametrize(
    "class_weight", [{0: -1.0}, {0: np.nan}, {0: np.inf}, {0: 0.0, 1: 0.0}, {7: 2.0}], ids=str
)
def test_class_weights_must_make_sense(class_weight):
    """Negative or non-finite weights, none that is positive, or none of a class that exists."""
    assert_fit_fails(MLPClassifier(class_weight=class_weight), "class_weight")


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 0.0])
def test_sample_weights_must_make_sense(Estimator, value):
    """The same for weights of rows, in training and in validation."""
    s, y = np.full(60, value), target(Estimator)
    assert_fit_fails(Estimator(), "(?i)weight", X, y, sample_weight=s)
    validation = {"X_val": X, "y_val": y, "sample_weight_val": s}
    assert_fit_fails(Estimator(early_stopping=True), "(?i)weight", **validation)


def test_numbers_too_large_for_single_precision():
    """float32 features train in float32, so targets and weights must fit into it."""
    single = X.astype(np.float32)
    assert_fit_fails(MLPRegressor(), "(?i)large|infinity|non-finite", single, Y_REAL * 1e300)
    weights = {"sample_weight": np.full(60, 1e300)}
    assert_fit_fails(MLPRegressor(), "(?i)large|infinity|non-finite", single, Y_REAL, **weights)


def test_partial_fit_is_stochastic_only():
    """lbfgs has no partial_fit, for either estimator."""
    for Estimator in BOTH:
        assert not hasattr(Estimator(solver="lbfgs"), "partial_fit")
        assert hasattr(Estimator(solver="sgd"), "partial_fit")


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ((np.full_like(X, np.nan), Y_CLASS), "NaN"),
        ((X[:, :3], Y_CLASS[:5]), "inconsistent"),
        ((X, Y_CLASS, np.ones(3)), "sample_weight|inconsistent"),
    ],
    ids=["nan", "lengths", "weights"],
)
def test_a_failed_refit_keeps_the_fitted_model(Estimator, arguments, pattern):
    """Nothing of the failed call shows: same attributes, same predictions."""
    model = fit_epochs(Estimator(hidden_layer_sizes=(5,), max_iter=3), X, target(Estimator))
    before, prediction = snapshot(model), model.predict(X)
    with pytest.raises(ValueError, match=pattern):
        model.fit(*arguments)
    with pytest.raises(ValueError, match=pattern):
        model.partial_fit(*arguments)
    assert_unchanged(model, before)
    np.testing.assert_array_equal(model.predict(X), prediction)


CHANGES = [
    ({"hidden_layer_sizes": (6,)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (5, 5)}, "hidden_layer_sizes"),
    ({"batch_norm": True}, "batch_norm"),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("params", "pattern"), CHANGES, ids=[str(p) for p, _ in CHANGES])
def test_a_continued_network_cannot_change_its_shape(method, params, pattern):
    """Layers cannot change between fits that continue each other, nor features or targets."""
    model = fit_epochs(MLPRegressor("squared_error", (5,), max_iter=2, warm_start=True), X, Y_REAL)
    with pytest.raises(ValueError, match=pattern):
        getattr(copy.deepcopy(model).set_params(**params), method)(X, Y_REAL)
    before = snapshot(model)
    with pytest.raises(ValueError, match="features"):
        getattr(model, method)(X[:, :2], Y_REAL)
    with pytest.raises(ValueError, match="targets"):
        getattr(model, method)(X, np.column_stack([Y_REAL, Y_REAL]))
    assert_unchanged(model, before)


def test_a_failed_parameter_check_keeps_the_fitted_model():
    """A value that became invalid after fit leaves the fitted state alone."""
    model = fit_epochs(MLPRegressor(max_iter=2), X, Y_REAL)
    model.set_params(dropout=[0.5, 0.5])
    before = snapshot(model)
    with pytest.raises(ValueError, match="dropout"):
        model.fit(X, Y_REAL)
    assert_unchanged(model, before)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epsilon", 1e-46),
        ("learning_rate_init", 1e-46),
        ("batch_norm_epsilon", 1e-46),
        ("max_norm", 1e-46),
        ("delta", 1e-46),
        ("alpha", 1e39),
        ("input_noise", 1e39),
    ],
)
def test_numbers_that_the_type_of_x_cannot_hold(regression, name, value):
    """As float32 they would be 0 or infinite, and the data be blamed for what follows."""
    X, y = regression
    model = MLPRegressor(**{name: value}, loss="huber", batch_norm=True, max_iter=2)
    with pytest.raises(ValueError, match=rf"{name}={re.escape(repr(value))}.*float32.*float64"):
        model.fit(X.astype(np.float32), y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("params", [{}, {"input_noise": 0.1}, {"augmentation": FeatureNoise()}])
def test_sparse_tag_is_true(params):
    """Whatever is on."""
    assert get_tags(MLPClassifier(**params)).input_tags.sparse


@pytest.mark.parametrize("to", [list, lambda y: np.array(y, dtype=object)], ids=["list", "array"])
def test_missing_labels_are_named(to):
    """By their number and the first row; scikit-learn finds nan alone."""
    y = to(["a", "b", None, "b", None] * 4)
    with pytest.raises(ValueError, match=r"y has 8 missing values, the first one in row 2\. Leave"):
        MLPClassifier().fit(X[:20], y)


def test_text_in_X_says_what_to_do():
    """An encoder, in the code that works."""
    frame = pd.DataFrame({"colour": ["red", "blue"] * 20, "size": np.arange(40.0)})
    y = np.arange(40) % 2
    with pytest.raises(ValueError, match=r"could not convert string.*OneHotEncoder\(") as error:
        MLPClassifier().fit(frame, y)
    code = re.search(r"make_pipeline\(.*\)", str(error.value))[0]
    network = MLPClassifier(max_iter=500)
    names = vars(sklearn.compose) | vars(sklearn.pipeline) | vars(sklearn.preprocessing)
    assert eval(code, {**names, "network": network}).fit(frame, y).score(frame, y) > 0.9


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.0, None] * 10, "y has 10 missing values, the first one in row 1"),
        (
            ["a", "b"] * 10,
            "targets of a regressor must be numbers, but y holds .*'a'.*MLPClassifier",
        ),
        (pd.Series(["1,5", "2,5"] * 10), "must be numbers, but y holds '1,5'"),
        (pd.Series(pd.date_range("2020-01-01", periods=20)), "must be numbers.* dates"),
    ],
    ids=["missing", "text", "comma", "dates"],
)
def test_targets_of_a_regressor_are_numbers(y, message):
    """What they are instead is named; numbers in objects and text are taken."""
    for fit in (MLPRegressor().fit, MLPRegressor().partial_fit):
        with pytest.raises(ValueError, match=message):
            fit(X[:20], y)
    text = np.array(["1.5", "2.5"] * 10)
    as_text, as_numbers = (
        fit_epochs(MLPRegressor(random_state=0, max_iter=2), X[:20], y)
        for y in (text, text.astype(float))
    )
    np.testing.assert_array_equal(as_text.predict(X), as_numbers.predict(X))


def test_a_scorer_that_fails_is_named():
    """In a note beside its own message."""
    model = MLPRegressor(early_stopping=True, scoring="roc_auc")
    with pytest.raises(AttributeError, match="predict_proba") as error:
        model.fit(X, Y_REAL)
    assert "scoring='roc_auc' on the validation rows" in error.value.__notes__[0]


def test_quantiles_that_are_text():
    with pytest.raises(ValueError, match=r"quantile must hold numbers in \(0, 1\), got \['a'\]"):
        MLPRegressor("quantile", quantile=["a"]).fit(X, Y_REAL)


def test_a_validation_fraction_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"0.99 leaves none of the 60 rows.* Decrease"):
        MLPClassifier(early_stopping=True, validation_fraction=0.99).fit(X, Y_CLASS)
