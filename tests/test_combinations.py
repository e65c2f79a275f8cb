"""Regularizers in pairs: every two act together, and each keeps what it promises alone."""

import itertools

import numpy as np
import pytest
from conftest import fit_quietly, parameters
from sklearn.preprocessing import scale

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import FeatureNoise

# Pairs that act, but not as either promises alone; test_warnings.py holds these messages.
pytestmark = [
    pytest.mark.filterwarnings("ignore:dropout_kind='alpha' keeps mean and variance of selu"),
    pytest.mark.filterwarnings("ignore:unit_alpha removes no units under residual links"),
]

COMMON = {"hidden_layer_sizes": (8, 6), "batch_size": 16, "max_iter": 25, "random_state": 0}
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
}

# Strong enough that each has its effect within a few epochs.
ACTING = {
    "l1": {"penalty": "l1", "alpha": 0.03},
    "l2": {"penalty": "l2", "alpha": 0.1},
    "elasticnet": {"penalty": "elasticnet", "alpha": 0.06, "l1_ratio": 0.5},
    "dropout": {"dropout": 0.3},
    "input_dropout": {"input_dropout": 0.2},
    "batch_norm": {"batch_norm": True},
    "early_stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "clip_norm": {"clip_norm": 0.1},
    "weight_decay": {"weight_decay": 0.5},
    "feature_alpha": {"feature_alpha": 0.25},
    "unit_alpha": {"unit_alpha": 0.25},
    "max_norm": {"max_norm": 0.4},
    "warmup": {"warmup": 0.4},
    "schedule": {"learning_rate": "cosine"},
    "ema": {"weight_averaging": "ema", "ema_decay": 0.9},
    "swa": {"weight_averaging": "swa", "swa_start": 0.0},
    "weight_init": {"weight_init": "orthogonal"},
    "activations": {"activation": ["mish", "selu"]},
    "input_noise": {"input_noise": 0.3},
    "swap_noise": {"swap_noise": 0.2},
    "mixup": {"mixup": 0.5},
    "cutmix": {"cutmix": 0.2},
    "cutout": {"cutout": 0.2},
    "augmentation": {"augmentation": FeatureNoise(0.3)},
    "adversarial": {"adversarial_epsilon": 0.1},
    "layer_norm": {"layer_norm": True},
    "gaussian": {"dropout": 0.3, "dropout_kind": "gaussian"},
    "alpha": {"dropout": 0.3, "dropout_kind": "alpha"},
    "connect": {"dropout": 0.3, "dropout_kind": "connect"},
    "residual": {"residual": True, "hidden_layer_sizes": (8, 8, 8)},
    "stochastic_depth": {
        "residual": True, "hidden_layer_sizes": (8, 8, 8), "stochastic_depth": 0.4
    },
}  # fmt: skip
# Of these one stands in the place of the other, or knows of two layers only.
APART = [{"batch_norm", "layer_norm"}, {"activations", "residual"}]
APART += [{"activations", "stochastic_depth"}]
NEW_LAYERS = {"layer_norm", "residual", "stochastic_depth"}
CLASSIFIER = {
    **ACTING,
    "class_weight": {"class_weight": {0: 1.0, 1: 4.0, 2: 1.0}},
    "label_smoothing": {"label_smoothing": 0.2},
}
REGRESSOR = {
    **ACTING,
    "absolute_error": {"loss": "absolute_error"},
    "huber": {"loss": "huber", "delta": 0.5},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    "c_mixup": {"mixup": 0.5, "mixup_bandwidth": 0.5},
}


def pairs(acting, among=None):
    """Pairs of names that set different parameters; of which one is in `among`, where given."""
    return [
        (a, b)
        for a, b in itertools.combinations(acting, 2)
        if not acting[a].keys() & acting[b].keys()
        and {a, b} not in APART
        and (among is None or {a, b} & set(among))
    ]


@pytest.fixture(scope="module")
def data():
    """80 rows with three informative features of ten; a number and one of three classes."""
    rng = np.random.RandomState(0)
    X = rng.randn(80, 10)
    y = scale(X[:, 0] - X[:, 1] + 0.5 * X[:, 2] + 0.2 * rng.randn(80))
    return X, y, np.digitize(y, [-0.5, 0.7])


ALONE = {}


def alone(Estimator, solver, name, params, X, y):
    """Parameters of the fit with one regularizer, made once."""
    key = Estimator, solver, name
    if key not in ALONE:
        model = Estimator(**{**COMMON, **SOLVERS[solver], **params})
        ALONE[key] = parameters(fit_quietly(model, X, y))
    return ALONE[key]


def zeros_stay_zeros(model, names, X):
    """What L1 and the groups promise."""
    if {"l1", "elasticnet"} & set(names):
        assert model.sparsity_ > 0.02
    if "feature_alpha" in names:
        # Under a normalization the size of weights, all that a penalty acts on, is arbitrary.
        assert {"batch_norm", "layer_norm"} & set(names) or not model.support_.all()
        assert not model.coefs_[0][~model.support_].any()
        assert not model.feature_importances_[~model.support_].any()
    if "unit_alpha" in names and NEW_LAYERS & set(names):
        with pytest.raises(ValueError, match="layer_norm and residual"):
            model.compact()
    elif "unit_alpha" in names:
        small = model.compact()
        assert sum(small.hidden_layer_sizes) < 14
        np.testing.assert_array_equal(small.predict(X), model.predict(X))


def holds_bounds(model, names):
    """What the norm and the clipped step promise."""
    if "max_norm" in names and "batch_norm" not in names:
        for w in model.coefs_[:-1]:
            assert np.linalg.norm(w, axis=0).max() <= 0.4 * (1 + 1e-12)
    if "warmup" in names:
        assert (np.diff(model.lr_curve_[:6]) > 0).all()
    if "early_stopping" in names:
        assert np.isfinite(model.validation_loss_curve_).all()
        assert model.best_validation_score_ == -min(model.validation_loss_curve_)


def check(Estimator, acting, names, solver, X, y):
    """Fit with two regularizers, and compare with each of them alone."""
    a, b = names
    model = Estimator(**{**COMMON, **SOLVERS[solver], **acting[a], **acting[b]})
    fit_quietly(model, X, y)
    fitted = parameters(model)
    assert np.isfinite(fitted).all()
    assert np.isfinite(model.loss_curve_).all()
    widths = [10, *model.hidden_layer_sizes, model.n_outputs_]
    assert [w.shape for w in model.coefs_] == list(itertools.pairwise(widths))
    zeros_stay_zeros(model, names, X)
    holds_bounds(model, names)
    for name in names:
        before = alone(Estimator, solver, name, acting[name], X, y)
        assert fitted.shape != before.shape or not np.array_equal(fitted, before)
    return model


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("names", pairs(CLASSIFIER), ids="-".join)
def test_classifier(data, names, solver):
    """Both act, and nothing breaks."""
    X, _, y = data
    model = check(MLPClassifier, CLASSIFIER, names, solver, X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (80, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "names", pairs(REGRESSOR, ["absolute_error", "huber", "quantiles", "c_mixup"]), ids="-".join
)
def test_losses_of_the_regressor(data, names, solver):
    """Each with every regularizer."""
    X, y, _ = data
    model = check(MLPRegressor, REGRESSOR, names, solver, X, y)
    predicted = model.predict(X)
    assert predicted.shape == ((80, 3) if "quantiles" in names else (80,))
    assert np.isfinite(model.score(X, y))
    assert (np.diff(predicted.reshape(80, -1), axis=1) >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_all_at_once(data, solver, dtype):
    """Every regularizer that goes with every other, in one fit."""
    X, _, y = data
    names = CLASSIFIER.keys() - {"l1", "l2", "swa", "schedule", "gaussian", "alpha", "connect"}
    names -= NEW_LAYERS
    params = {k: v for name in names for k, v in CLASSIFIER[name].items()}
    params.update(penalty="elasticnet", alpha=0.05, l1_ratio=0.9)
    model = MLPClassifier(**{**COMMON, **SOLVERS[solver], **params, "max_iter": 40})
    fit_quietly(model, X.astype(dtype), y)
    assert np.isfinite(parameters(model)).all()
    assert model.coefs_[0].dtype == dtype
    assert model.sparsity_ > 0
    np.testing.assert_array_equal(model.compact().predict(X), model.predict(X))


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
@pytest.mark.parametrize("kind", ["gaussian", "alpha", "connect"])
def test_all_at_once_with_links(data, kind, norm):
    """The same for the new places of a deep network, of a regressor."""
    X, y, _ = data
    names = ACTING.keys() - {"l1", "l2", "swa", "schedule", "activations", "residual", "dropout"}
    names -= {"batch_norm", "layer_norm", "gaussian", "alpha", "connect"}
    params = {k: v for name in names for k, v in ACTING[name].items()}
    params.update(ACTING[kind], activation=["mish", "selu", "relu"], mixup_bandwidth=1.0)
    params.update(penalty="elasticnet", alpha=0.05, l1_ratio=0.9, **{norm: True})
    model = fit_quietly(MLPRegressor(**{**COMMON, **SOLVERS["adam"], **params}), X, y)
    assert np.isfinite(parameters(model)).all()
    assert model.sparsity_ > 0
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.predict(X, return_std=True)).all()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", ["feature_alpha", "unit_alpha", "max_norm"])
def test_a_constraint_in_the_network_before_folding(data, name, solver):
    """With batch norm, coefs_ are folded; rows of zeros and bounds hold for what is trained."""
    X, _, y = data
    model = MLPClassifier(**{**COMMON, **SOLVERS[solver]}, batch_norm=True, **ACTING[name])
    fit_quietly(model, X, y)
    trained = model._state["parameters"]
    first = trained[:80].reshape(10, 8)
    if name == "feature_alpha":
        np.testing.assert_array_equal((first != 0).any(axis=1), model.support_)
    elif name == "unit_alpha":
        second = trained[80:128].reshape(8, 6)
        gone = ~(second != 0).any(axis=1)
        np.testing.assert_array_equal(gone, ~(model.coefs_[1] != 0).any(axis=1))
    else:
        norms = np.linalg.norm(first, axis=0)
        assert norms.max() == pytest.approx(0.4, rel=1e-12)
        assert np.linalg.norm(model.coefs_[0], axis=0).max() > 0.41


@pytest.mark.parametrize("solver", SOLVERS)
def test_zeros_of_l1_are_kept_by_groups_and_norms(data, solver):
    """The steps follow each other in an order in which none undoes the zeros of another."""
    X, _, y = data
    params = {**COMMON, **SOLVERS[solver], "penalty": "l1", "alpha": 0.003}
    both = fit_quietly(MLPClassifier(**params, feature_alpha=0.03, max_norm=0.4), X, y)
    w = both.coefs_[0]
    kept = w[both.support_]
    assert 0 < both.support_.sum() < 10
    assert (kept == 0).any()  # L1 within the rows that stay
    assert np.linalg.norm(w, axis=0).max() <= 0.4 * (1 + 1e-12)
