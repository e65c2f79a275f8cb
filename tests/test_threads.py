"""Threads and processes: the same bits for any number of threads, side by side, and after a fork.

The nets are wide enough for the core to use more than one thread.
"""

import multiprocessing
import os
import threading

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import assert_same_bits, fit_epochs, fit_quietly, parameters
from scipy.special import softmax
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from skreg import MLPClassifier, MLPRegressor, _core
from skreg.augmentation import (
    Compose,
    ElasticDeformation,
    GaussianBlur,
    GaussianNoise,
    RandomAffine,
    RandomErasing,
)

WIDE = {"hidden_layer_sizes": (160, 96), "batch_size": 600, "max_iter": 2, "random_state": 0}
# Neither tiles nor vectors nor parts of the work fit these sizes.
ODD = {**WIDE, "hidden_layer_sizes": (517, 1, 133, 70), "batch_size": 331}
REGULARIZED = {"dropout": 0.3, "input_dropout": 0.2, "batch_norm": True}
VARIANTS = {
    "plain": WIDE,
    "regularized": {**WIDE, **REGULARIZED, "penalty": "elasticnet"},
    "sgd": {**WIDE, "solver": "sgd", "activation": "tanh"},
    "odd": ODD,
    "odd, regularized": {**ODD, **REGULARIZED, "penalty": "l1", "alpha": 1e-3, "max_norm": 0.5},
    "odd, other parts": {
        **{**ODD, "penalty": "l2", "clip_norm": 0.1, "weight_decay": 0.01, "activation": "gelu"},
        **{"unit_alpha": 1e-3, "weight_averaging": "ema", "early_stopping": True},
    },
}


@pytest.fixture(autouse=True)
def many_cpus(monkeypatch):
    """As on a machine with many processors: threadpool_limits alone decides."""
    monkeypatch.setattr("skreg.network.core.count_cpus", lambda: _core.set_cpu_count(64))


@pytest.fixture(scope="module")
def wide():
    """1800 x 150, three classes."""
    rng = np.random.RandomState(0)
    X = rng.randn(1800, 150)
    return X, np.argmax(X[:, :3], axis=1)


def test_the_core_has_threads():
    """Built with OpenMP, whose limit threadpoolctl can set."""
    assert any(info["user_api"] == "openmp" for info in threadpool_info())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_number_of_threads_gives_the_same_bits(wide, variant, dtype):
    """No sum is split between threads: weights and predictions do not depend on their number."""
    X, y = wide[0].astype(dtype), wide[1]
    check_same_bits(MLPClassifier(**VARIANTS[variant]), X, y, lambda model: model.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variant", ["odd", "odd, regularized"])
def test_sparse_rows_in_threads(variant, dtype):
    X = sp.random(1800, 1201, density=0.04, format="csr", dtype=dtype, random_state=0)
    y = np.asarray(X[:, :40].sum(axis=1))
    check_same_bits(MLPRegressor(**VARIANTS[variant]), X, y.ravel(), lambda model: model.predict(X))


def check_same_bits(estimator, X, y, predict):
    models, predictions = [], []
    for n_threads in (1, 2, 3, 4, 8):
        with threadpool_limits(n_threads):
            models.append(fit_quietly(type(estimator)(**estimator.get_params()), X, y))
            predictions.append(predict(models[-1]))
    for model, predicted in zip(models[1:], predictions[1:], strict=True):
        assert_same_bits(model, models[0])
        np.testing.assert_array_equal(predicted, predictions[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_variants_of_rows_in_threads(monkeypatch, dtype):
    """Each row's numbers are its own, whichever thread makes its variant."""
    monkeypatch.setattr("skreg.augmentation.base.count_cpus", lambda: _core.set_cpu_count(64))
    X = np.random.RandomState(0).rand(301, 28 * 28).astype(dtype)
    shape = {"image_shape": (28, 28)}
    steps = [RandomAffine(**shape), ElasticDeformation(**shape), GaussianBlur(2.0, **shape)]
    augmenter = Compose([*steps, RandomErasing(**shape), GaussianNoise(0.1, **shape)])
    variants = []
    for n_threads in (1, 2, 3, 4):
        with threadpool_limits(n_threads):
            variants.append(clone(augmenter).set_params(random_state=0).fit_transform(X))
    for v in variants[1:]:
        np.testing.assert_array_equal(v, variants[0])


def flushes(numbers):
    """Whether this thread's arithmetic takes subnormal numbers for zero."""
    return (numbers * 0.5 == 0).all()


def test_subnormal_numbers_are_zero_in_the_core_alone(wide):
    """Their arithmetic is many times slower; the caller's stays as it is, in every thread."""
    tiny = np.full(64, 1e-310)
    X, y = wide
    model = MLPClassifier(**WIDE)
    for n_threads in (1, 4):
        with threadpool_limits(n_threads):
            fit_epochs(model, X, y).predict(X)
            RandomAffine(image_shape=(10, 15)).fit_transform(X)
        assert not flushes(tiny)
    # The first layer's outputs are subnormal, and the second one's weights would bring them back.
    model.coefs_[0][:], model.coefs_[1][:] = 1e-310 / 150, 1e308
    model.intercepts_[0][:] = model.intercepts_[1][:] = 0
    first = model.predict_proba(np.ones((600, 150)))
    with threadpool_limits(4):
        second = model.predict_proba(np.ones((2400, 150)))
    np.testing.assert_array_equal(first, second[:600])
    np.testing.assert_array_equal(second[0], softmax(model.intercepts_[2]))


def fit_seed(seed, X, y):
    """Fit with one seed and return the weights; a plain function, so that workers can call it."""
    return parameters(fit_epochs(MLPClassifier(**{**WIDE, "random_state": seed}), X, y))


def test_fits_side_by_side_in_threads(wide):
    """An epoch holds no lock of the interpreter, and shares nothing with another one."""
    models = [MLPClassifier(**{**WIDE, "random_state": seed}) for seed in range(3)]
    calls = [joblib.delayed(m.partial_fit)(*wide, classes=[0, 1, 2]) for m in models]
    joblib.Parallel(n_jobs=3, backend="threading")(calls)
    for seed in range(3):
        alone = MLPClassifier(**{**WIDE, "random_state": seed})
        assert_same_bits(models[seed], alone.partial_fit(*wide, classes=[0, 1, 2]))


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("backend", ["multiprocessing", "loky"])
def test_fits_side_by_side_in_processes(wide, backend):
    """In forked and in fresh processes, after the core has used threads in this one."""
    alone = [fit_seed(seed, *wide) for seed in range(3)]
    calls = [joblib.delayed(fit_seed)(seed, *wide) for seed in range(3)]
    workers = joblib.Parallel(n_jobs=2, backend=backend)(calls)
    for weights, expected in zip(workers, alone, strict=True):
        np.testing.assert_array_equal(weights, expected)


def fit_and_send(queue, X, y):
    queue.put(fit_seed(0, X, y))


def fit_until(stop, X, y):
    model = MLPClassifier(**WIDE)
    while not stop.is_set():
        model.partial_fit(X, y, classes=[0, 1, 2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_forked_child_of_a_threaded_parent_does_not_hang(wide):
    """OpenMP's threads exist in the parent only, and so does a fit that is in flight there."""
    context, stop = multiprocessing.get_context("fork"), threading.Event()
    with threadpool_limits(2):
        expected = fit_seed(0, *wide)
        other = threading.Thread(target=fit_until, args=(stop, *wide))
        other.start()
        queue = context.Queue()
        child = context.Process(target=fit_and_send, args=(queue, *wide))
        child.start()
        try:
            np.testing.assert_array_equal(queue.get(timeout=60), expected)
        finally:
            stop.set()
            child.kill()
            other.join()
