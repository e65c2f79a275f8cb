"""SignalAugmenter, which reads rows as signals, and the augmenters that keep the time axis.

`_augment` gets signals of shape (n, channels, length). A spectrogram is a signal whose channels are
its frequencies, from low to high.
"""

from numbers import Integral, Real

import numpy as np
from scipy.interpolate import CubicSpline
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.augmentation import core
from skreg.augmentation.base import FINITE, Augmenter, checked_range, takes_sparse

NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")
PAIR = [tuple, list, np.ndarray]


class SignalAugmenter(Augmenter):
    """Base class of the augmenters for signals."""

    _parameter_constraints: dict = {
        **Augmenter._parameter_constraints,
        "signal_shape": [tuple, list, None],
    }

    def _row_shape(self, shape):
        if len(shape) > 2:
            raise ValueError(
                f"Found array with dim {len(shape) + 1}, while dim <= 3 is required by "
                f"{type(self).__name__}: (n_samples, channels, length)."
            )
        if self.signal_shape is None:
            return shape if len(shape) == 2 else (1, *shape)
        wanted = tuple(self.signal_shape)
        if len(wanted) not in (1, 2) or not all(isinstance(n, Integral) and n > 0 for n in wanted):
            raise ValueError(
                "signal_shape must be (length,) or (channels, length) with positive integers, got "
                f"{self.signal_shape!r}."
            )
        size = int(np.prod(wanted))
        if shape not in (wanted, (size,)):
            raise ValueError(
                f"signal_shape={wanted} has {size} numbers, but X has samples of shape {shape} "
                f"with {np.prod(shape)} features. Pass rows with {size} features, or another "
                "signal_shape."
            )
        return wanted if len(wanted) == 2 else (1, *wanted)


def pair_of(value):
    """(low, high) of a number or of a range: a number is a range of one point."""
    return (value, value) if isinstance(value, Real) else tuple(value)


def per_signal(values, X):
    """One number a row, in the type of X, ready to be combined with (n, channels, length)."""
    return values.astype(X.dtype)[:, None, None]


class AddNoise(SignalAugmenter):
    """Add noise with a given ratio of the signal's power to the noise's.

    With P the mean square of the row's signal over channels and time and Q that of its noise, the
    noise is multiplied by `sqrt(P / Q / 10 ** (snr / 10))`: the ratio holds exactly for each row,
    not only on average. A silent signal stays silent.

    Parameters
    ----------
    snr_db : float or tuple (low, high), default=20.0
        Signal-to-noise ratio in decibels: of every row, or uniform in a range. `inf` is the
        identity.
    noise : {"white", "pink"} or array-like of shape (n_recordings, length), default="white"
        White noise is independent and normal at each point; pink noise has a power proportional
        to 1 / frequency, without a constant part. From recordings, one is drawn for each row and
        read from a random point on, around its end where it is shorter than the signal; all
        channels get the same.
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
    >>> from skreg.augmentation import AddNoise
    >>> X = np.sin(np.arange(100) / 5).reshape(1, -1)
    >>> noise = AddNoise(10.0, random_state=0).fit_transform(X) - X
    >>> round(float(10 * np.log10((X**2).sum() / (noise**2).sum())), 3)
    10.0
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "snr_db": [Real, *PAIR],
        "noise": [StrOptions({"white", "pink"}), "array-like"],
    }

    def __init__(self, snr_db=20.0, *, noise="white", signal_shape=None, p=1.0, random_state=None):
        self.snr_db = snr_db
        self.noise = noise
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        if self.snr_db != np.inf:
            checked_range("snr_db", pair_of(self.snr_db))

    @takes_sparse
    def _learn(self, X, y):
        if not isinstance(self.noise, str):
            self.recordings_ = check_array(self.noise, dtype=X.dtype, input_name="noise")

    def _augment(self, X, rng):
        if self.snr_db == np.inf:
            return X
        snr = rng.between(*pair_of(self.snr_db))
        noise = self._drawn_noise(X, rng)
        loudness = root_mean_square(noise)
        noise /= per_signal(np.where(loudness > 0, loudness, 1), X)
        noise *= per_signal(root_mean_square(X) * 10 ** (-snr / 20), X)
        X += noise
        return X

    def _drawn_noise(self, X, rng):
        if not isinstance(self.noise, str):
            return self._recorded(X.shape[-1], rng)
        white = rng.normal(X[0].size, X.dtype).reshape(X.shape)
        return white if self.noise == "white" else pink(white)

    def _recorded(self, length, rng):
        n, size = self.recordings_.shape
        which, start = rng.below(n), rng.below(size)
        at = (start[:, None] + np.arange(length)) % size
        return self.recordings_[which[:, None], at][:, None]


def root_mean_square(X):
    """That of each row; in units of its largest value where squares are out of range."""
    power = mean_square(X)
    rms = np.sqrt(power)
    extreme = np.flatnonzero((power < np.finfo(X.dtype).tiny) | (power == np.inf))
    if len(extreme):
        unit = np.abs(X[extreme]).max(axis=(1, 2))
        scaled = X[extreme] / per_signal(np.where(unit > 0, unit, 1), X)
        rms[extreme] = unit * np.sqrt(mean_square(scaled))
    return rms


def mean_square(X):
    """That of each row."""
    return np.einsum("nct,nct->n", X, X) / X[0].size


def pink(white):
    """White noise with its spectrum divided by the root of the frequency."""
    length = white.shape[-1]
    spectrum = np.fft.rfft(white)
    frequency = np.arange(spectrum.shape[-1])
    spectrum *= np.where(frequency > 0, 1 / np.sqrt(np.maximum(frequency, 1)), 0)
    return np.fft.irfft(spectrum, length).astype(white.dtype, copy=False)


class Gain(SignalAugmenter):
    """Multiply each signal by a random factor.

    The factor is `10 ** (g / 20)` with g uniform in `db_range`.

    Parameters
    ----------
    db_range : tuple (low, high), default=(-6.0, 6.0)
        Gain in decibels of the amplitude's square; (0, 0) is the identity.
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
    >>> from skreg.augmentation import Gain
    >>> X = np.array([[1.0, -2.0, 3.0]])
    >>> Gain((6, 6)).fit_transform(X).round(2)
    array([[ 2.  , -3.99,  5.99]])
    """

    _parameter_constraints: dict = {**SignalAugmenter._parameter_constraints, "db_range": PAIR}

    def __init__(self, db_range=(-6.0, 6.0), *, signal_shape=None, p=1.0, random_state=None):
        self.db_range = db_range
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("db_range", self.db_range)

    def _augment(self, X, rng):
        X *= per_signal(10 ** (rng.between(*self.db_range) / 20), X)
        return X


class Drift(SignalAugmenter):
    """Add a slow random curve to each signal, the same to all its channels.

    The curve is a cubic spline through `n_points` values at equal distances, which are normal with
    standard deviation `std`.

    Parameters
    ----------
    std : float, default=0.1
        Standard deviation in the units of X, >= 0; 0 is the identity.
    n_points : int, default=4
        Number of the values, >= 2: more give a quicker curve.
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
    >>> from skreg.augmentation import Drift
    >>> X = np.zeros((1, 6))
    >>> Drift(0.1, random_state=0).fit_transform(X).round(2)
    array([[ 0.03,  0.24,  0.21, -0.03, -0.12,  0.01]])
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "std": [NOT_NEGATIVE],
        "n_points": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(self, std=0.1, *, n_points=4, signal_shape=None, p=1.0, random_state=None):
        self.std = std
        self.n_points = n_points
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        if self.std == 0:
            return X
        curve = self.std * random_curves(rng, self.n_points, X.shape[-1])
        X += curve.astype(X.dtype)[:, None]
        return X


def random_curves(rng, n_points, length):
    """A curve a row, (n_rows, length): the natural cubic spline through normal values."""
    knots = np.linspace(0, max(length - 1, 1), n_points)
    basis = CubicSpline(knots, np.eye(n_points), bc_type="natural")(np.arange(length))
    values = rng.normal(n_points)
    # Term by term: in a matrix product the rounding of a row would depend on the number of rows.
    return sum(values[:, k, None] * basis[:, k] for k in range(n_points))


class TimeMask(SignalAugmenter):
    """Set a random stretch of time to a constant, in all channels (Park et al. 2019).

    Its length is a whole number of points, uniform from 0 to `max_share` of the signal; it lies
    anywhere within the signal.

    Parameters
    ----------
    max_share : float, default=0.2
        Largest share of the length, 0 <= max_share < 1; 0 is the identity.
    fill_value : float, default=0.0
        The constant.
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
    >>> from skreg.augmentation import TimeMask
    >>> X = np.ones((2, 8))
    >>> TimeMask(0.5, random_state=0).fit_transform(X)
    array([[1., 0., 1., 1., 1., 1., 1., 1.],
           [1., 1., 1., 1., 1., 0., 1., 1.]])
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "max_share": [SHARE],
        "fill_value": [FINITE],
    }

    def __init__(
        self, max_share=0.2, *, fill_value=0.0, signal_shape=None, p=1.0, random_state=None
    ):
        self.max_share = max_share
        self.fill_value = fill_value
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        start, length = drawn_stretch(rng, X.shape[2], self.max_share)
        boxes = np.column_stack([0 * start, start, np.full_like(start, X.shape[1]), length])
        core.fill_boxes(X[..., None], boxes, np.full(len(X), self.fill_value))
        return X


class FrequencyMask(SignalAugmenter):
    """Set a random band of a spectrogram to a constant, at all times (Park et al. 2019).

    The channels of the signal are the frequencies. The width of the band is a whole number of
    channels, uniform from 0 to `max_share` of them.

    Parameters
    ----------
    max_share : float, default=0.2
        Largest share of the channels, 0 <= max_share < 1; 0 is the identity.
    fill_value : float, default=0.0
        The constant.
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
    >>> from skreg.augmentation import FrequencyMask
    >>> X = np.ones((1, 4, 6))
    >>> FrequencyMask(0.5, random_state=0).fit_transform(X)[0]
    array([[0., 0., 0., 0., 0., 0.],
           [1., 1., 1., 1., 1., 1.],
           [1., 1., 1., 1., 1., 1.],
           [1., 1., 1., 1., 1., 1.]])
    """

    _parameter_constraints: dict = {
        **SignalAugmenter._parameter_constraints,
        "max_share": [SHARE],
        "fill_value": [FINITE],
    }

    def __init__(
        self, max_share=0.2, *, fill_value=0.0, signal_shape=None, p=1.0, random_state=None
    ):
        self.max_share = max_share
        self.fill_value = fill_value
        self.signal_shape = signal_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        start, width = drawn_stretch(rng, X.shape[1], self.max_share)
        boxes = np.column_stack([start, 0 * start, width, np.full_like(start, X.shape[2])])
        core.fill_boxes(X[..., None], boxes, np.full(len(X), self.fill_value))
        return X


def drawn_stretch(rng, size, max_share):
    """Start and length, for each row, of a stretch of at most that share of an axis."""
    length = rng.below(int(max_share * size) + 1)
    return rng.below(size - length + 1), length
