"""Hypothesis: whatever the shape, layout, type, scale or weight, training is sound or refuses."""

import itertools
import warnings

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly, parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skreg import MLPClassifier, MLPRegressor

# Of any scale, also where one is warned about.
pytestmark = pytest.mark.filterwarnings("ignore:y has a standard deviation of")

settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("quick")

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
small = st.floats(-5, 5)
# NumPy's fixed-width strings cannot hold a trailing NUL.
words = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=5)


@st.composite
def regression_problems(draw, elements=small):
    """A matrix and a target, from 1 x 1 on."""
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 9))
    X = draw(hnp.arrays(np.float64, (n, d), elements=elements))
    return X, draw(hnp.arrays(np.float64, n, elements=elements))


@st.composite
def networks(draw):
    """Constructor parameters: any depth and width, solver, penalty, dropout, batch norm."""
    hidden = tuple(draw(st.lists(st.integers(1, 19), max_size=3)))
    return {
        "hidden_layer_sizes": hidden,
        "activation": draw(st.sampled_from(["relu", "tanh", "logistic", "identity"])),
        "solver": draw(st.sampled_from(["sgd", "adam"])),
        "penalty": draw(st.sampled_from(["l1", "l2", "elasticnet"])),
        "dropout": draw(st.sampled_from([0.0, 0.3])) if hidden else 0.0,
        "input_dropout": draw(st.sampled_from([0.0, 0.3])),
        "batch_norm": draw(st.booleans()) if hidden else False,
        "batch_size": draw(st.integers(2, 45)),
        "random_state": draw(st.integers(0, 2**32 - 1)),
        "max_iter": 3,
    }


def fit_unclipped(model, X, y, **fit_params):
    """Fit with a batch size of at most the rows, so that no warning is due."""
    model.batch_size = max(min(model.batch_size, len(X)), 1)
    if len(X) == 1:
        model.set_params(batch_norm=False)
    return fit_quietly(model, X, y, **fit_params)


@given(problem=regression_problems(), params=networks())
def test_every_shape_trains(problem, params):
    """One row, one column, odd sizes, constant columns: finite weights of the right shapes."""
    X, y = problem
    model = fit_unclipped(MLPRegressor(**params), X, y)
    sizes = [X.shape[1], *params["hidden_layer_sizes"], 1]
    assert [w.shape for w in model.coefs_] == list(itertools.pairwise(sizes))
    assert [b.shape for b in model.intercepts_] == [(k,) for k in sizes[1:]]
    assert np.isfinite(parameters(model)).all()
    assert model.predict(X).shape == y.shape


# scikit-learn's check for finite numbers sums them, and NumPy warns of inf - inf.
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning")
@given(problem=regression_problems(finite), dtype=st.sampled_from([np.float32, np.float64]))
def test_any_scale_trains_or_is_refused(problem, dtype):
    """Numbers up to the largest: a finite model, or an error that leaves nothing behind."""
    with np.errstate(over="ignore"):
        X, y = problem[0].astype(dtype), problem[1]
    model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, random_state=0)
    attributes = set(vars(model))
    try:
        fit_quietly(model, X, y)
    except ValueError as error:
        assert any(text in str(error) for text in ("non-finite", "infinity", "too large"))
        assert set(vars(model)) == attributes
    else:
        assert np.isfinite(parameters(model)).all()


@given(problem=regression_problems(), seed=st.integers(0, 1000))
def test_the_layout_in_memory_does_not_matter(problem, seed):
    """Fortran order, strides, reversed and read-only views give the bits of a plain copy."""
    X, y = problem
    params = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": seed}
    plain = fit_quietly(MLPRegressor(**params), X.copy(), y.copy())
    wide = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)
    read_only = X.copy()
    read_only.flags.writeable = False
    for view in (np.asfortranarray(X), wide[::2, ::3], X[::-1].copy()[::-1], read_only):
        np.testing.assert_array_equal(view, X)
        assert_same_bits(fit_quietly(MLPRegressor(**params), view, y[::-1].copy()[::-1]), plain)


@given(
    weights=hnp.arrays(np.float64, 30, elements=st.sampled_from([0.0, 1e-6, 0.5, 1.0, 7.0, 1e6])),
    batch_norm=st.booleans(),
    scale=st.sampled_from([1e-8, 1.0, 1e8]),
)
def test_any_weights_train(weights, batch_norm, scale):
    """Zeros, tiny and huge weights: finite, and where none is positive, refused or unmoved."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(30, 3), rng.randn(30)
    model = MLPRegressor(
        hidden_layer_sizes=(4,), batch_norm=batch_norm, batch_size=7, max_iter=3, random_state=0
    )
    if not weights.any():
        with pytest.raises(ValueError, match="weight"):
            model.fit(X, y, sample_weight=weights)
        return
    fit_quietly(model, X, y, sample_weight=scale * weights)
    assert np.isfinite(parameters(model)).all()
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, bool, object])
def test_other_types_are_converted(dtype):
    """Integers, halves, booleans and numeric objects train as float64 (objects included)."""
    X = np.random.RandomState(0).randint(0, 2, (20, 3)).astype(dtype)
    params = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}
    model = fit_quietly(MLPRegressor(**params), X, np.arange(20))
    assert_same_bits(model, fit_quietly(MLPRegressor(**params), X.astype(float), np.arange(20.0)))
    lists = fit_quietly(MLPRegressor(**params), X.astype(float).tolist(), list(range(20)))
    assert_same_bits(model, lists)


@given(labels=st.lists(words, min_size=2, max_size=6, unique=True))
def test_labels_may_be_any_strings(labels):
    """Labels come back as they went in."""
    y = np.array([labels[i % len(labels)] for i in range(24)], dtype=object)
    X = np.arange(48.0).reshape(24, 2) / 48
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit_quietly(MLPClassifier((3,), max_iter=2, random_state=0), X, y)
    assert list(model.classes_) == sorted(labels)
    assert set(model.predict(X)) <= set(labels)
    assert model.predict_proba(X).shape == (24, len(labels))
