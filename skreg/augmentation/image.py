"""ImageAugmenter, which reads rows as pictures, and the augmenters that leave pixels in place.

`_augment` gets pictures of shape (n, height, width, channels).
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skreg.augmentation import core
from skreg.augmentation.base import FINITE, Augmenter, checked_range

NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
PAIR = [tuple, list, np.ndarray]
LARGEST_SIGMA = 1e6  # the core's: long before, nothing is left of a picture


class ImageAugmenter(Augmenter):
    """Base class of the augmenters for pictures."""

    _parameter_constraints: dict = {
        **Augmenter._parameter_constraints,
        "image_shape": [tuple, list, None],
    }

    def _row_shape(self, shape):
        if self.image_shape is None:
            return self._shaped(shape)
        return image_row_shape(self.image_shape, shape)

    def _shaped(self, shape):
        if len(shape) == 1:
            raise ValueError(
                f"image_shape=None needs X of shape (n_samples, height, width[, channels]), but X "
                f"has rows of {shape[0]} features. Pass image_shape=(height, width)."
            )
        if len(shape) > 3:
            raise ValueError(
                f"Found array with dim {len(shape) + 1}, while dim <= 4 is required by "
                f"{type(self).__name__}: (n_samples, height, width, channels)."
            )
        return shape if len(shape) == 3 else (*shape, 1)


def image_row_shape(image_shape, shape):
    """(height, width, channels) of samples that come in `shape`, read as `image_shape`."""
    wanted = tuple(image_shape)
    if len(wanted) not in (2, 3) or not all(isinstance(n, Integral) and n > 0 for n in wanted):
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels) with positive "
            f"integers, got {image_shape!r}."
        )
    size = int(np.prod(wanted))
    if shape not in (wanted, (size,)):
        raise ValueError(
            f"image_shape={wanted} has {size} pixels, but X has samples of shape {shape} with "
            f"{np.prod(shape)} features. Pass rows with {size} features, or another image_shape."
        )
    return wanted if len(wanted) == 3 else (*wanted, 1)


class RandomFlip(ImageAugmenter):
    """Mirror each picture, in each of the given directions with probability 1/2.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether left and right may change places; both False is the identity.
    vertical : bool, default=False
        Whether top and bottom may change places.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import RandomFlip
    >>> X = np.tile([1, 2, 3], (4, 1))
    >>> RandomFlip(image_shape=(1, 3), random_state=0).fit_transform(X)
    array([[3., 2., 1.],
           [3., 2., 1.],
           [1., 2., 3.],
           [3., 2., 1.]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "horizontal": ["boolean"],
        "vertical": ["boolean"],
    }

    def __init__(
        self, horizontal=True, vertical=False, *, image_shape=None, p=1.0, random_state=None
    ):
        self.horizontal = horizontal
        self.vertical = vertical
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        left_right, top_bottom = (rng.uniform(2) < 0.5).T
        if self.horizontal:
            X[left_right] = X[left_right, :, ::-1]
        if self.vertical:
            X[top_bottom] = X[top_bottom, ::-1]
        return X


class RandomErasing(ImageAugmenter):
    """Set a random rectangle of each picture to a constant (Zhong et al. 2020; also "cutout").

    Its share of the area is uniform in [0, area] and its ratio of height to width log-uniform in
    `ratio`; the rectangle lies anywhere within the picture.

    Parameters
    ----------
    area : float, default=0.2
        Largest share of the picture's area, 0 <= area < 1; 0 is the identity.
    ratio : tuple (low, high), default=(0.3, 3.3)
        Range of height over width, in units of the picture's, > 0.
    fill_value : float, default=0.0
        The constant; 0 is the mean after standardizing.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import RandomErasing
    >>> X = np.ones((1, 4, 6))
    >>> RandomErasing(0.5, random_state=0).fit_transform(X)[0]
    array([[1., 1., 1., 1., 1., 1.],
           [1., 1., 0., 0., 0., 0.],
           [1., 1., 1., 1., 1., 1.],
           [1., 1., 1., 1., 1., 1.]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "area": [Interval(Real, 0, 1, closed="left")],
        "ratio": PAIR,
        "fill_value": [FINITE],
    }

    def __init__(
        self,
        area=0.2,
        ratio=(0.3, 3.3),
        *,
        fill_value=0.0,
        image_shape=None,
        p=1.0,
        random_state=None,
    ):
        self.area = area
        self.ratio = ratio
        self.fill_value = fill_value
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("ratio", self.ratio, lowest=0.01)

    def _augment(self, X, rng):
        boxes = drawn_boxes(rng, *X.shape[1:3], rng.between(0, self.area), self.ratio)
        return core.fill_boxes(X, boxes, np.full(len(X), self.fill_value))


def drawn_boxes(rng, height, width, area, ratio):
    """Boxes (top, left, height, width) with shares `area` of a picture, anywhere within it.

    `ratio` is the range of height over width in units of the picture's.
    """
    aspect = np.exp(rng.between(*np.log(ratio)))
    tall = np.minimum(np.rint(height * np.sqrt(area * aspect)), height).astype(np.int64)
    wide = np.minimum(np.rint(width * np.sqrt(area / aspect)), width).astype(np.int64)
    top, left = rng.below(height - tall + 1), rng.below(width - wide + 1)
    return np.column_stack([top, left, tall, wide])


class RandomBrightness(ImageAugmenter):
    """Add a random number to all pixels of a picture.

    The number is uniform in [-max_delta, max_delta].

    Parameters
    ----------
    max_delta : float, default=0.2
        In the units of X, >= 0; 0 is the identity.
    clip : tuple (low, high), optional
        Range of the pixels of the result, such as (0, 1). None: they are not clipped.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import RandomBrightness
    >>> X = np.tile([0.0, 0.5, 1.0], (2, 1))
    >>> RandomBrightness(0.2, image_shape=(1, 3), random_state=0).fit_transform(X).round(2)
    array([[-0.05,  0.45,  0.95],
           [-0.09,  0.41,  0.91]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "max_delta": [NOT_NEGATIVE],
        "clip": [*PAIR, None],
    }

    def __init__(self, max_delta=0.2, *, clip=None, image_shape=None, p=1.0, random_state=None):
        self.max_delta = max_delta
        self.clip = clip
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        check_clip(self.clip)

    def _augment(self, X, rng):
        delta = rng.between(-self.max_delta, self.max_delta)
        if self.max_delta == 0:
            return X
        X += per_row(delta, X)
        return clipped(X, self.clip)


class RandomContrast(ImageAugmenter):
    """Multiply the distance of each pixel to the mean of its picture by a random factor.

    `x` becomes `mean + factor * (x - mean)`, with the mean over pixels and channels, and the factor
    uniform in `contrast_range`.

    Parameters
    ----------
    contrast_range : tuple (low, high), default=(0.7, 1.3)
        Factors >= 0; (1, 1) is the identity.
    clip : tuple (low, high), optional
        Range of the pixels of the result, such as (0, 1). None: they are not clipped.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import RandomContrast
    >>> X = np.array([[0.0, 0.5, 1.0]])
    >>> RandomContrast((0.5, 0.5), image_shape=(1, 3)).fit_transform(X)
    array([[0.25, 0.5 , 0.75]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "contrast_range": PAIR,
        "clip": [*PAIR, None],
    }

    def __init__(
        self, contrast_range=(0.7, 1.3), *, clip=None, image_shape=None, p=1.0, random_state=None
    ):
        self.contrast_range = contrast_range
        self.clip = clip
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("contrast_range", self.contrast_range, lowest=0)
        check_clip(self.clip)

    def _augment(self, X, rng):
        low, high = self.contrast_range
        if low == high == 1:
            return X
        factor = per_row(rng.between(low, high), X)
        mean = X.mean(axis=(1, 2, 3), keepdims=True)
        return clipped(mean + factor * (X - mean), self.clip)


class GaussianBlur(ImageAugmenter):
    """Convolve each picture with a Gaussian of random width.

    Its standard deviation is uniform in [0, max_sigma]. The Gaussian is cut at three standard
    deviations, the picture reflected at its edges, as `scipy.ndimage.gaussian_filter` does with
    truncate=3.

    Parameters
    ----------
    max_sigma : float, default=1.0
        Largest standard deviation in pixels, 0 <= max_sigma <= 1e6; 0 is the identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import GaussianBlur
    >>> X = np.diag([0.0, 1.0, 0.0]).reshape(1, 3, 3)
    >>> GaussianBlur(1.0, random_state=0).fit_transform(X)[0].round(2)
    array([[0.  , 0.03, 0.  ],
           [0.03, 0.88, 0.03],
           [0.  , 0.03, 0.  ]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "max_sigma": [Interval(Real, 0, LARGEST_SIGMA, closed="both")],
    }

    def __init__(self, max_sigma=1.0, *, image_shape=None, p=1.0, random_state=None):
        self.max_sigma = max_sigma
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        return core.smooth(X, rng.between(0, self.max_sigma))


class GaussianNoise(ImageAugmenter):
    """Add independent normal noise to each pixel and channel.

    Parameters
    ----------
    std : float, default=0.1
        Standard deviation in the units of X, >= 0; 0 is the identity.
    clip : tuple (low, high), optional
        Range of the pixels of the result, such as (0, 1). None: they are not clipped.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
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
    >>> from skreg.augmentation import GaussianNoise
    >>> X = np.full((1, 100, 100), 0.5)
    >>> X_new = GaussianNoise(0.1, clip=(0, 1), random_state=0).fit_transform(X)
    >>> round(float(X_new.std()), 2)
    0.1
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "std": [NOT_NEGATIVE],
        "clip": [*PAIR, None],
    }

    def __init__(self, std=0.1, *, clip=None, image_shape=None, p=1.0, random_state=None):
        self.std = std
        self.clip = clip
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        check_clip(self.clip)

    def _augment(self, X, rng):
        if self.std == 0:
            return X
        noise = rng.normal(X[0].size, X.dtype)
        noise *= X.dtype.type(self.std)
        X += noise.reshape(X.shape)
        return clipped(X, self.clip)


def per_row(values, X):
    """One number a row, in the type of X, ready to be combined with it."""
    return values.astype(X.dtype).reshape(-1, *[1] * (X.ndim - 1))


def check_clip(clip):
    """None, or a range."""
    if clip is not None:
        checked_range("clip", clip)


def clipped(X, clip):
    """X within clip, where it is given."""
    return X if clip is None else np.clip(X, *clip, out=X)
