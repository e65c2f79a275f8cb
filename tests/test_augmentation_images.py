"""Pictures: values against scipy.ndimage, exact flips and crops, distributions of what is drawn."""

import numpy as np
import pytest
from scipy import ndimage

from skreg.augmentation import (
    ElasticDeformation,
    GaussianBlur,
    GaussianNoise,
    RandomAffine,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomScale,
    RandomShear,
    RandomShift,
    core,
)
from skreg.augmentation.affine import affine_maps

MODES = {"constant": "grid-constant", "edge": "nearest", "reflect": "reflect"}
SHAPE = (17, 21)


def pictures(n=1, shape=SHAPE, dtype=np.float64):
    """Smooth pictures, whose interpolated values are far from the pixels'."""
    X = np.random.default_rng(0).random((n, *shape))
    return ndimage.gaussian_filter1d(X, 1.0, axis=1).astype(dtype)


def by_scipy(picture, maps, interpolation, fill):
    """What scipy.ndimage makes of a map of coordinates."""
    m = maps.reshape(2, 3)
    order = {"bilinear": 1, "nearest": 0}[interpolation]
    mode = MODES[fill]
    return ndimage.affine_transform(picture, m[:, :2], m[:, 2], order=order, mode=mode, cval=0.5)


MOVES = {
    "rotation": {"angle": 25.0},
    "scale": {"scale": 1.3},
    "shrink": {"scale": 0.6},
    "shift": {"shift": (2.3, -4.6)},
    "shear": {"shear": 0.35},
    "all": {"angle": -70.0, "scale": 0.8, "shift": (1.7, 0.4), "shear": -0.2},
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fill", MODES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("move", MOVES)
def test_moves_agree_with_scipy(move, interpolation, fill, dtype):
    """The whole picture and beyond its edges, in every mode."""
    X = pictures(dtype=dtype)
    maps = affine_maps(1, *SHAPE, **MOVES[move])
    sampling = {"interpolation": interpolation, "fill": fill, "fill_value": 0.5}
    moved = core.affine(X[..., None].copy(), maps, **sampling)[0, ..., 0]
    expected = by_scipy(X[0], maps[0], interpolation, fill)
    if interpolation == "nearest":  # a coordinate between two pixels may be rounded to either
        assert (np.abs(moved - expected) > 1e-5).mean() < 0.02
    else:
        np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_rotation_is_that_of_scipy_ndimage_rotate():
    """Counterclockwise, around the center."""
    X = pictures()
    maps = affine_maps(1, *SHAPE, angle=30.0)
    sampling = {"interpolation": "bilinear", "fill": "edge", "fill_value": 0.0}
    moved = core.affine(X[..., None].copy(), maps, **sampling)[0, ..., 0]
    expected = ndimage.rotate(X[0], 30.0, reshape=False, order=1, mode="nearest")
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_directions():
    """A shift goes down and right, a scale above 1 enlarges, a shear moves lower rows right."""
    X = np.zeros((1, 9, 9, 1))
    X[0, 4, 4] = X[0, 6, 4] = 1
    sampling = {"interpolation": "nearest", "fill": "constant", "fill_value": 0.0}

    def moved(**move):
        out = core.affine(X.copy(), affine_maps(1, 9, 9, **move), **sampling)[0, ..., 0]
        return {tuple(map(int, where)) for where in np.argwhere(out)}

    assert moved(shift=(1, 2)) == {(5, 6), (7, 6)}
    assert moved(shear=1.0) == {(4, 4), (6, 6)}
    assert moved(angle=90) == {(4, 4), (4, 6)}
    assert (8, 4) in moved(scale=2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels_move_alike(channels):
    """Each channel is the picture that it would be alone."""
    X = np.random.default_rng(0).random((5, 9, 7, channels))
    for cls in (RandomAffine, ElasticDeformation, GaussianBlur, RandomCrop, RandomResizedCrop):
        together = cls(random_state=0).fit_transform(X)
        for c in range(channels):
            alone = cls(random_state=0).fit_transform(X[..., c])
            np.testing.assert_allclose(together[..., c], alone, rtol=1e-12, atol=1e-12)


def test_ranges_are_used_to_their_ends():
    """A single bright pixel tells where it went."""
    X = np.zeros((500, 21, 21))
    X[:, 10, 10] = 1

    def centers(augmenter):
        return np.array([ndimage.center_of_mass(x) for x in augmenter.fit_transform(X)]) - 10

    shifts = centers(RandomShift((2, 4), random_state=0))
    assert np.all(np.abs(np.abs(shifts).max(axis=0) - [2, 4]) < 0.1)
    share = centers(RandomShift(0.1, random_state=0))
    assert np.all(np.abs(np.abs(share).max(axis=0) - 2.1) < 0.1)
    crops = centers(RandomCrop(2, random_state=0))
    assert set(map(tuple, crops)) == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}
    X[:] = 0
    X[:, 10, 18] = 1
    angles = np.rad2deg(np.arctan2(*centers(RandomRotation(30, random_state=0)).T * [[-1], [1]]))
    assert 29 < angles.max() < 31
    assert -31 < angles.min() < -29
    assert abs(angles.mean()) < 3
    scales = centers(RandomScale((0.5, 1.2), random_state=0))[:, 1] / 8
    assert 0.49 < scales.min() < 0.52
    assert 1.18 < scales.max() < 1.22
    X[:] = 0
    X[:, 18, 10] = 1
    shears = centers(RandomShear(0.5, random_state=0))[:, 1] / 8
    assert 0.49 < shears.max() < 0.51


def test_flips_are_exact():
    """In the given directions, each with probability 1/2."""
    X = np.random.default_rng(0).random((400, 5, 6, 2))
    versions = {"": X, "h": X[:, :, ::-1], "v": X[:, ::-1], "hv": X[:, ::-1, ::-1]}
    for horizontal, vertical in ((True, False), (False, True), (True, True)):
        flipped = RandomFlip(horizontal, vertical, random_state=0).fit_transform(X)
        which = [n for n in versions if "h" not in n or horizontal]
        which = [n for n in which if "v" not in n or vertical]
        found = np.array([[np.array_equal(f, versions[n][i]) for n in which]
                          for i, f in enumerate(flipped)])  # fmt: skip
        assert (found.sum(axis=1) == 1).all()
        assert np.all(np.abs(found.mean(axis=0) - 1 / len(which)) < 0.1)


@pytest.mark.parametrize("fill", MODES)
def test_crops_are_exact(fill):
    """Each is a window of the padded picture."""
    X = np.random.default_rng(0).random((100, 6, 8))
    mode = {"constant": "constant", "edge": "edge", "reflect": "symmetric"}[fill]
    padded = np.pad(X, ((0, 0), (3, 3), (3, 3)), mode=mode)
    crops = RandomCrop(3, fill=fill, random_state=0).fit_transform(X)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (6, 8), axis=(1, 2))
    equal = (windows == crops[:, None, None]).all(axis=(3, 4))
    assert (equal.sum(axis=(1, 2)) >= 1).all()
    assert np.ptp(np.argwhere(equal)[:, 1]) == 6


def test_resized_crops():
    """A linear ramp becomes one of a smaller slope, within the range of the original."""
    X = np.broadcast_to(np.arange(32.0), (300, 32, 32))
    variants = RandomResizedCrop((0.25, 0.5), (1, 1), random_state=0).fit_transform(X)
    slopes = np.median(np.diff(variants[:, 16], axis=1), axis=1)
    assert 0.49 < slopes.min() < 0.53
    assert 0.68 < slopes.max() < 0.72
    assert variants.min() >= 0
    assert variants.max() <= 31


def test_elastic_deformation():
    """The displacement is smooth, and as large as the docstring says."""
    ramp = np.broadcast_to(np.arange(64.0), (200, 64, 64))
    moved = ElasticDeformation(34.0, 4.0, fill="edge", random_state=0).fit_transform(ramp)
    field = (moved - ramp)[:, 16:48, 16:48]
    expected = 34 / (2 * np.sqrt(3 * np.pi) * 4)
    assert field.std() == pytest.approx(expected, rel=0.05)
    assert np.abs(np.diff(field, axis=2)).max() < 1.5
    assert abs(np.corrcoef(field[:, :, :-4].ravel(), field[:, :, 4:].ravel())[0, 1]) > 0.7


def test_blur_agrees_with_scipy():
    """A Gaussian cut at three standard deviations, reflected at the edges."""
    X = pictures(20)
    sigmas = np.linspace(0, 6, 20)
    blurred = core.smooth(X[..., None].copy(), sigmas)[..., 0]
    for x, sigma, out in zip(X, sigmas, blurred, strict=True):
        expected = ndimage.gaussian_filter(x, sigma, truncate=3) if sigma > 0.2 else None
        if expected is not None:
            np.testing.assert_allclose(out, expected, atol=1e-12)
    np.testing.assert_array_equal(blurred[0], X[0])


def test_erasing():
    """One rectangle of constant value, of at most the given share."""
    X = np.random.default_rng(0).random((300, 20, 30)) + 1
    erased = RandomErasing(0.3, fill_value=-7.0, random_state=0).fit_transform(X)
    mask = erased == -7
    np.testing.assert_array_equal(erased[~mask], X[~mask])
    assert 0.25 < mask.mean(axis=(1, 2)).max() <= 0.33
    for m in mask:
        boxes = ndimage.find_objects(m.astype(int))
        assert not boxes or m[boxes[0]].all()


def test_brightness_contrast_noise_and_clip():
    """Each changes what it says."""
    X = np.random.default_rng(0).random((500, 8, 8))
    delta = (RandomBrightness(0.3, random_state=0).fit_transform(X) - X).reshape(500, -1)
    assert np.ptp(delta, axis=1).max() < 1e-12
    assert 0.29 < delta.max() <= 0.3
    contrast = RandomContrast((0.5, 1.5), random_state=0).fit_transform(X)
    np.testing.assert_allclose(contrast.mean(axis=(1, 2)), X.mean(axis=(1, 2)))
    factor = contrast.std(axis=(1, 2)) / X.std(axis=(1, 2))
    assert 0.5 <= factor.min() < 0.52
    assert 1.48 < factor.max() <= 1.5
    noise = GaussianNoise(0.25, random_state=0).fit_transform(X) - X
    assert noise.std() == pytest.approx(0.25, rel=0.02)
    for cls in (RandomBrightness, GaussianNoise):
        clipped = cls(2.0, clip=(0, 1), random_state=0).fit_transform(X)
        assert (clipped.min(), clipped.max()) == (0, 1)


@pytest.mark.parametrize(
    ("augmenter", "message"),
    [
        (RandomRotation(-1), "max_angle"),
        (RandomScale((1.1, 0.9)), "Swap the two numbers"),
        (RandomScale((-1, 1)), "scale_range must be a pair"),
        (RandomScale((0.9, 1.0, 1.1)), "scale_range must be a pair"),
        (RandomShift(-1), "max_shift must be a number >= 0"),
        (RandomShift((1, 2, 3)), "max_shift must be a number >= 0"),
        (RandomAffine(fill="wrap"), "fill"),
        (RandomErasing(1.5), "area"),
        (RandomContrast((-1, 1)), "contrast_range"),
        (RandomBrightness(clip=(1, 0)), "clip must be a pair"),
        (RandomCrop(1.5), "padding"),
        (RandomCrop(2**62), "padding"),
        (RandomErasing(fill_value=np.inf), "fill_value"),
        (ElasticDeformation(sigma=0), "sigma"),
        (ElasticDeformation(sigma=1e30), "'sigma' parameter"),
        (GaussianBlur(1e30), "max_sigma"),
        (GaussianBlur(p=1.5), "'p'"),
    ],
)
def test_wrong_parameters(augmenter, message):
    """Negative and reversed ranges are refused with their name."""
    with pytest.raises(ValueError, match=message):
        augmenter.fit(np.zeros((2, 4, 4)))
