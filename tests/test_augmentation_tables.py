"""Tables and mixtures: units of noise, donors, categories, shares of targets, neighbors."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from skreg.augmentation import (
    Compose,
    CutMix,
    FeatureMask,
    FeatureNoise,
    Interpolate,
    MixUp,
    OneOf,
    RandomRotation,
    SwapNoise,
)
from skreg.augmentation.copies import make_copies

rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=(3000, 3)) * [1.0, 100.0, 0.01] + [0, 5, 7]
CODES = rng.integers(0, 4, (3000, 1)) * 10.0
TABLE = np.hstack([NUMBERS, CODES])


@pytest.fixture
def frame():
    """Two numbers, one of them with gaps, and a category with names."""
    pd = pytest.importorskip("pandas")
    color = pd.Categorical(np.array(["red", "green", "blue"])[np.arange(300) % 3])
    X = pd.DataFrame({"a": NUMBERS[:300, 0], "color": color, "b": np.arange(300)})
    X.loc[::7, "a"] = np.nan
    X.loc[::11, "color"] = np.nan
    return X


def test_noise_in_units_of_each_feature():
    """Categories stay; missing values stay missing."""
    X = TABLE.copy()
    X[::5, 1] = np.nan
    augmenter = FeatureNoise(0.2, categorical_features=[3], random_state=0)
    noise = augmenter.fit_transform(X) - X
    np.testing.assert_allclose(augmenter.std_[:3], np.nanstd(X[:, :3], axis=0))
    np.testing.assert_allclose(np.nanstd(noise, axis=0)[:3] / augmenter.std_[:3], 0.2, rtol=0.05)
    assert (noise[:, 3] == 0).all()
    np.testing.assert_array_equal(np.isnan(noise), np.isnan(X))


@pytest.mark.parametrize(("dtype", "scale"), [("f4", 1e30), ("f8", 1e300), ("f8", 1e-300)])
def test_tables_of_any_size(dtype, scale):
    """Squares and sums that no number can hold are not needed."""
    X = NUMBERS[:300].astype(dtype)
    scaled = (NUMBERS[:300] * scale).astype(dtype)
    noise, plain = FeatureNoise(random_state=0), FeatureNoise(random_state=0)
    variants = noise.fit_transform(scaled) / scaled.dtype.type(scale)
    np.testing.assert_allclose(variants, plain.fit_transform(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(noise.std_ / scale, plain.std_, rtol=1e-5)
    for fill in ("mean", "median"):
        fills = [FeatureMask(fill_value=fill).fit(data).fill_ for data in (X, scaled)]
        np.testing.assert_allclose(fills[1] / scale, fills[0], rtol=1e-5)
    neighbors = [Interpolate().fit(data).neighbors_ for data in (X, scaled)]
    assert (neighbors[0] == neighbors[1]).mean() > 0.99
    largest = np.finfo(dtype).max * np.array([[1.0], [0.5]], dtype=dtype)
    np.testing.assert_allclose(FeatureMask(1.0).fit_transform(largest), largest[0, 0] * 0.75)


def test_constant_columns_count_for_no_distance():
    """However large their values."""
    X = NUMBERS[:300]
    wide = np.hstack([X, np.full((300, 20), 1e300)])  # so wide that distances are products
    np.testing.assert_array_equal(
        Interpolate().fit(wide).neighbors_, Interpolate().fit(X).neighbors_
    )


def test_noise_of_constant_columns():
    """There is none, whatever its strength."""
    X = np.ones((4, 2), dtype=np.float32)
    np.testing.assert_array_equal(FeatureNoise(1e300).fit_transform(X), X)


def test_swapped_values_are_those_of_other_rows():
    """With the given probability, from the same feature, in its own distribution."""
    swapped = SwapNoise(0.3, random_state=0).fit_transform(TABLE)
    for j in range(4):
        assert np.isin(swapped[:, j], TABLE[:, j]).all()
    changed = (swapped != TABLE)[:, :3]
    np.testing.assert_allclose(changed.mean(axis=0), 0.3, atol=0.03)
    assert abs(np.corrcoef(changed[:, 0], changed[:, 1])[0, 1]) < 0.06
    np.testing.assert_allclose(swapped.std(axis=0), TABLE.std(axis=0), rtol=0.05)


def test_donors_come_from_the_training_set():
    """Also behind another augmenter, and for one row alone."""
    X = TABLE[:, :3]
    both = Compose([FeatureNoise(0.5), SwapNoise(0.5)], random_state=0).fit_transform(X)
    assert 0.4 < np.isin(both, X).mean() < 0.6
    augmenter = SwapNoise(1.0)
    one = augmenter._variants(augmenter._begin(X, None), np.array([4]), epoch=0, seed=0)
    assert np.isin(one, X).all()
    assert (one != X[4]).all()


@pytest.mark.parametrize(
    ("fill", "expected"), [("mean", np.mean), ("median", np.median), (-3, None)]
)
def test_masked_values(fill, expected):
    """Mean, median or a constant; the most frequent category."""
    augmenter = FeatureMask(0.25, fill_value=fill, categorical_features=[3], random_state=0)
    masked = augmenter.fit_transform(TABLE)
    wanted = [-3] * 3 if expected is None else expected(NUMBERS, axis=0)
    np.testing.assert_allclose(augmenter.fill_[:3], wanted)
    values, counts = np.unique(CODES, return_counts=True)
    assert augmenter.fill_[3] == values[counts.argmax()]
    hit = masked == augmenter.fill_
    np.testing.assert_array_equal(masked[~hit], TABLE[~hit])
    np.testing.assert_allclose(hit[:, :3].mean(axis=0), 0.25, atol=0.03)


@pytest.mark.parametrize("features", [[1], ["color"], [False, True, False], "from_dtype"], ids=str)
def test_frames_with_categories(frame, features):
    """They come back with the same types; categories are swapped and masked, never made up."""
    for augmenter in (FeatureNoise(0.1), SwapNoise(0.5), FeatureMask(0.5)):
        augmenter.set_params(categorical_features=features, random_state=0)
        out = augmenter.fit_transform(frame)
        assert out.dtypes["color"] == frame.dtypes["color"]
        assert out.index.equals(frame.index)
        assert list(out.columns) == list(frame.columns)
        np.testing.assert_array_equal(augmenter.is_categorical_, [False, True, False])
        same = augmenter.transform(frame)
        assert same["color"].equals(frame["color"])
        np.testing.assert_array_equal(same[["a", "b"]], frame[["a", "b"]])
    both = Compose([FeatureNoise(0.1), SwapNoise(0.5)], random_state=0).fit_transform(frame)
    assert both.dtypes["color"] == frame.dtypes["color"]
    piped = SwapNoise(0.5, random_state=0).set_output(transform="pandas").fit_transform(frame)
    assert piped.dtypes["color"] == frame.dtypes["color"]


def test_categories_that_are_not_named(frame):
    """Codes are not treated as numbers by accident."""
    with pytest.raises(ValueError, match=r"\['color'\] hold categories"):
        FeatureNoise(categorical_features=[0]).fit(frame)
    for wrong in ([3], ["a", "x"], [True], [0.5]):
        with pytest.raises(ValueError, match="fits none of"):
            FeatureNoise(categorical_features=wrong).fit(NUMBERS)


def mixtures(augmenter, X, y=None, **kwargs):
    """One copy of each row."""
    return make_copies(augmenter, X, y, 1, **kwargs)


def test_mixup_averages_with_its_share():
    """Numbers by the share, whose distribution is the Beta; categories from one of both."""
    copies = mixtures(MixUp(0.4, categorical_features=[3], random_state=0), TABLE)
    share = copies.share[:, None]
    expected = share * TABLE[copies.own] + (1 - share) * TABLE[copies.partner]
    np.testing.assert_allclose(copies.values[:, :3], expected[:, :3])
    assert copies.share.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.05)
    own, other = TABLE[copies.own, 3], TABLE[copies.partner, 3]
    assert ((copies.values[:, 3] == own) | (copies.values[:, 3] == other)).all()
    differ = own != other
    from_own = (copies.values[:, 3] == own)[differ]
    assert np.corrcoef(from_own, copies.share[differ])[0, 1] > 0.5
    assert len(np.unique(copies.partner)) > 0.5 * len(TABLE)


def test_cutmix_counts_what_it_cut():
    """The share is that of features or pixels that stayed."""
    X = np.random.default_rng(0).random((300, 48))
    for augmenter in (CutMix(random_state=0), CutMix(image_shape=(6, 8), random_state=0)):
        copies = mixtures(augmenter, X)
        from_partner = (copies.values == X[copies.partner]) & (copies.values != X[copies.own])
        moved = copies.own != copies.partner
        np.testing.assert_allclose(1 - from_partner.mean(axis=1)[moved], copies.share[moved])
        assert ((copies.values == X[copies.own]) | from_partner).all()
        assert 0.4 < copies.share.mean() < 0.6
    pictures = from_partner.reshape(300, 6, 8)
    for mask in pictures[moved][:50]:
        lines, columns = mask.any(axis=1), mask.any(axis=0)
        np.testing.assert_array_equal(mask, np.outer(lines, columns))


def test_interpolation_between_neighbors():
    """Between a row and one of its nearest in the class, as SMOTE; the class stays."""
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = np.array(["a", "b"])[(np.arange(200) % 4 == 0).astype(int)]
    copies = mixtures(Interpolate(3, random_state=0), X, y)
    assert (y[copies.partner] == y[copies.own]).all()
    scaled = X / X.std(axis=0)
    for i in range(0, 200, 17):
        rows = np.flatnonzero(y == y[i])
        finder = NearestNeighbors(n_neighbors=4).fit(scaled[rows])
        near = rows[finder.kneighbors(scaled[i : i + 1], return_distance=False)[0][1:]]
        assert copies.partner[i] in near
    step = copies.values - X
    full = X[copies.partner] - X
    u = (step * full).sum(axis=1) / (full**2).sum(axis=1)
    np.testing.assert_allclose(step, u[:, None] * full, atol=1e-12)
    np.testing.assert_allclose(1 - copies.share, u)
    assert 0.45 < u.mean() < 0.55
    variants = Interpolate(3, random_state=0).fit_transform(X, y)
    np.testing.assert_array_equal(variants, copies.values)


def test_interpolation_of_small_classes():
    """Fewer neighbors than asked for, or none."""
    X = np.array([[0.0], [1.0], [10.0], [11.0], [12.0], [99.0]])
    y = [0, 0, 1, 1, 1, 2]
    variants = Interpolate(5, random_state=0).fit_transform(X, y)
    assert (variants[:2] > 0).all()
    assert (variants[:2] < 1).all()
    assert variants[5] == 99


@pytest.mark.parametrize("augmenter", [MixUp(), CutMix(), Interpolate()], ids=str)
def test_mixing_targets_in_a_pipeline_is_refused(augmenter):
    """With what to do instead; also inside of a composition."""
    y = np.linspace(0, 1, 50)
    for transformer in (augmenter, Compose([FeatureNoise(), augmenter]), OneOf([augmenter])):
        with pytest.raises(ValueError, match=r"Wrap the estimator: Augmented\(estimator"):
            transformer.fit_transform(TABLE[:50], y)


def test_compositions():
    """Parts in their order, of the whole's seed; one of them a row, with the given weights."""
    X = TABLE[:, :3]
    both = Compose([FeatureNoise(0.1), FeatureMask(0.5)], random_state=0).fit_transform(X)
    masked = both == FeatureMask().fit(X).fill_
    assert 0.45 < masked.mean() < 0.55
    one = OneOf([FeatureMask(1.0), FeatureMask(1.0, fill_value=9.0)], [3, 1], random_state=0)
    variants = one.fit_transform(X)
    nines = (variants == 9).all(axis=1)
    assert 0.22 < nines.mean() < 0.28
    np.testing.assert_allclose(variants[~nines], np.broadcast_to(X.mean(axis=0), X[~nines].shape))
    for large in (1e300, 1e308):
        same = OneOf(one.augmenters, [large, large / 3], random_state=0).fit_transform(X)
        np.testing.assert_array_equal(same, variants)
    assert (Compose([FeatureNoise()], p=0).fit_transform(X) == X).all()


def test_parameters_of_parts():
    """By the name of the class, numbered where it comes twice."""
    augmenter = Compose([FeatureNoise(), OneOf([SwapNoise(), SwapNoise()])])
    assert augmenter.get_params()["oneof__swapnoise-2__p"] == 0.1
    augmenter.set_params(featurenoise__std=0.7, **{"oneof__swapnoise-1__p": 0.4})
    assert augmenter.augmenters[0].std == 0.7
    assert augmenter.augmenters[1].augmenters[0].p == 0.4
    assert augmenter.set_params(featurenoise=FeatureMask()).augmenters[0].p == 0.1


@pytest.mark.parametrize(
    ("augmenter", "message"),
    [
        (Compose([]), "one or more augmenters"),
        (Compose([np.mean]), "one or more augmenters"),
        (Compose([SwapNoise(random_state=0)]), "Set that one"),
        (OneOf([SwapNoise()], weights=[1, 2]), "1 numbers >= 0"),
        (OneOf([SwapNoise()], weights=[-1]), "1 numbers >= 0"),
        (Compose([RandomRotation(image_shape=(9, 9))]), "81 pixels"),
        (FeatureNoise(-1), "std"),
        (SwapNoise(2), "'p'"),
        (MixUp(-1), "alpha"),
        (Interpolate(0), "k_neighbors"),
    ],
)
def test_wrong_parameters(augmenter, message):
    """Refused with their name."""
    with pytest.raises(ValueError, match=message):
        augmenter.fit(NUMBERS)
