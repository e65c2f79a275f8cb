"""Signals moved or bent in time, and moved in pitch.

A TimingAugmenter writes `_shifts(rng, length)`: point j of the variant is the signal at the time
j + shift[j], by linear interpolation between its points. All channels move alike.
"""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.augmentation import core
from skreg.augmentation.base import checked_range
from skreg.augmentation.signal import NOT_NEGATIVE, PAIR, SignalAugmenter, random_curves


class TimingAugmenter(SignalAugmenter):
    """Base class of augmenters with a map of the time axis a row; a subclass writes `_shifts`."""

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "fill": [StrOptions({"constant", "edge", "reflect"})],
    }

    def _augment(self, X, rng):
        return core.warp_time(X, self._shifts(rng, X.shape[-1]), fill=self.fill)

    @abstractmethod
    def _shifts(self, rng, length):
        """How much later in the signal each point is read, in points; (n_rows, length)."""


class TimeShift(TimingAugmenter):
    """Move each signal in time by a random number of points, whole or not.

    The shift is uniform in [-max_shift, max_shift], to later times where positive.

    Parameters
    ----------
    max_shift : float, default=0.1
        Largest shift, >= 0. Below 1 a share of the length, else points; 0 is the identity.
    fill : {"constant", "edge", "reflect", "wrap"}, default="constant"
        What comes before and after the signal: zeros, its first and last value, its mirror, or its
        other end.
    signal_shape : tuple (length,) or (channels, length), optional
        How to read a row with channels * length features. None: a row is one channel, or X is
        given in the shape (n_samples, channels, length).
    p : float, default=1.0
        Probability, for each row, of being changed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import TimeShift
    >>> X = np.arange(6.0).reshape(1, -1)
    >>> TimeShift(2, fill="edge", random_state=0).fit_transform(X).round(2)
    array([[0.46, 1.46, 2.46, 3.46, 4.46, 5.  ]])
    """

    _parameter_constraints: dict = {
        **TimingAugmenter._parameter_constraints,
        "fill": [StrOptions({"constant", "edge", "reflect", "wrap"})],
        "max_shift": [NOT_NEGATIVE],
    }

    def __init__(
        self, max_shift=0.1, *, fill="constant", signal_shape=None, p=1.0, random_state=None
    ):
        self.max_shift = max_shift
        self.fill = fill
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        if self.fill != "wrap" or self.max_shift == 0:
            return super()._augment(X, rng)
        length = X.shape[-1]
        return read_around(X, np.fmod(self._shifts(rng, length)[:, :1], length))

    def _shifts(self, rng, length):
        largest = self.max_shift * length if self.max_shift < 1 else self.max_shift
        return np.repeat(rng.between(largest, -largest)[:, None], length, axis=1)


def read_around(X, shifts):
    """Signals with out[j] = in[j + shifts[j]], whose end is followed by their begin."""
    length = X.shape[-1]
    times = np.arange(length) + shifts
    before = np.floor(times)
    share = (times - before).astype(X.dtype)[:, None]
    at = before.astype(np.int64)[:, None] % length
    here, there = (np.take_along_axis(X, i, axis=2) for i in (at, (at + 1) % length))
    return here + share * (there - here)


class TimeStretch(TimingAugmenter):
    """Play each signal faster or slower around its middle, as a tape: the pitch goes with it.

    Point j of the variant is the signal at `c + rate * (j - c)`, c the middle, with the rate
    uniform in `rate_range`. The length stays: a slower signal loses its ends, a faster one is
    filled. :class:`PitchShift` moves the pitch alone.

    Parameters
    ----------
    rate_range : tuple (low, high), default=(0.9, 1.1)
        Speeds > 0; above 1 is faster and shorter. (1, 1) is the identity.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What comes before and after the signal: zeros, its first and last value, or its mirror.
    signal_shape : tuple (length,) or (channels, length), optional
        How to read a row with channels * length features. None: a row is one channel, or X is
        given in the shape (n_samples, channels, length).
    p : float, default=1.0
        Probability, for each row, of being changed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import TimeStretch
    >>> X = np.arange(1.0, 8.0).reshape(1, -1)
    >>> TimeStretch((2, 2)).fit_transform(X)
    array([[0., 0., 2., 4., 6., 0., 0.]])
    """

    _parameter_constraints: dict = {**TimingAugmenter._parameter_constraints, "rate_range": PAIR}

    def __init__(
        self,
        rate_range=(0.9, 1.1),
        *,
        fill="constant",
        signal_shape=None,
        p=1.0,
        random_state=None,
    ):
        self.rate_range = rate_range
        self.fill = fill
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("rate_range", self.rate_range, lowest=0.01)

    def _shifts(self, rng, length):
        from_middle = np.arange(length) - (length - 1) / 2
        return (rng.between(*self.rate_range) - 1)[:, None] * from_middle


class TimeWarp(TimingAugmenter):
    """Bend the time axis of each signal smoothly: parts of it get faster, others slower.

    The logarithm of the speed is a cubic spline through `n_points` normal values with standard
    deviation `std`; time is the integral of the speed, scaled so that both ends stay in place
    (after Um et al. 2017).

    Parameters
    ----------
    std : float, default=0.2
        Standard deviation of the logarithm of the speed, >= 0; 0 is the identity.
    n_points : int, default=4
        Number of the values along the signal, >= 2.
    signal_shape : tuple (length,) or (channels, length), optional
        How to read a row with channels * length features. None: a row is one channel, or X is
        given in the shape (n_samples, channels, length).
    p : float, default=1.0
        Probability, for each row, of being changed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import TimeWarp
    >>> X = np.arange(6.0).reshape(1, -1)
    >>> TimeWarp(0.5, random_state=0).fit_transform(X).round(2)
    array([[0.  , 0.71, 3.05, 4.03, 4.36, 5.  ]])
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "std": [NOT_NEGATIVE],
        "n_points": [Interval(Integral, 2, None, closed="left")],
    }
    fill = "edge"  # the ends stay in place: nothing beyond them is read

    def __init__(self, std=0.2, *, n_points=4, signal_shape=None, p=1.0, random_state=None):
        self.std = std
        self.n_points = n_points
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _shifts(self, rng, length):
        if self.std == 0 or length < 2:
            return np.zeros((len(rng.rows), length))
        curves = random_curves(rng, self.n_points, length - 1)
        steps = np.exp(self.std * (curves - curves.max(axis=1, keepdims=True)))  # at most 1
        times = np.zeros((len(steps), length))
        np.cumsum(steps, axis=1, out=times[:, 1:])
        times *= (length - 1) / times[:, -1:]
        return times - np.arange(length)


class PitchShift(SignalAugmenter):
    """Raise or lower the pitch of each sound; its length and timing stay.

    A phase vocoder (Flanagan and Golden 1966): in the short-time Fourier transform, with windows
    of `window` points that overlap by three quarters, every component moves from its frequency f
    to `f * 2 ** (s / 12)`, with s uniform in [-max_semitones, max_semitones].

    Parameters
    ----------
    max_semitones : float, default=2.0
        Largest shift in semitones, 0 <= max_semitones <= 24; 0 is the identity.
    window : int, default=512
        Length of the window in points, a multiple of 4: about 30 to 60 ms of sound. A signal that
        is shorter is seen through a window of its own length.
    signal_shape : tuple (length,) or (channels, length), optional
        How to read a row with channels * length features. None: a row is one channel, or X is
        given in the shape (n_samples, channels, length).
    p : float, default=1.0
        Probability, for each row, of being changed.
    random_state : int, RandomState instance or None, default=None
        An int gives the same variants in every call.

    Attributes
    ----------
    sample_shape_ : tuple
        Shape of the samples seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg.augmentation import PitchShift
    >>> X = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).reshape(1, -1)
    >>> X_new = PitchShift(12, random_state=0).fit_transform(X)
    >>> int(abs(np.fft.rfft(X[0])).argmax()), int(abs(np.fft.rfft(X_new[0])).argmax())
    (440, 375)
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "max_semitones": [Interval(Real, 0, 24, closed="both")],
        "window": [Interval(Integral, 8, None, closed="left")],
    }

    def __init__(
        self, max_semitones=2.0, *, window=512, signal_shape=None, p=1.0, random_state=None
    ):
        self.max_semitones = max_semitones
        self.window = window
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        if self.window % 4:
            raise ValueError(f"window must be a multiple of 4, got {self.window}.")

    def _augment(self, X, rng):
        if self.max_semitones == 0:
            return X
        length = X.shape[-1]
        window = min(self.window, max(8, -(-length // 4) * 4))
        ratios = 2 ** (rng.between(-self.max_semitones, self.max_semitones) / 12)
        sounds = X.reshape(-1, length)
        ratios = np.repeat(ratios, len(sounds) // len(X))
        # Sounds of similar ratio have similar numbers of frames: together they waste little.
        n_together = max(1, POINTS_TOGETHER // max(length, window))
        order = np.argsort(ratios, kind="stable")
        for begin in range(0, len(order), n_together):
            rows = order[begin : begin + n_together]
            sounds[rows] = pitch_shifted(sounds[rows], ratios[rows], window)
        return sounds.reshape(X.shape)


POINTS_TOGETHER = 2**12  # of sounds that are shifted at once: what is made of them fits a cache


def pitch_shifted(x, ratio, window):
    """Sounds (n, length) with their pitches multiplied by ratio (n,): stretched, then resampled."""
    spectra = short_time_spectra(x, window)
    stretched = overlapped(stretched_spectra(spectra, ratio), window)
    # Frame k, whose middle is half a window behind its begin, shows the time of frame k / ratio.
    at = ratio[:, None] * (window / 2 + np.arange(x.shape[1])) + window / 2
    before = np.minimum(at.astype(np.int64), stretched.shape[1] - 2)
    values = [np.take_along_axis(stretched, before + k, axis=1) for k in (0, 1)]
    return values[0] + (at - before) * (values[1] - values[0])


def hann(window):
    """The periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


def short_time_spectra(x, window):
    """Spectra (n, n_frames, n_bins) of windowed frames, a quarter of a window apart."""
    hop = window // 4
    padded = np.pad(x, ((0, 0), (window, 2 * window + hop - x.shape[1] % hop)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::hop]
    return np.fft.rfft(frames * hann(window))


def stretched_spectra(spectra, ratio):
    """Spectra of the sounds at 1 / ratio of their speeds and at their pitches.

    A frame lies between two of the original: its magnitudes are theirs interpolated, its phases
    those of the frame before plus the advance from one of the two to the other. Phases are kept as
    complex numbers of modulus 1, so that they add by multiplication.
    """
    n_original = spectra.shape[1]
    # As many frames as the largest ratio needs; the others' last ones lie behind their ends.
    times = np.arange(int((n_original - 2) * ratio.max())) / ratio[:, None]
    before = np.minimum(times.astype(np.int64), n_original - 2)
    share = np.minimum(times - before, 1)[..., None]
    magnitude = np.abs(spectra)
    phase = np.divide(spectra, magnitude, out=np.ones_like(spectra), where=magnitude > 0)
    sounds = np.arange(len(spectra))[:, None]
    here, there = phase[sounds, before], phase[sounds, before + 1]
    magnitude = (1 - share) * magnitude[sounds, before] + share * magnitude[sounds, before + 1]
    turn = here.conj()  # from the phases of the frame before to those of the sound so far
    advance = there * turn
    turn[:, 0] = 1
    turn[:, 1:] *= here[:, :1] * np.cumprod(advance[:, :-1], axis=1)
    # Bins around a peak belong to one component: they keep their phases relative to the peak's.
    return magnitude * here * np.take_along_axis(turn, nearest_peak(magnitude), axis=-1)


def nearest_peak(magnitude):
    """For each bin of each frame, the bin of the nearest local maximum along the frame."""
    n_bins = magnitude.shape[-1]
    is_peak = np.ones(magnitude.shape, dtype=bool)
    is_peak[..., 1:] = magnitude[..., 1:] >= magnitude[..., :-1]
    is_peak[..., :-1] &= magnitude[..., :-1] > magnitude[..., 1:]
    bins = np.arange(n_bins)
    below = np.maximum.accumulate(np.where(is_peak, bins, -n_bins), axis=-1)
    above = np.where(is_peak, bins, 2 * n_bins)[..., ::-1]
    above = np.minimum.accumulate(above, axis=-1)[..., ::-1]
    return np.where(bins - below <= above - bins, below, above)


def overlapped(spectra, window):
    """The sounds (n_frames + 3) * window / 4 points long whose windowed frames these are."""
    hop, (n, n_frames, _) = window // 4, spectra.shape
    frames = np.fft.irfft(spectra, window) * hann(window)
    out = np.zeros((n, n_frames + 3, hop))
    for k in range(4):
        out[:, k : k + n_frames] += frames[..., k * hop : (k + 1) * hop]
    return out.reshape(n, -1) / 1.5  # the sum of four squared windows
