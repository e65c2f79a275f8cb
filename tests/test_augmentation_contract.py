"""What holds for every augmenter: shapes, types, seeds, neutral values, chunks, copies, errors."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from augmenters import (
    AUGMENTERS,
    IMAGE,
    MIXING_TARGETS,
    NEUTRAL,
    SIGNAL,
    TRANSFORMERS,
    make,
    rows,
)
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skreg import MLPClassifier, MLPRegressor, _core
from skreg.augmentation import (
    AddNoise,
    AugmentationSampler,
    Augmented,
    Compose,
    Drift,
    FeatureMask,
    FeatureNoise,
    Gain,
    GaussianNoise,
    Interpolate,
    OneOf,
    RandomAffine,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    TimeMask,
    TimeShift,
    base,
)
from skreg.augmentation.core import RowRandom
from skreg.data.rows import TrainingRows

every_transformer = pytest.mark.parametrize("cls", TRANSFORMERS, ids=lambda c: c.__name__)
every_augmenter = pytest.mark.parametrize("cls", AUGMENTERS, ids=lambda c: c.__name__)


@every_transformer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_type_stay(cls, dtype):
    """Rows, their shape, their type; the input itself is never written to."""
    X = rows(dtype=dtype)
    before = X.copy()
    variants = make(cls, random_state=0).fit_transform(X)
    assert variants.shape == X.shape
    assert variants.dtype == dtype
    assert variants.flags.c_contiguous
    assert np.isfinite(variants).all()
    assert not np.array_equal(variants, X)
    np.testing.assert_array_equal(X, before)


@every_transformer
def test_layout_does_not_matter(cls):
    """Fortran order and strided input give the same variants."""
    X = rows()
    expected = make(cls, random_state=0).fit_transform(X)
    for other in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.tolist()):
        np.testing.assert_array_equal(make(cls, random_state=0).fit_transform(other), expected)


@every_transformer
def test_a_seed_gives_the_same_variants(cls):
    """An int repeats them; another one, or a RandomState used on, gives others."""
    X = rows()
    first = make(cls, random_state=0).fit_transform(X)
    augmenter = make(cls, random_state=0)
    np.testing.assert_array_equal(augmenter.fit_transform(X), first)
    np.testing.assert_array_equal(augmenter.fit_transform(X), first)
    assert not np.array_equal(make(cls, random_state=1).fit_transform(X), first)
    stateful = make(cls, random_state=np.random.RandomState(0))
    assert not np.array_equal(stateful.fit_transform(X), stateful.fit_transform(X))


@every_augmenter
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_p_zero_is_the_identity(cls, dtype):
    """Bit for bit."""
    X = rows(dtype=dtype)
    X[:, ::5] = -0.0
    assert make(cls, p=0).fit_transform(X).tobytes() == X.tobytes()


@every_augmenter
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_magnitude_is_the_identity(cls, dtype):
    """Bit for bit; every class but those made of others has such a value."""
    if cls.__name__ not in NEUTRAL:
        assert cls.__name__ in ("Compose", "OneOf", "Interpolate")
        return
    X = rows(dtype=dtype)
    X[:, ::5] = -0.0
    augmenter = make(cls, **NEUTRAL[cls.__name__])
    if cls in MIXING_TARGETS:
        checked = augmenter._begin(X, None)
        variants, _, share = augmenter._mixtures(checked, np.arange(len(X)), epoch=0, seed=1)
        assert (share == 1).all()
    else:
        variants = augmenter.fit_transform(X)
    assert variants.tobytes() == X.tobytes()


@every_augmenter
def test_transform_is_the_identity(cls):
    """What is predicted or scored is never augmented."""
    X, new = rows(), rows(seed=1)
    np.testing.assert_array_equal(make(cls).fit(X, None).transform(new), new)


@every_augmenter
def test_p_is_a_probability_of_rows(cls):
    """About half of the rows change, those are as with p=1, and p changes no draw."""
    if cls.__name__ in ("SwapNoise", "FeatureMask", *(c.__name__ for c in MIXING_TARGETS)):
        return  # p counts values; or fit_transform is refused
    X = rows(400)
    every, half = (make(cls, p=p, random_state=0).fit_transform(X) for p in (1, 0.5))
    changed = (half != X).any(axis=1)
    could = (every != X).any(axis=1)
    assert abs(changed[could].mean() - 0.5) < 0.1
    np.testing.assert_array_equal(half[changed], every[changed])


@every_augmenter
def test_a_batch_may_have_no_row_to_change(cls):
    """As is usual for few rows and a small p."""
    X = rows(3)
    for augmenter in (make(cls, p=1e-9), Compose([make(cls, p=1e-9)])):
        model = Augmented(DecisionTreeClassifier(), augmenter, n_copies=1)
        if cls in MIXING_TARGETS and isinstance(augmenter, Compose):
            continue
        X_new, y_new = AugmentationSampler(augmenter).fit_resample(X, [0, 1, 1])
        np.testing.assert_array_equal(X_new[3:], X)
        np.testing.assert_array_equal(y_new[3:], [0, 1, 1])
        model.fit(X, [0, 1, 1])


@every_transformer
def test_chunks_and_order_do_not_matter(cls, monkeypatch):
    """A row has one variant in an epoch, in whatever batch it comes; another in the next epoch."""
    X = rows()
    augmenter = make(cls)
    checked = augmenter._begin(X, None)
    everything = np.arange(len(X))
    expected = augmenter._variants(checked, everything, epoch=3, seed=7)
    monkeypatch.setattr(base, "CHUNK_BYTES", 3 * X[:1].nbytes)
    chunked = augmenter._variants(checked, everything, epoch=3, seed=7)
    np.testing.assert_array_equal(chunked, expected)
    some = np.array([31, 5, 5, 17])
    shuffled = augmenter._variants(checked, some, epoch=3, seed=7)
    np.testing.assert_array_equal(shuffled, expected[some])
    later = augmenter._variants(checked, everything, epoch=4, seed=7)
    assert not np.array_equal(later, expected)


@every_augmenter
def test_clone_pickle_and_parameters(cls):
    """Parameters survive cloning, a fitted augmenter survives pickling."""
    X = rows()
    augmenter = make(cls, random_state=3)
    copy = clone(augmenter).set_params(p=0.25)
    assert copy.p == 0.25
    fitted = pickle.loads(pickle.dumps(augmenter.fit(X)))
    np.testing.assert_array_equal(fitted.transform(X), X)


@pytest.mark.parametrize("cls", IMAGE, ids=lambda c: c.__name__)
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_pictures_flat_or_shaped(cls, channels):
    """The same variants, in the shape in which the pictures came."""
    shape = (5, 7, *channels)
    X = np.random.default_rng(0).random((20, *shape))
    flat = X.reshape(20, -1)
    variants = cls(random_state=0).fit_transform(X)
    assert variants.shape == X.shape
    rowwise = cls(image_shape=shape, random_state=0)
    np.testing.assert_array_equal(rowwise.fit_transform(flat), variants.reshape(20, -1))
    np.testing.assert_array_equal(rowwise.fit_transform(X), variants)
    np.testing.assert_array_equal(rowwise.transform(X), X)


@pytest.mark.parametrize("cls", SIGNAL, ids=lambda c: c.__name__)
def test_signals_flat_or_shaped(cls):
    """One channel is a plain row, several are given by a shape or by signal_shape."""
    X = np.random.default_rng(0).random((20, 3, 40))
    variants = cls(random_state=0).fit_transform(X)
    rowwise = cls(signal_shape=(3, 40), random_state=0)
    np.testing.assert_array_equal(
        rowwise.fit_transform(X.reshape(20, -1)), variants.reshape(20, -1)
    )
    one = cls(random_state=0).fit_transform(X[:, 0])
    np.testing.assert_array_equal(cls(random_state=0).fit_transform(X[:, :1])[:, 0], one)
    np.testing.assert_array_equal(
        cls(signal_shape=(40,), random_state=0).fit_transform(X[:, 0]), one
    )


def test_errors_name_both_numbers():
    """A shape that does not fit X says how many features it has and how many it should have."""
    X = rows()
    with pytest.raises(ValueError, match=r"\(5, 5\) has 25 pixels, .* with 48 features"):
        RandomRotation(image_shape=(5, 5)).fit(X)
    with pytest.raises(ValueError, match="Pass image_shape"):
        RandomRotation().fit(X)
    with pytest.raises(ValueError, match="positive integers"):
        RandomRotation(image_shape=(5, -5)).fit(X)
    with pytest.raises(ValueError, match=r"dim 5"):
        RandomRotation().fit(np.zeros((2, 2, 2, 2, 2)))
    with pytest.raises(ValueError, match="was fitted on samples of shape"):
        RandomRotation().fit(np.zeros((2, 4, 4))).transform(np.zeros((2, 4, 5)))


@every_augmenter
def test_sparse_input_is_refused(cls):
    """Nearly every value of a variant differs from zero."""
    with pytest.raises(TypeError, match="Sparse data was passed"):
        make(cls).fit(sp.csr_array(rows()))


@every_augmenter
def test_missing_values(cls):
    """NaN passes through tables, and is an error for pictures, signals and neighbors."""
    X = rows()
    X[3, 4] = np.nan
    augmenter = make(cls, random_state=0)
    if not augmenter.__sklearn_tags__().input_tags.allow_nan:
        with pytest.raises(ValueError, match="NaN"):
            augmenter.fit(X)
        return
    assert cls.__name__ in ("CutMix", "FeatureMask", "FeatureNoise", "MixUp", "SwapNoise")
    checked = augmenter._begin(X, None)
    if cls in MIXING_TARGETS:
        variants = augmenter._mixtures(checked, np.arange(len(X)), epoch=0, seed=0)[0]
    else:
        variants = augmenter._variants(checked, np.arange(len(X)), epoch=0, seed=0)
    assert np.isfinite(variants[5:][:, 10:]).all()


INVALID = [
    (FeatureNoise(p=5), "'p' parameter of FeatureNoise"),
    (FeatureNoise(std=-1), "'std' parameter of FeatureNoise"),
    (FeatureMask(fill_value=np.nan), "'fill_value' parameter of FeatureMask"),
    (RandomFlip("no", image_shape=(8, 6)), "'horizontal' parameter of RandomFlip"),
    (RandomAffine(np.inf, image_shape=(8, 6)), "'max_angle' parameter of RandomAffine"),
    (RandomRotation(image_shape=(8, 6), interpolation="cubic"), "'interpolation' parameter"),
    (Drift(n_points=1), "'n_points' parameter of Drift"),
    (OneOf([FeatureNoise(), TimeShift(-1)]), "'max_shift' parameter of TimeShift"),
    (Compose([OneOf([Interpolate(0)])]), "'k_neighbors' parameter of Interpolate"),
]
WAYS_IN = {
    "fit": lambda augmenter, X, y: augmenter.fit(X, y),
    "fit_transform": lambda augmenter, X, y: augmenter.fit_transform(X, y),
    "Augmented": lambda augmenter, X, y: Augmented(DecisionTreeClassifier(), augmenter).fit(X, y),
    "sampler": lambda augmenter, X, y: AugmentationSampler(augmenter).fit_resample(X, y),
    "network": lambda augmenter, X, y: NETWORK.set_params(augmentation=augmenter).fit(X, y),
}
NETWORK = MLPClassifier((4,), max_iter=2, random_state=0)


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize(("augmenter", "message"), INVALID, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parameters_are_checked_whatever_the_way_in(augmenter, message, way):
    """By name, and of parts too."""
    if way == "network" and isinstance(augmenter, Interpolate):
        return
    X = rows()
    with pytest.raises(ValueError, match=message):
        WAYS_IN[way](augmenter, X, (X[:, 0] > 0) * 1)


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parameters_are_checked_once(way, monkeypatch):
    """Those of the whole, and those of the part; not where scikit-learn is told to skip it."""
    checked = []
    for cls in (Compose, FeatureNoise):
        original = cls._validate_params
        monkeypatch.setattr(
            cls,
            "_validate_params",
            lambda self, original=original: checked.append(type(self)) or original(self),
        )
    X = rows()
    y = (X[:, 0] > 0) * 1
    WAYS_IN[way](Compose([FeatureNoise()]), X, y)
    assert checked == [Compose, FeatureNoise]
    checked.clear()
    with config_context(skip_parameter_validation=True):
        WAYS_IN[way](Compose([FeatureNoise()]), X, y)
    assert checked == ([Compose, FeatureNoise] if way == "network" else [])


def test_a_failed_fit_changes_nothing():
    """Neither an unfitted nor a fitted augmenter, nor what is made of one."""
    X = rows()
    for model in (
        AddNoise((3, 1)),
        Compose([Gain((3, 1))]),
        Augmented(DecisionTreeClassifier(), GaussianNoise(1e300)),
        AugmentationSampler(RandomRotation(image_shape=(9, 9))),
    ):
        fit = model.fit_resample if isinstance(model, AugmentationSampler) else model.fit
        before = dict(vars(model))
        with pytest.raises(ValueError, match=r"db|pixels|image_shape"):
            fit(X, np.arange(40) % 2)
        assert vars(model) == before
    fitted = Gain((1e3, 1e3)).fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="Gain makes values"):
        fitted.fit_transform(1e300 * X[:, :5])
    assert vars(fitted) == before


PICTURE, SIGNAL_SHAPE = {"image_shape": (8, 6)}, {"signal_shape": (8, 6)}


@pytest.mark.parametrize(
    "augmenter",
    [
        FeatureMask(fill_value=1e300),
        FeatureNoise(1e300),
        RandomErasing(fill_value=1e300, **PICTURE),
        RandomAffine(45, fill_value=1e300, **PICTURE),
        RandomBrightness(1e300, **PICTURE),
        RandomContrast((1e300, 1e300), **PICTURE),
        GaussianNoise(1e300, **PICTURE),
        TimeMask(fill_value=1e300, **SIGNAL_SHAPE),
        AddNoise(-1e300, **SIGNAL_SHAPE),
        Drift(1e300, **SIGNAL_SHAPE),
        Gain((-1e300, 1e300), **SIGNAL_SHAPE),
    ],
    ids=lambda a: type(a).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_magnitudes_that_are_too_large(augmenter):
    """An error with the name of the class, without a warning of NumPy."""
    X = rows(dtype=np.float32)
    name = type(augmenter).__name__
    for whole in (augmenter, Compose([FeatureNoise(), augmenter])):
        model = MLPRegressor(max_iter=2, augmentation=whole)
        for fit in (whole.fit_transform, model.fit, Augmented(MLPRegressor(), whole).fit):
            with pytest.raises(ValueError, match=f"{name} makes values .* float32 up to 3.4e"):
                fit(X, X[:, 0])


def test_limits_that_are_too_large_are_none():
    """A range beyond the numbers of the type is no range; nor is a turn by 1e308 degrees."""
    X = rows(dtype=np.float32)
    clipped = GaussianNoise(clip=(-1e300, 1e300), random_state=0, **PICTURE).fit_transform(X)
    np.testing.assert_array_equal(
        clipped, GaussianNoise(random_state=0, **PICTURE).fit_transform(X)
    )
    turned = RandomRotation(1e308, random_state=0, **PICTURE).fit_transform(X)
    assert len(np.unique(turned)) > 1000


def test_random_numbers_of_rows():
    """Uniform and normal; keyed by row, epoch, seed and draw; the same in any batch."""
    rng = RowRandom(5, 0, np.arange(1000))
    first, second = rng.uniform(6), rng.uniform(6)
    assert abs(first.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    assert abs(rng.normal(50).std() - 1) < 0.01
    some = np.array([999, 3])
    np.testing.assert_array_equal(RowRandom(5, 0, some).uniform(6), first[some])
    np.testing.assert_array_equal(
        RowRandom(5, 0, np.arange(1000)).take(some).uniform(6), first[some]
    )
    for other in (RowRandom(6, 0, some), RowRandom(5, 1, some), RowRandom(5, 0, some).child(0)):
        assert not np.isin(other.uniform(6), first).any()
    assert set(RowRandom(1, 0, np.arange(500)).below(3)) == {0, 1, 2}


def test_the_core_checks_its_arguments():
    """Wrong shapes and boxes raise instead of reading elsewhere."""
    X = np.zeros((2, 4, 4, 1))
    with pytest.raises(ValueError, match=r"maps have shape"):
        _core.affine_rows(X, np.zeros((1, 6)), "bilinear", "edge", 0.0, X.copy())
    with pytest.raises(ValueError, match="differ in shape"):
        _core.affine_rows(X, np.zeros((2, 6)), "bilinear", "edge", 0.0, np.zeros((2, 4, 5, 1)))
    with pytest.raises(ValueError, match="interpolation"):
        _core.affine_rows(X, np.zeros((2, 6)), "cubic", "edge", 0.0, X.copy())
    with pytest.raises(ValueError, match="leaves its picture"):
        _core.fill_box_rows(np.array([[0, 0, 5, 1]] * 2), np.zeros(2), X)


@pytest.fixture(scope="module")
def digits():
    """400 pictures of digits, 8 x 8."""
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


@pytest.fixture
def frame():
    """A data frame with names and an index of its own."""
    pd = pytest.importorskip("pandas")
    X = np.random.default_rng(0).normal(size=(20, 2))
    return pd.DataFrame(X, columns=["a", "b"], index=np.arange(100, 120))


def test_in_a_pipeline(digits):
    """fit augments, predict and score do not; the grid reaches the magnitude."""
    X, y = digits
    augmenter = RandomRotation(10, image_shape=(8, 8), random_state=0)
    pipe = make_pipeline(StandardScaler(), augmenter, DecisionTreeClassifier(random_state=0))
    pipe.fit(X, y)
    plain = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(X, y)
    assert plain.score(X, y) == 1
    assert pipe.score(X, y) < 1
    search = GridSearchCV(pipe, {"randomrotation__max_angle": [0, 10.0]}, cv=2).fit(X, y)
    assert search.best_params_["randomrotation__max_angle"] in (0, 10.0)


def test_columns_and_frames(frame):
    """Feature names pass through; only the given columns change."""
    noise = FeatureNoise(0.1, random_state=0).set_output(transform="pandas")
    out = noise.fit_transform(frame)
    assert list(out.columns) == list(frame.columns) == list(noise.get_feature_names_out())
    assert out.index.equals(frame.index)
    some = ColumnTransformer([("noise", noise, ["a"])], remainder="passthrough")
    some.set_output(transform="pandas")
    changed = some.fit_transform(frame)
    np.testing.assert_array_equal(changed["remainder__b"], frame["b"])
    assert not np.array_equal(changed["noise__a"], frame["a"])


@pytest.mark.filterwarnings("ignore:.* columns of X_val have far other means")
def test_validation_sets_stay_as_they_are(digits):
    """transform_input gives X_val the steps of the pipeline, and transform is the identity."""
    X, y = digits
    augmenter = GaussianNoise(100.0, image_shape=(8, 8), random_state=0)
    model = MLPClassifier((8,), early_stopping=True, max_iter=2, random_state=0)
    seen = []
    original = TrainingRows.validate_on

    def spy(self, estimator, X_val, *rest):
        seen.append(np.asarray(X_val))
        return original(self, estimator, X_val, *rest)

    with config_context(enable_metadata_routing=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingRows, "validate_on", spy)
        model.set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(augmenter, model, transform_input=["X_val"])
        with pytest.warns(match="Maximum iterations"):
            pipe.fit(X[:200], y[:200], X_val=X[200:260], y_val=y[200:260])
    np.testing.assert_array_equal(seen[0], X[200:260])
