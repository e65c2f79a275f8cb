"""Every hyperparameter acts: off is off to the last bit, and on changes the fit as promised.

A regularizer that silently does nothing is the typical bug of its field, so every constructor
parameter must stand in one of the registries below.
"""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly, parameters
from reference import initial_parameters, plain_forward
from sklearn.datasets import make_classification
from sklearn.metrics import recall_score
from sklearn.preprocessing import scale

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import FeatureNoise

COMMON = {"hidden_layer_sizes": (12,), "max_iter": 60, "batch_size": 50, "random_state": 0,
          "learning_rate_init": 0.01}  # fmt: skip
STOPPING = {"early_stopping": True, "n_iter_no_change": 100}
SGD = {"solver": "sgd"}
FROZEN = {"learning_rate_init": 1e-12, "max_iter": 1}  # shows the initial weights
EMA, SWA = {"weight_averaging": "ema"}, {"weight_averaging": "swa"}
DEEP = {"hidden_layer_sizes": (10,) * 5, "activation": "logistic"}
VERY_DEEP = {"hidden_layer_sizes": (10,) * 21}
LINKED = {"hidden_layer_sizes": (10,) * 5, "residual": True}


@pytest.fixture(scope="module")
def rare():
    """Noisy classification with one rare row in six, so that nets of COMMON overfit it."""
    X, y = make_classification(
        300, 15, n_informative=4, weights=[0.85], flip_y=0.1, class_sep=0.7, random_state=0
    )
    return scale(X), y


def size(model):
    """Sum of squared weights."""
    return sum((w**2).sum() for w in model.coefs_)


def first_spread(model, X):
    """Mean standard deviation of the first layer's pre-activations."""
    return plain_forward(model.coefs_[:1], model.intercepts_[:1], "relu", X).std(axis=0).mean()


def rare_recall(model, X, y):
    """Share of the rare class that is found."""
    return recall_score(y, model.predict(X))


def incoming(model):
    """Norms of the incoming weights of every hidden unit, layer after layer."""
    return np.concatenate([np.linalg.norm(w, axis=0) for w in model.coefs_[:-1]])


def confidence(model, X):
    """Mean of the larger probability."""
    return model.predict_proba(X).max(axis=1).mean()


def sensitivity(model, X):
    """Mean absolute change of the log odds with a tenth of a standard deviation of a feature."""
    log_odds = np.diff(model.predict_log_proba(X), axis=1)
    moved = [X + 0.1 * (np.arange(X.shape[1]) == j) for j in range(X.shape[1])]
    return np.mean([abs(np.diff(model.predict_log_proba(x), axis=1) - log_odds) for x in moved])


def spread_of_first(model):
    """Standard deviation of the first layer's weights."""
    return model.coefs_[0].std()


class Effect(NamedTuple):
    """`off` must give the bits of `without`; `on` must stand to `without` as `promise` says."""

    without: dict  # the parameter left out
    off: dict  # its neutral value
    on: dict  # a value that acts
    promise: Callable  # (without, on, X, y) -> bool


NEW = {
    "penalty": Effect(
        {"alpha": 0.02}, {"alpha": 0.02, "penalty": "l2"}, {"alpha": 0.02, "penalty": "l1"},
        lambda a, b, X, y: a.sparsity_ == 0 and b.sparsity_ > 0.2,
    ),
    "alpha": Effect(
        {"penalty": None}, {"alpha": 0.0}, {"alpha": 0.1},
        lambda a, b, X, y: size(b) < 0.5 * size(a),
    ),
    "l1_ratio": Effect(
        {"alpha": 0.02}, {"alpha": 0.02, "penalty": "elasticnet", "l1_ratio": 0.0},
        {"alpha": 0.02, "penalty": "elasticnet", "l1_ratio": 0.8},
        lambda a, b, X, y: a.sparsity_ == 0 and b.sparsity_ > 0.2,
    ),
    "dropout": Effect(
        {}, {"dropout": 0.0}, {"dropout": 0.5},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "input_dropout": Effect(
        {}, {"input_dropout": 0.0}, {"input_dropout": 0.5},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "batch_norm": Effect(
        DEEP, {**DEEP, "batch_norm": False}, {**DEEP, "batch_norm": True},
        lambda a, b, X, y: b.loss_ < 0.5 * a.loss_,
    ),
    "batch_norm_momentum": Effect(
        {**STOPPING, "batch_norm": True},
        {**STOPPING, "batch_norm": True, "batch_norm_momentum": 0.1},
        {**STOPPING, "batch_norm": True, "batch_norm_momentum": 0.001},
        lambda a, b, X, y: b.loss_curve_ == a.loss_curve_
        and b.validation_loss_curve_ != a.validation_loss_curve_,
    ),
    "batch_norm_epsilon": Effect(
        {"batch_norm": True}, {"batch_norm": True, "batch_norm_epsilon": 1e-5},
        {"batch_norm": True, "batch_norm_epsilon": 100.0},
        lambda a, b, X, y: first_spread(b, X) < 0.5 * first_spread(a, X),
    ),
    "scoring": Effect(
        STOPPING, {**STOPPING, "scoring": "loss"}, {**STOPPING, "scoring": "roc_auc"},
        lambda a, b, X, y: b.loss_curve_ == a.loss_curve_
        and b.best_validation_score_ == max(b.validation_scores_)
        and b.best_iter_ != a.best_iter_,
    ),
    "class_weight": Effect(
        {"alpha": 0.1}, {"alpha": 0.1, "class_weight": None},
        {"alpha": 0.1, "class_weight": "balanced"},
        lambda a, b, X, y: rare_recall(b, X, y) > rare_recall(a, X, y) + 0.1,
    ),
    "clip_norm": Effect(
        SGD, {**SGD, "clip_norm": None}, {**SGD, "clip_norm": 0.01},
        lambda a, b, X, y: b.loss_ > 1.2 * a.loss_,
    ),
    "weight_decay": Effect(
        {}, {"weight_decay": 0.0}, {"weight_decay": 1.0},
        lambda a, b, X, y: size(b) < 0.5 * size(a),
    ),
    "feature_alpha": Effect(
        {}, {"feature_alpha": 0.0}, {"feature_alpha": 0.05},
        lambda a, b, X, y: a.support_.all() and 0 < b.support_.sum() < 10
        and not b.coefs_[0][~b.support_].any(),
    ),
    "unit_alpha": Effect(
        {}, {"unit_alpha": 0.0}, {"unit_alpha": 0.03},
        lambda a, b, X, y: a.compact().hidden_layer_sizes == (12,)
        and b.compact().hidden_layer_sizes[0] < 12
        and np.array_equal(b.compact().predict_proba(X), b.predict_proba(X)),
    ),
    "max_norm": Effect(
        {}, {"max_norm": None}, {"max_norm": 0.5},
        lambda a, b, X, y: incoming(a).max() > 0.6
        and abs(incoming(b).max() - 0.5) < 1e-12,
    ),
    "restore_best": Effect(
        STOPPING, {**STOPPING, "restore_best": True}, {**STOPPING, "restore_best": False},
        lambda a, b, X, y: b.validation_loss_curve_ == a.validation_loss_curve_
        and b.best_iter_ == a.best_iter_ < b.n_iter_,
    ),
    "warmup": Effect(
        {}, {"warmup": 0.0}, {"warmup": 0.5},
        lambda a, b, X, y: set(a.lr_curve_) == set(b.lr_curve_[30:]) == {0.01}
        and np.allclose(np.diff(b.lr_curve_[:30]), 0.01 / 30),
    ),
    "weight_init": Effect(
        FROZEN, {**FROZEN, "weight_init": "auto"}, {**FROZEN, "weight_init": "he"},
        lambda a, b, X, y: spread_of_first(b) > 1.2 * spread_of_first(a)
        and not np.any(np.abs(b.intercepts_[0]) > 1e-9),
    ),
    "time_limit": Effect(
        {}, {"time_limit": None}, {"time_limit": 1e-9},
        lambda a, b, X, y: (a.n_iter_, b.n_iter_) == (60, 1) and b.score(X, y) >= 0,
    ),
    "weight_averaging": Effect(
        {}, {"weight_averaging": None}, {"weight_averaging": "ema"},
        lambda a, b, X, y: a.loss_curve_ == b.loss_curve_ and size(b) < size(a),
    ),
    "ema_decay": Effect(
        EMA, {**EMA, "ema_decay": 0.999}, {**EMA, "ema_decay": 0.5},
        lambda a, b, X, y: a.loss_curve_ == b.loss_curve_ and size(b) > size(a),
    ),
    "swa_start": Effect(
        SWA, {**SWA, "swa_start": 0.75}, {**SWA, "swa_start": 0.0},
        lambda a, b, X, y: a.loss_curve_ == b.loss_curve_ and size(b) < size(a),
    ),
    "label_smoothing": Effect(
        {}, {"label_smoothing": 0.0}, {"label_smoothing": 0.3},
        lambda a, b, X, y: confidence(b, X) < confidence(a, X) - 0.05,
    ),
    "input_noise": Effect(
        {}, {"input_noise": 0.0}, {"input_noise": 1.0},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_ and sensitivity(b, X) < 0.7 * sensitivity(a, X),
    ),
    "swap_noise": Effect(
        {}, {"swap_noise": 0.0}, {"swap_noise": 0.4},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "mixup": Effect(
        {}, {"mixup": 0.0}, {"mixup": 1.0},
        lambda a, b, X, y: confidence(b, X) < confidence(a, X) - 0.05,
    ),
    "cutmix": Effect(
        {}, {"cutmix": 0.0}, {"cutmix": 0.4},
        lambda a, b, X, y: confidence(b, X) < confidence(a, X) - 0.05,
    ),
    "cutout": Effect(
        {}, {"cutout": 0.0}, {"cutout": 0.5},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "adversarial_epsilon": Effect(
        {}, {"adversarial_epsilon": 0.0}, {"adversarial_epsilon": 0.2},
        lambda a, b, X, y: sensitivity(b, X) < 0.7 * sensitivity(a, X),
    ),
    "layer_norm": Effect(
        {}, {"layer_norm": False}, {"layer_norm": True},  # bounds the outputs of rows far away
        lambda a, b, X, y: np.abs(b.predict_log_proba(1e6 * X)).max()
        < 1e-3 * np.abs(a.predict_log_proba(1e6 * X)).max(),
    ),
    "dropout_kind": Effect(
        {"dropout": 0.5}, {"dropout": 0.5, "dropout_kind": "standard"},
        {"dropout": 0.5, "dropout_kind": "gaussian"},
        lambda a, b, X, y: abs(np.log(b.loss_ / a.loss_)) < 0.5,
    ),
    "residual": Effect(
        VERY_DEEP, {**VERY_DEEP, "residual": False}, {**VERY_DEEP, "residual": True},
        lambda a, b, X, y: b.loss_ < 0.5 * a.loss_,
    ),
    "stochastic_depth": Effect(
        LINKED, {**LINKED, "stochastic_depth": 0.0}, {**LINKED, "stochastic_depth": 0.8},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
    "augmentation": Effect(
        {}, {"augmentation": None}, {"augmentation": FeatureNoise(1.0)},
        lambda a, b, X, y: b.loss_ > 1.5 * a.loss_,
    ),
}  # fmt: skip

# Parameters of the regressor: a setting, and the change that must show.
EXISTING = {
    "loss": ({}, {"loss": "poisson"}),
    "hidden_layer_sizes": ({}, {"hidden_layer_sizes": (3, 3)}),
    "activation": ({}, {"activation": "tanh"}),
    "solver": ({}, SGD),
    "batch_size": ({}, {"batch_size": 20}),
    "learning_rate": (SGD, {**SGD, "learning_rate": "invscaling"}),
    "learning_rate_init": ({}, {"learning_rate_init": 0.02}),
    "power_t": (
        {**SGD, "learning_rate": "invscaling"},
        {**SGD, "learning_rate": "invscaling", "power_t": 0.1},
    ),
    "max_iter": ({}, {"max_iter": 5}),
    "shuffle": ({}, {"shuffle": False}),
    "random_state": ({}, {"random_state": 1}),
    "tol": ({}, {"tol": 10.0}),
    "momentum": (SGD, {**SGD, "momentum": 0.5}),
    "nesterovs_momentum": (SGD, {**SGD, "nesterovs_momentum": False}),
    "early_stopping": ({}, {"early_stopping": True}),
    "validation_fraction": (STOPPING, {**STOPPING, "validation_fraction": 0.3}),
    "beta_1": ({}, {"beta_1": 0.5}),
    "beta_2": ({}, {"beta_2": 0.9}),
    "epsilon": ({}, {"epsilon": 0.1}),
    "n_iter_no_change": ({"tol": 0.05}, {"tol": 0.05, "n_iter_no_change": 1}),
    "max_fun": ({"solver": "lbfgs"}, {"solver": "lbfgs", "max_fun": 5}),
    "delta": ({"loss": "huber"}, {"loss": "huber", "delta": 0.1}),
    "quantile": ({"loss": "quantile"}, {"loss": "quantile", "quantile": 0.9}),
    "mixup_bandwidth": ({"mixup": 1.0}, {"mixup": 1.0, "mixup_bandwidth": 0.5}),
    "standardize_y": ({}, {"standardize_y": True}),
}
ELSEWHERE = {"verbose", "warm_start"}  # tested in test_api.py


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_every_parameter_is_registered(Estimator):
    """A new parameter fails here until it has an entry."""
    names = set(inspect.signature(Estimator).parameters)
    assert names <= {*NEW, *EXISTING, *ELSEWHERE}


@pytest.mark.parametrize("name", NEW)
def test_off_is_off(rare, name):
    """The neutral value is bit-identical to leaving the parameter out."""
    effect = NEW[name]
    models = [
        fit_quietly(MLPClassifier(**{**COMMON, **params}), *rare)
        for params in (effect.without, effect.off)
    ]
    assert_same_bits(*models)
    assert models[0].loss_curve_ == models[1].loss_curve_


@pytest.mark.filterwarnings("ignore:Training stopped")
@pytest.mark.parametrize("name", NEW)
def test_on_does_what_it_promises(rare, name):
    """Another value changes the fit, in the promised direction."""
    effect = NEW[name]
    without, on = (
        fit_quietly(MLPClassifier(**{**COMMON, **params}), *rare)
        for params in (effect.without, effect.on)
    )
    assert not np.array_equal(parameters(without), parameters(on))
    assert effect.promise(without, on, *rare)


@pytest.mark.parametrize("name", EXISTING)
def test_other_parameters_act(counts, name):
    """Another value changes the fitted network."""
    fits = []
    for params in EXISTING[name]:
        fits.append(fit_quietly(MLPRegressor(**{**COMMON, **params}), *counts))
    assert not np.array_equal(parameters(fits[0]), parameters(fits[1]))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_ends_of_the_elastic_net(cancer, solver):
    """l1_ratio=1 is L1, l1_ratio=0 is L2, bit for bit."""
    params = {"hidden_layer_sizes": (5,), "solver": solver, "alpha": 0.01, "max_iter": 10,
              "random_state": 0}  # fmt: skip
    for l1_ratio, penalty in ((1.0, "l1"), (0.0, "l2")):
        mixed = MLPClassifier(**params, penalty="elasticnet", l1_ratio=l1_ratio)
        assert_same_bits(
            fit_quietly(mixed, *cancer),
            fit_quietly(MLPClassifier(**params, penalty=penalty), *cancer),
        )


@pytest.mark.parametrize("params", [{}, {"solver": "sgd", "learning_rate_init": 0.1}], ids=str)
def test_sparsity_rises_with_alpha(cancer, params):
    """Mini-batches included, with exact zeros; L2 has none."""
    rates = []
    for alpha in (1e-4, 1e-3, 1e-2, 1e-1):
        model = MLPClassifier(**{**COMMON, **params}, penalty="l1", alpha=alpha)
        rates.append(fit_quietly(model, *cancer).sparsity_)
    assert rates == sorted(rates)
    assert rates[0] < 0.3
    assert rates[-1] > 0.9


def test_penalties_leave_biases_alone(regression):
    """Under a huge penalty all weights vanish, and the output's bias still is the mean."""
    X, y = regression[0], regression[1] + 5
    for penalty in ("l1", "l2"):
        model = MLPRegressor(**COMMON, penalty=penalty, alpha=100.0, solver="lbfgs")
        model.set_params(max_iter=500).fit(X, y)
        np.testing.assert_allclose(model.predict(X), y.mean(), rtol=0.01)


def test_dropout_regularizes(rare):
    """It widens the training loss, and narrows the gap to new rows."""
    X, y = rare
    gaps = []
    for dropout in (0.0, 0.6):
        model = MLPClassifier(**{**COMMON, "hidden_layer_sizes": (50,)}, dropout=dropout)
        fit_quietly(model, X[:150], y[:150])
        gaps.append(model.score(X[:150], y[:150]) - model.score(X[150:], y[150:]))
    assert gaps[1] < gaps[0]


def test_class_weight_is_a_sample_weight(rare):
    """A dict multiplies the rows of a class; a missing class counts 1; balanced is n / (K n_k)."""
    X, y = rare
    cases = [({1: 4.0}, {0: 1.0, 1: 4.0})]
    cases.append(("balanced", {k: len(y) / (2 * np.sum(y == k)) for k in (0, 1)}))
    s = np.random.RandomState(0).uniform(0.5, 2, len(y))
    for class_weight, values in cases:
        by_class = MLPClassifier(**COMMON, class_weight=class_weight)
        by_row = MLPClassifier(**COMMON)
        weights = np.where(y == 0, values[0], values[1])
        fit_quietly(by_class, X, y, sample_weight=s)
        fit_quietly(by_row, X, y, sample_weight=s * weights)
        np.testing.assert_allclose(parameters(by_class), parameters(by_row), rtol=1e-6, atol=1e-8)


def test_balanced_counts_all_rows_before_the_split(rare):
    """With early stopping, `balanced` is the dict computed from the whole of y."""
    X, y = rare
    values = {k: len(y) / (2 * np.sum(y == k)) for k in (0, 1)}
    models = [MLPClassifier(**COMMON, **STOPPING, class_weight=w) for w in ("balanced", values)]
    assert_same_bits(*(fit_quietly(model, X, y) for model in models))


# ------------------------------------------------------------------ decay, clipping and norms
ONE_STEP = {
    "hidden_layer_sizes": (6, 5), "solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5,
    "alpha": 0.0, "batch_size": 569, "random_state": 0,
}  # fmt: skip


def one_step(cancer, **params):
    """An estimator after its first full-batch step from the weights of initial_parameters."""
    return MLPClassifier(**{**ONE_STEP, **params}).partial_fit(*cancer, classes=[0, 1])


def test_clipping_bounds_the_length_of_the_step(cancer):
    """A long gradient is cut to the norm in its own direction, a short one stays as it is."""
    coefs, intercepts = initial_parameters([30, 6, 5, 1])
    start = np.concatenate([p.ravel() for p in [*coefs, *intercepts]])
    free = parameters(one_step(cancer)) - start
    cut = parameters(one_step(cancer, clip_norm=0.01)) - start
    assert np.linalg.norm(free) > 0.5 * 0.01
    np.testing.assert_allclose(cut, free * (0.5 * 0.01 / np.linalg.norm(free)), rtol=1e-9)
    assert_same_bits(one_step(cancer), one_step(cancer, clip_norm=1e6))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_decay_shrinks_weights_and_not_biases(cancer, solver):
    """The step is that without decay, minus rate * decay * w; biases move as without."""
    start, _ = initial_parameters([30, 6, 5, 1])
    plain = one_step(cancer, solver=solver)
    decayed = one_step(cancer, solver=solver, weight_decay=0.2)
    for w, a, b in zip(start, plain.coefs_, decayed.coefs_, strict=True):
        np.testing.assert_allclose(b, a - 0.5 * 0.2 * w, rtol=1e-12, atol=1e-14)
    for a, b in zip(plain.intercepts_, decayed.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_decay_is_not_part_of_the_loss(cancer):
    """Unlike a penalty, it has no value."""
    assert one_step(cancer, weight_decay=0.2).loss_ == one_step(cancer).loss_
    assert one_step(cancer, alpha=0.2).loss_ > one_step(cancer).loss_


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_max_norm_holds_for_every_hidden_unit(cancer, solver):
    """Longer columns are scaled to the bound, shorter ones and the output layer are left alone."""
    free, bound = one_step(cancer, solver=solver), one_step(cancer, solver=solver, max_norm=1.0)
    assert (incoming(free) > 1).any()
    for a, b in zip(free.coefs_[:-1], bound.coefs_[:-1], strict=True):
        norms = np.linalg.norm(a, axis=0)
        np.testing.assert_allclose(b, a * np.minimum(1, 1 / norms), rtol=1e-12)
    np.testing.assert_array_equal(free.coefs_[-1], bound.coefs_[-1])


# ------------------------------------------------------------------ groups
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_features_leave_with_feature_alpha(rare, solver, dtype):
    """More and more, as exact zeros in all of a feature's weights, until none is left."""
    X, y = rare[0].astype(dtype), rare[1]
    n_left = []
    for feature_alpha in (0.0, 0.01, 0.05, 1.0):
        model = MLPClassifier(**COMMON, solver=solver, feature_alpha=feature_alpha, alpha=0.0)
        fit_quietly(model, X, y)
        rows = model.coefs_[0]
        np.testing.assert_array_equal(model.support_, (rows != 0).any(axis=1))
        np.testing.assert_array_equal(model.support_, model.feature_importances_ > 0)
        assert np.count_nonzero(rows[model.support_]) == rows[model.support_].size
        n_left.append(model.support_.sum())
    assert n_left == sorted(n_left, reverse=True)
    assert (n_left[0], n_left[-1]) == (15, 0)
    assert len(set(n_left)) > 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_compact_predicts_the_same(wine, batch_norm, dtype):
    """Without the units that lead nowhere, in every layer, as a plain and usable network."""
    X, y = wine[0].astype(dtype), wine[1]
    model = MLPClassifier(
        (20, 15), ["selu", "tanh"], unit_alpha=0.03, batch_norm=batch_norm, dropout=[0.1, 0.0],
        learning_rate_init=0.01, max_iter=150, random_state=0
    )  # fmt: skip
    fit_quietly(model, X, y)
    kept = [int((w != 0).any(axis=1).sum()) for w in model.coefs_[1:]]
    small = model.compact()
    assert model.hidden_layer_sizes == (20, 15)
    assert model.coefs_[0].shape == (13, 20)
    assert all(a <= b for a, b in zip(small.hidden_layer_sizes, kept, strict=True))
    assert sum(small.hidden_layer_sizes) < 35
    assert [w.shape for w in small.coefs_] == [
        (13, small.hidden_layer_sizes[0]), small.hidden_layer_sizes,
        (small.hidden_layer_sizes[1], 3),
    ]  # fmt: skip
    np.testing.assert_array_equal(small.predict_proba(X), model.predict_proba(X))
    before = small.predict_proba(X)
    small.partial_fit(X, y)
    assert not np.array_equal(small.predict_proba(X), before)
    assert small.compact().coefs_[0].dtype == dtype


def test_compact_keeps_one_unit_in_each_layer(cancer):
    """Also where the penalty has removed all of them and the prediction is constant."""
    model = MLPClassifier(**{**COMMON, "hidden_layer_sizes": (7, 6)}, unit_alpha=10.0)
    small = fit_quietly(model, *cancer).compact()
    assert not model.coefs_[-1].any()
    assert small.hidden_layer_sizes == (1, 1)
    np.testing.assert_array_equal(small.predict_proba(cancer[0]), model.predict_proba(cancer[0]))
    assert len(np.unique(small.predict_proba(cancer[0])[:, 1])) == 1


def test_compact_frees_what_only_led_to_removed_units(cancer):
    """From the last layer to the first; nothing to remove gives an equal network."""
    X, _ = cancer
    model = fit_quietly(MLPClassifier((4, 3), max_iter=3, random_state=0), *cancer)
    assert model.compact().hidden_layer_sizes == (4, 3)
    assert_same_bits(model, model.compact())
    model.coefs_[2][1] = 0.0  # unit 1 of the second layer leads nowhere
    model.coefs_[1][2, [0, 2]] = 0.0  # unit 2 of the first layer leads to it alone
    small = model.compact()
    assert small.hidden_layer_sizes == (3, 2)
    np.testing.assert_array_equal(small.predict_proba(X), model.predict_proba(X))


def test_group_penalties_are_part_of_the_loss(cancer):
    """loss_ is that of the weights before the step, with the norms of both kinds of rows."""
    coefs, _ = initial_parameters([30, 6, 5, 1])
    plain = one_step(cancer).loss_
    features = 0.1 * np.linalg.norm(coefs[0], axis=1).sum()
    units = 0.1 * sum(np.linalg.norm(w, axis=1).sum() for w in coefs[1:])
    by_feature, by_unit = one_step(cancer, feature_alpha=0.1), one_step(cancer, unit_alpha=0.1)
    assert by_feature.loss_ == pytest.approx(plain + features, rel=1e-12)
    assert by_unit.loss_ == pytest.approx(plain + units, rel=1e-12)


@pytest.mark.parametrize("name", ["feature_alpha", "unit_alpha"])
@pytest.mark.parametrize("strength", [1e-10, 1e-14, 1e-20, 1e-35])
def test_a_tiny_group_penalty_does_next_to_nothing_in_float32(cancer, name, strength):
    """Its threshold, rate * strength, underflows against the weights and not the other way."""
    X, y = cancer[0].astype(np.float32), cancer[1]
    plain = MLPClassifier(**ONE_STEP).partial_fit(X, y, classes=[0, 1])
    model = MLPClassifier(**ONE_STEP, **{name: strength}).partial_fit(X, y, classes=[0, 1])
    np.testing.assert_allclose(parameters(model), parameters(plain), rtol=1e-4, atol=1e-7)


# ------------------------------------------------------------------ trajectory and start
def test_the_last_weights_are_kept_without_restore_best(cancer):
    """Recomputed by hand: their validation loss is the last of the curve, not the smallest."""
    X, y = cancer
    losses = {}
    for restore_best in (True, False):
        model = MLPClassifier(
            (20,), early_stopping=True, restore_best=restore_best, learning_rate_init=0.02,
            max_iter=500, random_state=0
        )  # fmt: skip
        fit_quietly(model, X[:400], y[:400], X_val=X[400:], y_val=y[400:])
        curve = model.validation_loss_curve_
        log_proba = model.predict_log_proba(X[400:])
        losses[restore_best] = -log_proba[np.arange(len(y) - 400), y[400:]].mean()
    assert losses[True] == pytest.approx(min(curve), rel=1e-10)
    assert losses[False] == pytest.approx(curve[-1], rel=1e-10)
    assert losses[False] > 1.001 * losses[True]


def initial(X, y, **params):
    """Weights that have not moved."""
    model = MLPClassifier((80, 60), **FROZEN, random_state=0, **params)
    return fit_quietly(model, X, y)


@pytest.mark.parametrize(("method", "gain"), [("he", 2), ("lecun", 1)])
def test_variance_of_initial_weights(cancer, method, gain):
    """gain / n_in, normally distributed, biases 0; other seeds give other weights."""
    model = initial(*cancer, weight_init=method)
    for w in model.coefs_[:-1]:
        z = w / np.sqrt(gain / len(w))
        assert abs(z.mean()) < 5 / np.sqrt(z.size)
        assert abs(z.var() - 1) < 5 * np.sqrt(2 / z.size)
        assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / z.size)  # 1.8 for uniform numbers
    np.testing.assert_allclose(np.concatenate(model.intercepts_), 0, atol=1e-9)
    other = initial(*cancer, weight_init=method).set_params(random_state=1)
    assert not np.array_equal(fit_quietly(other, *cancer).coefs_[0], model.coefs_[0])


def test_orthogonal_initial_weights(cancer):
    """Rows or columns, whichever are fewer, are orthonormal."""
    model = initial(*cancer, weight_init="orthogonal")
    assert [w.shape for w in model.coefs_] == [(30, 80), (80, 60), (60, 1)]
    for w in model.coefs_:
        product = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-8)
    np.testing.assert_allclose(np.concatenate(model.intercepts_), 0, atol=1e-9)


class Ticks:
    """A clock that goes on by one second whenever somebody looks."""

    def __init__(self):
        self.now = -1.0

    def monotonic(self):
        """The number of looks before this one."""
        self.now += 1.0
        return self.now


@pytest.mark.parametrize("early_stopping", [False, True])
def test_time_limit_stops_and_keeps_the_model(cancer, monkeypatch, early_stopping):
    """Training ends with a warning, with the weights of just so many epochs."""
    monkeypatch.setattr("skreg.training.limits.time", Ticks())
    params = {"hidden_layer_sizes": (5,), "early_stopping": early_stopping, "random_state": 0}
    limited = MLPClassifier(**params, time_limit=6)  # begin, and two looks an epoch
    with pytest.warns(UserWarning, match="stopped in epoch 3: time_limit=6"):
        limited.fit(*cancer)
    assert limited.n_iter_ == 3
    assert_same_bits(limited, fit_quietly(MLPClassifier(**params, max_iter=3), *cancer))


def test_time_limit_stops_within_an_epoch(cancer):
    """Between two batches: the first alone has been trained on when time is over at once."""
    params = {"hidden_layer_sizes": (5,), "shuffle": False, "batch_size": 100, "random_state": 0}
    X, y = cancer
    limited = MLPClassifier(**params, time_limit=1e-9)
    with pytest.warns(UserWarning, match="time_limit"):
        limited.fit(X, y)
    first = MLPClassifier(**params).partial_fit(X[:100], y[:100], classes=[0, 1])
    assert_same_bits(limited, first)
    assert limited.loss_ == first.loss_


# ------------------------------------------------------------------ smoothed labels
@pytest.mark.parametrize("data", ["cancer", "wine", "multilabel"])
def test_smoothed_labels_bound_the_probabilities(request, data):
    """Separable classes are fitted to 1 - e + e / K, not to 1; loss_ is that of hard labels."""
    X, y = request.getfixturevalue(data)
    X, y = X[:40], y[:40] if data != "wine" else np.arange(40) % 3
    n_classes = 3 if data == "wine" else 2
    model = MLPClassifier(
        (60,), label_smoothing=0.3, alpha=0.0, learning_rate_init=0.02, batch_size=40,
        max_iter=600, n_iter_no_change=np.inf, random_state=0
    )  # fmt: skip
    p = fit_quietly(model, X, y).predict_proba(X)
    right = p[np.arange(40), y] if y.ndim == 1 else np.where(y == 1, p, 1 - p)
    np.testing.assert_allclose(right, 1 - 0.3 + 0.3 / n_classes, atol=0.03)
    hard = -np.log(right).sum() / 40
    assert model.loss_ == pytest.approx(hard, rel=1e-2)
