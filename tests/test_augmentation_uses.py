"""More rows for any estimator, samplers, fresh variants in every epoch, and the display."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import (
    AddNoise,
    AugmentationDisplay,
    AugmentationSampler,
    Augmented,
    Compose,
    CutMix,
    FeatureMask,
    FeatureNoise,
    Interpolate,
    MixUp,
    RandomRotation,
    RandomShift,
    SwapNoise,
)

NOISE = FeatureNoise(0.1, random_state=0)


class Recorder(BaseEstimator):
    """Keeps what it is fitted on."""

    def __init__(self, early_stopping=False, validation_fraction=0.25, random_state=0):
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None,
            groups=None, scale=1.0):  # fmt: skip
        """Keep everything."""
        self.seen_ = {k: v for k, v in locals().items() if k != "self" and v is not None}
        return self

    def predict(self, X):
        """Predict nothing."""
        return np.zeros(len(X))


class Classifies(ClassifierMixin, Recorder):
    """A classifier."""


class Regresses(RegressorMixin, Recorder):
    """A regressor."""


@pytest.fixture(scope="module")
def digits():
    """600 pictures of digits, 8 x 8, from 0 to 1."""
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


# ------------------------------------------------------------------------------- more rows


def test_originals_first_then_copies(wine):
    """Targets, weights and metadata follow; the originals are as they were."""
    X, y = wine
    weight, groups = np.arange(len(X)) + 1.0, np.arange(len(X))
    model = Augmented(Classifies(), NOISE, n_copies=3)
    seen = model.fit(X, y, sample_weight=weight, groups=list(groups), scale=2.0).estimator_.seen_
    assert seen["X"].shape == (4 * len(X), 13)
    np.testing.assert_array_equal(seen["X"][: len(X)], X)
    np.testing.assert_array_equal(seen["y"], np.tile(y, 4))
    np.testing.assert_array_equal(seen["sample_weight"], np.tile(weight, 4))
    np.testing.assert_array_equal(seen["groups"], np.tile(groups, 4))
    assert seen["scale"] == 2
    copies = seen["X"][len(X) :].reshape(3, len(X), 13)
    assert (copies != X).all()
    assert (copies[0] != copies[1]).all()
    assert np.abs(copies - X).max() < 0.7
    again = clone(model).fit(X, y).estimator_.seen_["X"]
    np.testing.assert_array_equal(again, seen["X"])
    assert Augmented(Classifies(), NOISE, 0).fit(X, y).estimator_.seen_["X"].shape == X.shape


@pytest.mark.parametrize("augmenter", [NOISE, MixUp(), CutMix(), Interpolate()], ids=str)
def test_no_copies(augmenter, wine):
    """The originals alone, with their weights."""
    X, y = wine
    weight = np.arange(len(X)) + 1.0
    model = Augmented(Classifies(), augmenter, n_copies=0)
    seen = model.fit(X, y, sample_weight=weight).estimator_.seen_
    for name, value in {"X": X, "y": y, "sample_weight": weight}.items():
        np.testing.assert_array_equal(seen[name], value)
    assert len(AugmentationSampler(augmenter, n_copies=0).fit_resample(X, y)[0]) == len(X)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_of_other_rows(early_stopping, wine):
    """The error counts the rows that were passed, not those that there would be."""
    X, y = wine
    for augmenter in (NOISE, MixUp()):
        model = Augmented(Classifies(early_stopping), augmenter)
        with pytest.raises(ValueError, match=r"sample_weight .* the 178 rows of X, got 177"):
            model.fit(X, y, sample_weight=np.ones(len(X) - 1))
    model = Augmented(MLPClassifier(early_stopping=early_stopping), NOISE)
    with pytest.raises(ValueError, match="balanced"):  # the network's own error
        model.fit(X, y, sample_weight="balanced")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_sparse_rows(early_stopping, wine):
    """Refused in any format."""
    for form in (sp.csr_array, sp.csc_matrix, sp.coo_matrix, sp.coo_array):
        with pytest.raises(TypeError, match="Sparse data was passed"):
            Augmented(Classifies(early_stopping), NOISE).fit(form(wine[0]), wine[1])


def test_validation_sets_pass_as_they_are(wine):
    """Also where they have as many rows as the training set."""
    X, y = wine
    params = {"X_val": X, "y_val": y, "sample_weight_val": np.ones(len(X))}
    seen = Augmented(Classifies(early_stopping=True), NOISE).fit(X, y, **params).estimator_.seen_
    for name, value in params.items():
        assert seen[name] is value


def test_rows_are_split_before_they_are_copied(wine):
    """No variant of a validation row is trained on; the weights are split too."""
    X, y = wine
    weight = np.arange(len(X)) + 1.0
    model = Augmented(Classifies(early_stopping=True), MixUp(random_state=0), n_copies=2)
    seen = model.fit(X, y, sample_weight=weight).estimator_.seen_
    n_val = len(seen["X_val"])
    assert n_val == 45
    val = np.array([np.flatnonzero((x == X).all(axis=1))[0] for x in seen["X_val"]])
    np.testing.assert_array_equal(seen["y_val"], y[val])
    np.testing.assert_array_equal(seen["sample_weight_val"], weight[val])
    train = np.setdiff1d(np.arange(len(X)), val)
    originals = seen["X"][: len(train)]
    assert {tuple(x) for x in originals} == {tuple(x) for x in X[train]}
    assert not np.isin(seen["X"], X[val]).all(axis=1).any()
    np.testing.assert_allclose(np.bincount(seen["y_val"]) / n_val, np.bincount(y) / 178, atol=0.01)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (SGDClassifier(early_stopping=True), "early_stopping validates on variants"),
        (make_pipeline(StandardScaler(), MLPClassifier(early_stopping=True, max_iter=300)),
         "early_stopping validates on variants"),
        (RandomForestClassifier(5, oob_score=True), "oob_score is measured on variants"),
    ],
    ids=["sgd", "pipeline", "forest"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")
def test_a_split_inside_of_the_estimator_is_warned_of(estimator, message, wine):
    """Where the originals cannot be set apart."""
    with pytest.warns(UserWarning, match=message):
        Augmented(estimator, NOISE).fit(*wine)


def test_estimators_that_stop_early(wine):
    """Those that take a validation set get one, without a warning."""
    X, y = wine
    if "X_val" in HistGradientBoostingClassifier.fit.__code__.co_varnames:
        model = HistGradientBoostingClassifier(early_stopping=True, max_iter=5, random_state=0)
        assert Augmented(model, NOISE).fit(X, y).score(X, y) > 0.8
    model = MLPClassifier((8,), early_stopping=True, random_state=0, max_iter=300)
    fitted = Augmented(model, NOISE).fit(X, y)
    assert fitted.score(X, y) > 0.9
    assert len(fitted.estimator_.validation_scores_) > 1


def test_two_weighted_rows_are_exact(cancer):
    """The log loss of the two is that of the mixed target, whatever the probability."""
    X, y = cancer
    model = Augmented(Classifies(), MixUp(1.0, random_state=0), n_copies=1)
    seen = model.fit(X, y, sample_weight=np.full(len(X), 2.0)).estimator_.seen_
    n = len(X)
    values, labels, weight = (seen[k][n:] for k in ("X", "y", "sample_weight"))
    assert len(values) == 2 * n
    np.testing.assert_array_equal(values[:n], values[n:])
    np.testing.assert_allclose(weight[:n] + weight[n:], 2)
    np.testing.assert_array_equal(labels[:n], y)
    both = y[:, None] == [0, 1]
    share = weight[:n] / 2
    soft = share[:, None] * both + (1 - share)[:, None] * (labels[n:, None] == [0, 1])
    log_p = np.log([[0.3, 0.7]])
    pairs = (weight * log_p[0, labels]).reshape(2, n).sum(axis=0)
    np.testing.assert_allclose(pairs, 2 * (soft * log_p).sum(axis=1))
    assert Augmented(LogisticRegression(), CutMix(random_state=0)).fit(X, y).score(X, y) > 0.9


def test_numbers_are_averaged(diabetes):
    """With the share of the row; no weights are needed."""
    X, y = diabetes
    for augmenter in (MixUp(1.0), CutMix(), Interpolate()):
        augmenter.set_params(random_state=0)
        seen = Augmented(Regresses(), augmenter, n_copies=1).fit(X, y).estimator_.seen_
        assert "sample_weight" not in seen
        assert seen["y"].shape == (2 * len(y),)
        assert not np.isin(seen["y"][len(y) :], y).all()
    # On a linear target a mixture is without error.
    linear = X @ np.arange(10.0)
    fitted = Augmented(LinearRegression(), MixUp(random_state=0)).fit(X, linear)
    np.testing.assert_allclose(fitted.predict(X), linear, atol=1e-9)
    huge = Augmented(LinearRegression(), MixUp(random_state=0)).fit(X, 1e30 * linear)
    np.testing.assert_allclose(huge.predict(X), 1e30 * linear, atol=1e21)
    assert np.isfinite(AugmentationSampler(MixUp()).fit_resample(X, 1e30 * linear)[1]).all()
    counts = np.rint(np.abs(linear))  # whole numbers are numbers where the estimator regresses
    seen = Augmented(Regresses(), Interpolate(random_state=0)).fit(X, counts).estimator_.seen_
    assert not np.isin(seen["y"], counts).all()


def test_mixed_classes_need_weights(wine):
    """An estimator without sample_weight is told what to do."""
    X, y = wine
    with pytest.raises(ValueError, match="that of KNeighborsClassifier does not"):
        Augmented(KNeighborsClassifier(), MixUp()).fit(X, y)
    with pytest.raises(ValueError, match="put Augmented around the last step"):
        Augmented(make_pipeline(StandardScaler(), LogisticRegression()), MixUp()).fit(X, y)
    assert (
        Augmented(KNeighborsClassifier(), Interpolate(random_state=0)).fit(X, y).score(X, y) > 0.9
    )


def test_it_is_the_estimator(wine, diabetes):
    """Methods, tags, tuning of both by double underscore."""
    X, y = wine
    model = Augmented(LogisticRegression(), NOISE)
    assert is_classifier(model)
    assert not hasattr(Augmented(LinearRegression(), NOISE), "predict_proba")
    assert hasattr(model, "decision_function")
    assert cross_val_score(model, X, y, cv=3).mean() > 0.9
    grid = {"augmenter__std": [0.0, 0.1], "estimator__C": [0.1, 1.0], "n_copies": [0, 2]}
    assert GridSearchCV(model, grid, cv=2).fit(X, y).best_score_ > 0.9
    np.testing.assert_array_equal(model.fit(X, y).classes_, [0, 1, 2])
    assert model.predict_proba(X).shape == (178, 3)
    regressor = Augmented(LinearRegression(), NOISE).fit(*diabetes)
    assert regressor.score(*diabetes) > 0.4


def test_metadata_routing(wine):
    """Requested metadata reaches the estimator and follows the rows; other raises."""
    X, y = wine
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True)
        inner.set_score_request(sample_weight=True)
        model = Augmented(inner, NOISE, n_copies=1)
        model.fit(X, y, sample_weight=np.ones(len(X)))
        assert model.score(X, y, sample_weight=np.ones(len(X))) > 0.9
        with pytest.raises(TypeError, match="unexpected argument"):
            model.fit(X, y, colour=1)


def test_frames_stay_frames():
    """With types, categories and an index; series too."""
    pd = pytest.importorskip("pandas")
    color = pd.Categorical(np.array(["red", "green"])[np.arange(40) % 2])
    X = pd.DataFrame({"a": np.arange(40.0), "color": color}, index=np.arange(40) + 100)
    y = pd.Series(np.arange(40) % 3, index=X.index)
    augmenter = Compose([FeatureNoise(0.1), SwapNoise(0.2)], random_state=0)
    seen = Augmented(Classifies(), augmenter, n_copies=2).fit(X, y).estimator_.seen_
    assert seen["X"].dtypes["color"] == X.dtypes["color"]
    pd.testing.assert_frame_equal(seen["X"].iloc[:40], X)
    np.testing.assert_array_equal(seen["X"].index, np.tile(X.index, 3))
    np.testing.assert_array_equal(seen["y"], np.tile(y, 3))


# -------------------------------------------------------------------------------- samplers


def test_sampler(wine, diabetes):
    """Originals, then copies; classes drawn by their shares; numbers averaged."""
    X, y = wine
    sampler = AugmentationSampler(NOISE, n_copies=2)
    X_new, y_new = sampler.fit_resample(X, y)
    assert X_new.shape == (3 * len(X), 13)
    np.testing.assert_array_equal(y_new, np.tile(y, 3))
    np.testing.assert_array_equal(sampler.sample_indices_, np.tile(np.arange(len(X)), 3))
    assert not hasattr(sampler, "transform")
    assert not hasattr(sampler, "fit")
    mixed = AugmentationSampler(MixUp(1.0, random_state=0), n_copies=20)
    labels = mixed.fit_resample(X, y)[1][len(X) :]
    expected = 0.5 + 0.5 * (np.bincount(y) ** 2).sum() / len(y) ** 2
    assert abs((labels == np.tile(y, 20)).mean() - expected) < 0.02
    X, y = diabetes
    X_new, y_new = AugmentationSampler(MixUp(random_state=0)).fit_resample(X, y)
    assert len(X_new) == len(y_new) == 2 * len(X)
    assert not np.isin(y_new, y).all()


def test_in_the_pipeline_of_imbalanced_learn(wine, diabetes):
    """A sampler before the estimator, for classes and for numbers."""
    imblearn = pytest.importorskip("imblearn.pipeline")
    for augmenter in (NOISE, MixUp(random_state=0), Interpolate(random_state=0)):
        sampler = AugmentationSampler(augmenter, n_copies=2)
        pipe = imblearn.make_pipeline(StandardScaler(), sampler, LogisticRegression())
        assert pipe.fit(*wine).score(*wine) > 0.9
        pipe.set_params(augmentationsampler__n_copies=1).fit(*wine)
        pipe = imblearn.make_pipeline(sampler, LinearRegression())
        assert pipe.fit(*diabetes).score(*diabetes) > 0.3


# ----------------------------------------------------------------------------- every epoch

NET = {"hidden_layer_sizes": (16,), "batch_size": 64, "max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def same(a, b):
    """Whether two networks have the same weights and losses."""
    equal = all(np.array_equal(p, q) for p, q in zip(a.coefs_, b.coefs_, strict=True))
    return equal and a.loss_curve_ == b.loss_curve_


NORM = {"batch_norm": True}


@pytest.mark.parametrize(
    "params", [{}, {**NORM, "dropout": 0.2}, {**NORM, "early_stopping": True}], ids=str
)
def test_chunks_change_nothing(params, digits, monkeypatch):
    """Bit for bit; and what augments nothing is as without it."""
    X, y = digits[0][:577], digits[1][:577]  # a single last row
    rotation = RandomRotation(image_shape=(8, 8))
    augmenter = Compose([rotation, SwapNoise(0.1)])
    whole = MLPClassifier(**NET, **params, augmentation=augmenter).fit(X, y)
    plain = MLPClassifier(**NET, **params).fit(X, y)
    still = clone(rotation).set_params(max_angle=0)
    assert same(MLPClassifier(**NET, **params, augmentation=still).fit(X, y), plain)
    assert not same(whole, plain)
    monkeypatch.setattr("skreg.data.epochs.CHUNK_BYTES", 2 * 64 * X[:1].nbytes)
    chunked = MLPClassifier(**NET, **params, augmentation=augmenter).fit(X, y)
    np.testing.assert_allclose(chunked.loss_curve_, whole.loss_curve_, rtol=1e-12)
    assert all(map(np.array_equal, chunked.coefs_, whole.coefs_))


def test_every_epoch_has_other_variants(digits, monkeypatch):
    """Also in the epochs of a warm start and of partial_fit."""
    X, y = digits
    seen = []
    original = FeatureNoise._variants

    def spy(self, X, rows, **key):
        seen.append((key["epoch"], key["seed"]))
        return original(self, X, rows, **key)

    monkeypatch.setattr(FeatureNoise, "_variants", spy)
    model = MLPClassifier(**NET, warm_start=True, augmentation=FeatureNoise(0.1))
    model.fit(X, y).fit(X, y)
    assert [epoch for epoch, _ in seen] == list(range(6))
    assert len({seed for _, seed in seen}) == 1
    model.partial_fit(X, y).partial_fit(X, y)
    assert [epoch for epoch, _ in seen[6:]] == [6, 7]
    seen.clear()
    for random_state in (0, 1):
        own = FeatureNoise(0.1, random_state=5)
        MLPClassifier(**{**NET, "random_state": random_state}, augmentation=own).fit(X, y)
    assert seen[-1][1] == seen[0][1]


def test_validation_rows_are_never_augmented(digits):
    """The loss of the validation set is that of the rows as they are; donors are training rows."""
    X, y = digits
    augmenter = FeatureMask(1.0, fill_value=50.0)
    model = MLPClassifier(**NET, early_stopping=True, augmentation=augmenter).fit(X, y)
    assert model.validation_loss_curve_[0] < 20
    assert model.loss_curve_[0] > model.validation_loss_curve_[0]


def test_targets_and_weights_follow_their_rows(diabetes):
    """A regression on variants with weights finds what weighted least squares finds."""
    X, y = diabetes
    weight = np.linspace(0.1, 2, len(y))
    params = {"hidden_layer_sizes": (), "alpha": 0.0, "learning_rate_init": 0.05, "max_iter": 400}
    params |= {"n_iter_no_change": 400, "tol": 0.0, "random_state": 0, "batch_size": 200}
    model = MLPRegressor(**params, augmentation=FeatureNoise(0.01), learning_rate="cosine")
    model.fit(X, y, sample_weight=weight)
    expected = LinearRegression().fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.predict(X), expected.predict(X), atol=0.05)


def test_what_cannot_be_combined(wine):
    """lbfgs, mixtures of targets; with what to use instead."""
    X, y = wine
    with pytest.raises(ValueError, match=r"augmentation=FeatureNoise\(\) needs training in epochs"):
        MLPClassifier(solver="lbfgs", augmentation=FeatureNoise()).fit(X, y)
    for augmenter in (MixUp(), CutMix(), Interpolate()):
        with pytest.raises(ValueError, match=r"Use the parameter mixup or cutmix of the network"):
            MLPClassifier(augmentation=augmenter).fit(X, y)
    with pytest.raises(ValueError, match="Wrap the estimator"):
        MLPClassifier(augmentation=Compose([FeatureNoise(), MixUp()])).fit(X, y)
    with pytest.raises(ValueError, match="64 pixels"):
        MLPClassifier(augmentation=RandomRotation(image_shape=(8, 8))).fit(X, y)


def test_its_magnitude_can_be_tuned(digits):
    """By double underscore, also inside of a composition."""
    X, y = digits
    augmenter = Compose([RandomRotation(image_shape=(8, 8)), RandomShift(1, image_shape=(8, 8))])
    grid = {"augmentation__randomrotation__max_angle": [0.0, 10.0]}
    search = GridSearchCV(MLPClassifier(**NET, augmentation=augmenter), grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)


# --------------------------------------------------------------------------------- display


@pytest.mark.parametrize(
    ("augmenter", "n_features"),
    [
        (RandomRotation(image_shape=(6, 8)), 48),
        (Compose([RandomRotation(image_shape=(4, 4, 3))]), 48),
        (AddNoise(signal_shape=(2, 24)), 48),
        (MixUp(), 5),
    ],
    ids=str,
)
def test_display(augmenter, n_features):
    """Originals in the first column, pictures or curves."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    X = np.random.default_rng(0).random((9, n_features))
    display = AugmentationDisplay.from_augmenter(augmenter, X, n_rows=3, n_variants=2)
    assert display.axes_.shape == (3, 3)
    np.testing.assert_array_equal(display.originals.reshape(3, -1), X[:3])
    pictures = display.originals.ndim == 4
    assert bool(display.axes_[1, 1].images) == pictures
    assert bool(display.axes_[1, 1].lines) != pictures
    _, axes = plt.subplots(3, 3)
    assert display.plot(axes=axes).figure_ is axes[0, 0].figure
    plt.close("all")


def test_early_stopping_with_few_rows():
    """As the network alone: a row that is alone in its class is taken, too few rows are refused."""
    X = np.random.RandomState(0).randn(40, 3)
    model = Augmented(MLPClassifier((3,), early_stopping=True, max_iter=1, random_state=0), NOISE)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, ["yes"] + ["no"] * 39)
    with pytest.raises(
        ValueError, match=r"validation_fraction=0.1 of n_samples=4 are 1\. Increase"
    ):
        model.fit(X[:4], [0, 1, 0, 1])
