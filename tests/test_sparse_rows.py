"""Changes of sparse rows: what would be had from X.toarray(), in the memory of a batch."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from conftest import assert_same_bits, fit_quietly, parameters
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import (
    AddNoise,
    Compose,
    FeatureMask,
    FeatureNoise,
    Interpolate,
    OneOf,
    RandomShift,
    SwapNoise,
)
from skreg.data.columns import ColumnMoments
from skreg.data.sparse import checked_copy

N, D = 130, 24
COMMON = {"hidden_layer_sizes": (6,), "batch_size": 32, "max_iter": 3, "random_state": 0}
CHANGES = {
    "input_noise": {"input_noise": 0.3},
    "swap_noise": {"swap_noise": 0.2},
    "mixup": {"mixup": 0.5},
    "cutmix": {"cutmix": 0.3},
    "cutout": {"cutout": 0.2},
    "adversarial": {"adversarial_epsilon": 0.2},
    "augmentation": {"augmentation": FeatureNoise(0.3)},
}
AUGMENTERS = {
    "noise": FeatureNoise(0.3, categorical_features=[3, 4]),
    "swap": SwapNoise(0.2),
    "mean": FeatureMask(0.2),
    "median": FeatureMask(0.2, fill_value="median", categorical_features=[3, 4, 5]),
    "compose": Compose([SwapNoise(0.1), FeatureNoise(0.1)]),
    "one of": OneOf([SwapNoise(0.3), FeatureMask(0.3)]),
    "picture": RandomShift(1, image_shape=(4, 6)),
    "signal": AddNoise(noise=np.random.RandomState(0).randn(2, 30)),
}


def table(dtype=np.float64):
    """Mostly zeros, with an empty row, a column of zeros, values stored twice and in disorder."""
    rng = np.random.RandomState(0)
    dense = np.where(rng.rand(N, D) < 0.25, rng.randn(N, D) + 1, 0)
    dense[7], dense[:, 5] = 0, 0
    X = sp.csr_matrix(dense.astype(dtype))
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in itertools.pairwise(X.indptr)])
    order = np.repeat(order, 2)
    third = np.where(np.arange(len(order)) % 2, 1 / 3, 2 / 3).astype(dtype)
    return sp.csr_matrix((X.data[order] * third, X.indices[order], 2 * X.indptr), X.shape)


def target(Estimator):
    """Three classes, or two numbers a row."""
    rng = np.random.RandomState(1)
    return rng.randint(3, size=N) if Estimator is MLPClassifier else rng.randn(N, 2)


BOTH = pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
EVERY_CHANGE = pytest.mark.parametrize("name", CHANGES)


@BOTH
@EVERY_CHANGE
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_weights_are_those_of_dense_rows(Estimator, name, solver, dtype, weighted):
    """Bit for bit, and not those of rows that are left alone."""
    X, y = table(dtype), target(Estimator)
    weight = np.random.RandomState(2).randint(0, 3, N) if weighted else None
    model = Estimator(**COMMON, solver=solver, **CHANGES[name])
    sparse = fit_quietly(clone(model), X, y, sample_weight=weight)
    dense = fit_quietly(clone(model), X.toarray(), y, sample_weight=weight)
    assert sparse.coefs_[0].dtype == dtype
    assert_same_bits(sparse, dense)
    assert sparse.loss_curve_ == dense.loss_curve_
    plain = fit_quietly(Estimator(**COMMON, solver=solver), X, y, sample_weight=weight)
    assert np.abs(parameters(plain) - parameters(sparse)).max() > 1e-5


@pytest.mark.parametrize("name", AUGMENTERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augmenters_learn_and_draw_as_from_dense_rows(name, dtype, monkeypatch):
    """In chunks of some batches, too."""
    monkeypatch.setattr("skreg.data.epochs.CHUNK_BYTES", 80 * D * 8)
    monkeypatch.setattr("skreg.augmentation.base.CHUNK_BYTES", 11 * D * 8)
    X, y = table(dtype), target(MLPClassifier)
    model = MLPClassifier(**COMMON, augmentation=AUGMENTERS[name])
    sparse, dense = (fit_quietly(clone(model), A, y) for A in (X, X.toarray()))
    assert_same_bits(sparse, dense)
    assert_same_bits(sparse, fit_quietly(clone(model), sp.csr_array(X), y))
    plain = fit_quietly(MLPClassifier(**COMMON), X, y)
    assert np.abs(parameters(plain) - parameters(sparse)).max() > 1e-5


def test_neighbors_need_dense_rows():
    """The one augmenter of the package that looks at all of X at once says so."""
    X, y = table(), target(MLPClassifier)
    model = MLPClassifier(**COMMON, augmentation=Compose([Interpolate()]))
    with pytest.raises(ValueError, match=r"Interpolate learns from .* dense.*Pass X.toarray\(\)"):
        model.fit(X, y)
    fit_quietly(model, X.toarray(), y)


def test_an_augmenter_of_the_users_own_is_not_surprised():
    """What learns from X gets an array, also where the class above takes sparse rows."""

    class Louder(FeatureNoise):
        def _learn(self, X, y):
            super()._learn(X, y)
            self.std_ *= 2

    X, y = table(), target(MLPClassifier)
    with pytest.raises(ValueError, match=r"Louder learns from .* dense"):
        MLPClassifier(**COMMON, augmentation=Louder()).fit(X, y)


@EVERY_CHANGE
@pytest.mark.parametrize("Sparse", [sp.csc_matrix, sp.csr_array, sp.csc_array])
def test_any_format(name, Sparse):
    """Columns, or arrays."""
    X, y = table().toarray(), target(MLPRegressor)
    model = MLPRegressor(**COMMON, **CHANGES[name])
    assert_same_bits(fit_quietly(clone(model), Sparse(X), y), fit_quietly(clone(model), X, y))


@EVERY_CHANGE
def test_input_dropout_draws_as_for_dense_rows(name):
    """A mask hangs on the position in the batch, with the zeros."""
    X, y = table(), target(MLPRegressor)
    model = MLPRegressor(**COMMON, input_dropout=0.3, **CHANGES[name])
    sparse, dense = (fit_quietly(clone(model), A, y) for A in (X, X.toarray()))
    assert_same_bits(sparse, dense)
    without = fit_quietly(clone(model).set_params(input_dropout=0.0), X, y)
    assert np.abs(parameters(without) - parameters(sparse)).max() > 1e-5


@BOTH
@EVERY_CHANGE
def test_partial_fit(Estimator, name):
    """The moments of the columns are merged as those of dense rows; formats may alternate."""
    X, y = table(), target(Estimator)
    classes = {"classes": [0, 1, 2]} if Estimator is MLPClassifier else {}
    sparse, dense = (Estimator(**COMMON, **CHANGES[name]) for _ in range(2))
    for i, part in enumerate(np.array_split(np.arange(N), 3)):
        sparse.partial_fit(X[part].toarray() if i == 1 else X[part], y[part], **classes)
        dense.partial_fit(X[part].toarray(), y[part], **classes)
        assert_same_bits(sparse, dense)


@EVERY_CHANGE
@pytest.mark.parametrize("norm", [False, True])
def test_early_stopping(name, norm):
    """What is validated stays sparse, and its sums differ in the last digits."""
    X, y = table(), target(MLPRegressor)
    options = {"early_stopping": True, "batch_norm": norm, "validation_fraction": 0.3}
    model = MLPRegressor(**COMMON, **options, **CHANGES[name])
    sparse, dense = (fit_quietly(clone(model), A, y) for A in (X, X.toarray()))
    assert_allclose(parameters(sparse), parameters(dense), rtol=1e-9, atol=1e-12)
    assert_allclose(sparse.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-12)
    assert_allclose(sparse.predict(X), dense.predict(X.toarray()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("Sparse", [sp.csr_matrix, sp.csc_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_of_columns(Sparse, dtype, monkeypatch):
    """To the last bit, also far from zero, where sums of squares lose all digits."""
    monkeypatch.setattr("skreg.data.columns.CHUNK_NUMBERS", 7 * D + 1)
    X = table(dtype).toarray()
    X[:, 2] += 1e4
    rows = np.arange(N, dtype=np.int32)[::2]
    weight = np.random.RandomState(0).randint(0, 3, N)
    sparse, dense = (ColumnMoments().add(A, rows, weight) for A in (Sparse(X), X))
    assert_array_equal(sparse.mean, dense.mean)
    assert_array_equal(sparse.variance, dense.variance)
    assert sparse.deviation[5] == 0


def test_what_python_reads_is_checked():
    """SciPy would write where the indices point."""
    X = table()
    copy = checked_copy(X)
    assert not np.shares_memory(copy.data, X.data)
    assert not np.shares_memory(copy.indices, X.indices)
    for array, value in ((X.indices, D), (X.indices, -1), (X.indptr, 2**20), (X.indptr, -5)):
        before, array[7] = array[7], value
        for changed in CHANGES.values():
            with pytest.raises(ValueError, match=r"out of range|valid sparse matrix|decrease"):
                MLPRegressor(**COMMON, **changed).fit(X, target(MLPRegressor))
        array[7] = before


WIDE = """
import resource, sys, warnings
import numpy as np, scipy.sparse as sp
from skreg import MLPRegressor
from skreg.augmentation import Compose, FeatureMask, SwapNoise

warnings.simplefilter("ignore")
rng = np.random.RandomState(0)
columns = rng.randint(50_000, size=10_000)
X = sp.csr_matrix((rng.randn(10_000), columns, np.arange(0, 10_001, 10)), (1000, 50_000))
y = rng.randn(1000)
options = {"hidden_layer_sizes": (), "batch_size": 20, "max_iter": 1, "random_state": 0}
MLPRegressor(**options).fit(X, y)


def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


before = peak()
changes = {"swap_noise": 0.1, "mixup": 0.1, "input_noise": 0.1, "adversarial_epsilon": 0.1}
for more in (changes, {"augmentation": Compose([SwapNoise(), FeatureMask(fill_value="median")])}):
    MLPRegressor(**options, **more).fit(X, y)
    print((peak() - before) / 2**20)
"""


def test_memory_is_that_of_a_batch(tmp_path):
    """Of 1000 x 50000 numbers, 400 MB; a batch is 8 MB, a chunk of variants 64 MB."""
    pytest.importorskip("resource")
    run = [sys.executable, "-c", WIDE]
    out = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stderr
    in_batches, variants = map(float, out.stdout.split())
    assert in_batches < 150
    assert variants < 250
