"""Threads and processes: the same bits for any number of threads, side by side, and after a fork.

The nets are wide enough for the core to use more than one thread.
"""

import joblib
import numpy as np
import pytest
from conftest import assert_same_bits, fit_epochs, parameters
from threadpoolctl import threadpool_limits

from skreg import MLPClassifier

WIDE = {"hidden_layer_sizes": (160, 96), "batch_size": 600, "max_iter": 2, "random_state": 0}
VARIANTS = {
    "plain": WIDE,
    "regularized": {**WIDE, "dropout": 0.3, "batch_norm": True, "penalty": "elasticnet"},
    "sgd": {**WIDE, "solver": "sgd", "activation": "tanh"},
}


@pytest.fixture(scope="module")
def wide():
    """1800 x 150, three classes."""
    rng = np.random.RandomState(0)
    X = rng.randn(1800, 150)
    return X, np.argmax(X[:, :3], axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_number_of_threads_gives_the_same_bits(wide, variant, dtype):
    """No sum is split between threads: weights and predictions do not depend on their number."""
    X, y = wide[0].astype(dtype), wide[1]
    models, probabilities = [], []
    for n_threads in (1, 2, 3, 8):
        with threadpool_limits(n_threads):
            models.append(fit_epochs(MLPClassifier(**VARIANTS[variant]), X, y))
            probabilities.append(models[-1].predict_proba(X))
    for model, proba in zip(models[1:], probabilities[1:], strict=True):
        assert_same_bits(model, models[0])
        np.testing.assert_array_equal(proba, probabilities[0])


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
