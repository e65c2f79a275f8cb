"""Signals: ratios of power, shifts, stretches, pitch, masks, drifts."""

import numpy as np
import pytest

from skreg.augmentation import (
    AddNoise,
    Drift,
    FrequencyMask,
    Gain,
    PitchShift,
    TimeMask,
    TimeShift,
    TimeStretch,
    TimeWarp,
)
from skreg.augmentation.timing import pitch_shifted

RATE = 8000


def tones(n, frequency=440.0, length=RATE):
    """Tones with random phases."""
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, (n, 1))
    return np.sin(2 * np.pi * frequency * np.arange(length) / RATE + phase)


def decibels(signal, noise):
    """Ratio of the powers of each row."""
    axes = tuple(range(1, signal.ndim))
    return 10 * np.log10((signal**2).mean(axis=axes) / (noise**2).mean(axis=axes))


RECORDINGS = np.random.default_rng(1).normal(size=(3, 700)) * [[1.0], [100.0], [0.01]]


@pytest.mark.parametrize("noise", ["white", "pink", RECORDINGS], ids=["white", "pink", "given"])
def test_the_ratio_is_the_one_asked_for(noise):
    """Within 0.2 dB for each of 1000 signals, of one channel or two."""
    X = tones(1000, length=2000) * np.linspace(0.01, 100, 1000)[:, None]
    for shape in ((2000,), (2, 1000)):
        samples = X.reshape(1000, *shape)
        noisy = AddNoise(7.0, noise=noise, random_state=0).fit_transform(samples)
        assert np.abs(decibels(samples, noisy - samples) - 7).max() < 0.2
    noisy = AddNoise((0, 20), noise=noise, random_state=0).fit_transform(X)
    ratio = decibels(X, noisy - X)
    assert -0.2 < ratio.min() < 0.2
    assert 19.8 < ratio.max() < 20.2
    assert abs(ratio.mean() - 10) < 1


def test_noise_has_its_color():
    """White is flat; pink falls by 3 dB an octave; recordings come back as they are."""
    X = np.ones((400, 1024))

    def octaves(noise):
        added = AddNoise(0.0, noise=noise, random_state=0).fit_transform(X) - X
        power = (np.abs(np.fft.rfft(added)) ** 2).mean(axis=0)
        return 10 * np.log10([power[k : 2 * k].mean() for k in (4, 16, 64, 256)])

    assert np.ptp(octaves("white")) < 0.5
    np.testing.assert_allclose(np.diff(octaves("pink")), -10 * np.log10(4), atol=0.5)
    added = AddNoise(0.0, noise=RECORDINGS, random_state=0).fit_transform(X) - X
    tiled = np.tile(RECORDINGS, 3)
    windows = np.lib.stride_tricks.sliding_window_view(tiled, 1024, axis=1)[:, :700]
    windows = windows / np.linalg.norm(windows, axis=2, keepdims=True)
    best = np.einsum("rwt,nt->nrw", windows, added[:20] / 32).max(axis=(1, 2))
    np.testing.assert_allclose(best, 1, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_ratio_of_extreme_powers(scale):
    """Their squares are out of range, the ratio is not."""
    X = tones(20, length=700)
    for signals, recordings in ((X, RECORDINGS * scale), (X * scale, RECORDINGS)):
        noisy = AddNoise(7.0, noise=recordings, random_state=0).fit_transform(signals)
        ratio = decibels(signals / signals.max(), (noisy - signals) / signals.max())
        np.testing.assert_allclose(ratio, 7)


def test_silence_stays_silent():
    """No ratio can be had with it, nor with silent noise."""
    X = np.zeros((3, 50))
    np.testing.assert_array_equal(AddNoise(0.0).fit_transform(X), X)
    silence = AddNoise(0.0, noise=np.zeros((1, 7)))
    np.testing.assert_array_equal(silence.fit_transform(X + 1), X + 1)


def test_gain():
    """In decibels, for all channels alike."""
    X = np.random.default_rng(0).normal(size=(500, 2, 20))
    ratio = Gain((-6, 12), random_state=0).fit_transform(X) / X
    assert np.ptp(ratio, axis=(1, 2)).max() < 1e-12
    gain = 20 * np.log10(ratio[:, 0, 0])
    assert -6 <= gain.min() < -5.8
    assert 11.8 < gain.max() <= 12


def test_time_shift():
    """Both ways, fractions interpolated, zeros or edges in the gap."""
    X = np.broadcast_to(np.arange(100.0) + 1, (400, 100))
    for max_shift, largest in ((5.0, 5.0), (0.05, 5.0)):
        moved = TimeShift(max_shift, random_state=0).fit_transform(X)
        shift = X[:, 50] - moved[:, 50]
        np.testing.assert_allclose(moved[:, 10:90], X[:, 10:90] - shift[:, None])
        assert 0.97 * largest < np.abs(shift).max() <= largest
        assert (moved[:, 0][shift > 1] == 0).all()
    edge = TimeShift(5.0, fill="edge", random_state=0).fit_transform(X)
    assert (edge.min(), edge.max()) == (1, 100)
    wave = np.broadcast_to(np.sin(2 * np.pi * np.arange(100) / 100), (50, 3, 100))
    around = TimeShift(40.0, fill="wrap", random_state=0).fit_transform(wave)
    np.testing.assert_allclose(np.abs(np.fft.rfft(around)[..., 1]), 50, rtol=1e-2)
    assert np.abs(np.diff(around, axis=2)).max() < 0.07
    far = TimeShift(1e300, fill="wrap", random_state=0).fit_transform(wave)
    np.testing.assert_allclose(np.sort(far), np.sort(wave), atol=1e-12)


def test_time_stretch():
    """A ramp becomes steeper by the rate, around the middle."""
    X = np.broadcast_to(np.arange(101.0) - 50, (400, 101))
    stretched = TimeStretch((0.5, 1.5), random_state=0).fit_transform(X)
    rate = np.diff(stretched[:, 45:56], axis=1)
    assert np.ptp(rate, axis=1).max() < 1e-9
    assert 0.5 <= rate.min() < 0.51
    assert 1.49 < rate.max() <= 1.5
    np.testing.assert_allclose(stretched[:, 50], 0, atol=1e-12)


def test_time_warp():
    """Time goes on, from the first point to the last; channels bend alike."""
    ramp = np.arange(200.0)
    X = np.stack([np.stack([ramp, -ramp])] * 300)
    warped = TimeWarp(0.3, random_state=0).fit_transform(X)
    speed = np.diff(warped[:, 0], axis=1)
    assert speed.min() > 0
    np.testing.assert_allclose(warped[:, 0], -warped[:, 1])
    np.testing.assert_allclose(warped[:, 0, [0, -1]], [[0, 199]] * 300, atol=1e-9)
    assert 0.15 < np.log(speed).std() < 0.4
    extreme = TimeWarp(1e300, random_state=0).fit_transform(X)
    assert np.diff(extreme[:, 0], axis=1).min() >= 0
    np.testing.assert_allclose(extreme[:, 0, [0, -1]], [[0, 199]] * 300, atol=1e-9)


@pytest.mark.parametrize("length", [4000, 7777])
def test_pitch_shift(length):
    """The tone moves by semitones, the power and the moment of a click train stay."""
    X = tones(12, length=length)
    augmenter = PitchShift(12, random_state=0)
    shifted = augmenter.fit_transform(X)
    spectra = np.abs(np.fft.rfft(shifted * np.hanning(length), 8 * length))
    semitones = 12 * np.log2(spectra.argmax(axis=1) / (8 * length) * RATE / 440)
    assert np.abs(semitones).max() <= 12.1
    assert np.ptp(semitones) > 12
    middle = slice(length // 4, 3 * length // 4)
    power = (shifted[:, middle] ** 2).mean(axis=1)
    np.testing.assert_allclose(power, 0.5, rtol=0.1)
    burst = X * (np.abs(np.arange(length) - length / 2) < length / 5)
    moved = augmenter.fit_transform(burst)
    center = (moved**2 * np.arange(length)).sum(axis=1) / (moved**2).sum(axis=1)
    np.testing.assert_allclose(center, length / 2, atol=0.01 * length)


@pytest.mark.parametrize("length", [1, 3, 40, 400])
def test_pitch_shift_of_short_signals(length):
    """A window is no longer than its signal, and costs no more."""
    X = tones(12, length=length)
    own = PitchShift(12, window=max(8, length + -length % 4), random_state=0).fit_transform(X)
    for window in (512, 10**6):
        shifted = PitchShift(12, window=window, random_state=0).fit_transform(X)
        np.testing.assert_array_equal(shifted, own)


def test_pitch_shift_of_a_sound_does_not_depend_on_the_others():
    """Sounds that are shifted together have as many frames as the longest of them needs."""
    X, ratios = tones(6, length=500), np.array([0.25, 0.9, 1.0, 1.1, 2.0, 4.0])
    together = pitch_shifted(X, ratios, 64)
    for i in range(len(X)):
        alone = pitch_shifted(X[i : i + 1], ratios[i : i + 1], 64)
        np.testing.assert_array_equal(together[i : i + 1], alone)


def test_masks():
    """A stretch of time in all channels, a band of frequencies at all times."""
    X = np.random.default_rng(0).random((400, 20, 50)) + 1
    for cls, axis in ((TimeMask, 1), (FrequencyMask, 2)):
        masked = cls(0.3, fill_value=-1.0, random_state=0).fit_transform(X)
        mask = masked == -1
        np.testing.assert_array_equal(masked[~mask], X[~mask])
        lines = mask.any(axis=axis)
        np.testing.assert_array_equal(lines, mask.all(axis=axis))
        starts = (np.diff(lines.astype(int), prepend=0, axis=1) == 1).sum(axis=1)
        assert starts.max() == 1
        assert lines.mean(axis=1).max() == 0.3
        assert set(lines.sum(axis=1)) == set(range(int(0.3 * lines.shape[1]) + 1))


def test_drift():
    """A slow curve with the given deviation at its points, the same in all channels."""
    X = np.zeros((4000, 2, 60))
    curve = Drift(0.5, n_points=4, random_state=0).fit_transform(X)
    np.testing.assert_array_equal(curve[:, 0], curve[:, 1])
    assert curve[:, 0, 0].std() == pytest.approx(0.5, rel=0.05)
    assert np.abs(np.diff(curve[:, 0], axis=1)).max() < 0.4


@pytest.mark.parametrize(
    ("augmenter", "message"),
    [
        (AddNoise((20, 0)), "Swap the two numbers"),
        (AddNoise(noise="brown"), "noise"),
        (AddNoise(noise=[[np.nan, 1.0]]), "noise contains NaN"),
        (Gain((3, -3)), "db_range must be a pair"),
        (TimeStretch((0, 1)), "rate_range must be a pair"),
        (TimeMask(1.0), "max_share"),
        (PitchShift(window=510), "multiple of 4"),
        (PitchShift(-1), "max_semitones"),
        (Drift(n_points=1), "n_points"),
        (TimeShift(-0.1), "max_shift"),
        (Gain(signal_shape=(3, 9)), r"\(3, 9\) has 27 numbers, .* with 30 features"),
    ],
)
def test_wrong_parameters(augmenter, message):
    """Negative and reversed ranges are refused with their name."""
    with pytest.raises(ValueError, match=message):
        augmenter.fit(np.ones((2, 30)))
