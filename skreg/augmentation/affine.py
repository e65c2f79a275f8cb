"""Pictures moved as a whole: rotation, scale, shift, shear, crops, elastic deformation.

An AffineAugmenter writes `_maps(rng, height, width)`: for each row the numbers m of the map that
gives the pixel (i, j) of the variant the value at (m0 i + m1 j + m2, m3 i + m4 j + m5) of the
original. The center of a picture is ((height - 1) / 2, (width - 1) / 2).
"""

from abc import abstractmethod
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.augmentation import core
from skreg.augmentation.base import FINITE, checked_range
from skreg.augmentation.image import ImageAugmenter

NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
PAIR = [tuple, list, np.ndarray]


class WarpingAugmenter(ImageAugmenter):
    """Base class of augmenters that read pictures between their pixels and beyond their edges."""

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "interpolation": [StrOptions({"bilinear", "nearest"})],
        "fill": [StrOptions({"constant", "edge", "reflect"})],
        "fill_value": [FINITE],
    }

    @property
    def _sampling(self):
        return {
            "interpolation": self.interpolation,
            "fill": self.fill,
            "fill_value": float(self.fill_value),
        }


class AffineAugmenter(WarpingAugmenter):
    """Base class of augmenters with one map of coordinates a row; a subclass writes `_maps`."""

    def _augment(self, X, rng):
        return core.affine(X, self._maps(rng, *X.shape[1:3]), **self._sampling)

    @abstractmethod
    def _maps(self, rng, height, width):
        """The maps, of shape (n_rows, 6)."""


def affine_maps(n, height, width, *, angle=0.0, scale=1.0, shear=0.0, shift=(0.0, 0.0)):
    """Maps of shape (n, 6) that scale, then shear, then rotate around the center, then shift.

    `angle` in degrees counterclockwise, `scale` above 1 enlarges, `shear` moves columns by so many
    pixels for each row below the center, `shift` is (down, right) in pixels. With s, k, a for
    scale, shear and angle, and v = (row, column) seen from the center, a pixel at v goes to

        [[cos a, -sin a], [sin a, cos a]] [[1, 0], [k, 1]] s v + shift,

    and the map is the inverse of this.
    """
    angle = np.deg2rad(angle)
    cosine, sine = np.cos(angle), np.sin(angle)
    center = (height - 1) / 2, (width - 1) / 2
    maps = np.empty((n, 2, 3))
    maps[:, 0, 0] = cosine / scale
    maps[:, 0, 1] = sine / scale
    maps[:, 1, 0] = (-shear * cosine - sine) / scale
    maps[:, 1, 1] = (cosine - shear * sine) / scale
    down, right = center[0] + shift[0], center[1] + shift[1]
    for axis in range(2):
        maps[:, axis, 2] = center[axis] - maps[:, axis, 0] * down - maps[:, axis, 1] * right
    return maps.reshape(n, 6)


def drawn_shift(rng, max_shift, height, width):
    """(down, right) for each row, in pixels, from a `max_shift` in pixels or as a share."""
    largest = np.broadcast_to(np.asarray(max_shift, dtype=np.float64), 2)
    pixels = np.where(largest < 1, largest * (height, width), largest)
    return tuple(rng.between(-limit, limit) for limit in pixels)


def check_shift(max_shift):
    """A number or a pair of numbers, none negative."""
    values = np.asarray(max_shift)
    numeric = values.dtype.kind in "fiu" and values.shape in ((), (2,))
    if not numeric or not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError(
            f"max_shift must be a number >= 0, or a pair (down, right) of them, got {max_shift!r}. "
            "Numbers below 1 are shares of the height and the width, others count pixels."
        )


class RandomRotation(AffineAugmenter):
    """Rotate each picture around its center by a random angle.

    The angle is uniform in [-max_angle, max_angle], counterclockwise where positive.

    Parameters
    ----------
    max_angle : float, default=15.0
        Largest angle in degrees, >= 0; 0 is the identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What lies beyond the edges, as `scipy.ndimage` with the modes "grid-constant", "nearest"
        (the pixel at the edge) and "reflect" (mirrored, with the pixel at the edge twice).
    fill_value : float, default=0.0
        The constant beyond the edges.
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
    >>> from skreg.augmentation import RandomRotation
    >>> X = np.eye(3).reshape(1, 3, 3)
    >>> RandomRotation(90, random_state=0).fit_transform(X)[0].round(2)
    array([[0.41, 0.38, 0.  ],
           [0.04, 1.  , 0.04],
           [0.  , 0.38, 0.41]])
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "max_angle": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        max_angle=15.0,
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.max_angle = max_angle
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _maps(self, rng, height, width):
        angle = rng.between(-self.max_angle, self.max_angle)
        return affine_maps(len(angle), height, width, angle=angle)


class RandomScale(AffineAugmenter):
    """Enlarge or shrink each picture around its center, both axes alike.

    The factor is uniform in `scale_range`.

    Parameters
    ----------
    scale_range : tuple (low, high), default=(0.9, 1.1)
        Factors > 0; above 1 enlarges. (1, 1) is the identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What lies beyond the edges: `fill_value`, the pixel at the edge, or the mirrored picture.
    fill_value : float, default=0.0
        The constant beyond the edges.
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
    >>> from skreg.augmentation import RandomScale
    >>> X = np.ones((1, 4, 4))
    >>> RandomScale((0.5, 0.5)).fit_transform(X)[0]
    array([[0., 0., 0., 0.],
           [0., 1., 1., 0.],
           [0., 1., 1., 0.],
           [0., 0., 0., 0.]])
    """

    _parameter_constraints: dict = {**WarpingAugmenter._parameter_constraints, "scale_range": PAIR}

    def __init__(
        self,
        scale_range=(0.9, 1.1),
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.scale_range = scale_range
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("scale_range", self.scale_range, lowest=SMALLEST_SCALE)

    def _maps(self, rng, height, width):
        scale = rng.between(*self.scale_range)
        return affine_maps(len(scale), height, width, scale=scale)


SMALLEST_SCALE = 0.01  # below it a picture of any common size is less than a pixel


class RandomShift(AffineAugmenter):
    """Shift each picture down and right by random numbers of pixels, whole or not.

    Both are uniform in [-max_shift, max_shift], independently.

    Parameters
    ----------
    max_shift : float or tuple (down, right), default=2.0
        Largest shift, >= 0. Below 1 a share of the height and the width, else pixels; 0 is the
        identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What lies beyond the edges: `fill_value`, the pixel at the edge, or the mirrored picture.
    fill_value : float, default=0.0
        The constant beyond the edges.
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
    >>> from skreg.augmentation import RandomShift
    >>> X = np.eye(3).reshape(1, 3, 3)
    >>> RandomShift(1, random_state=0).fit_transform(X)[0].round(2)
    array([[0.47, 0.1 , 0.  ],
           [0.43, 0.47, 0.1 ],
           [0.  , 0.43, 0.34]])
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "max_shift": [Real, *PAIR],
    }

    def __init__(
        self,
        max_shift=2.0,
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.max_shift = max_shift
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        check_shift(self.max_shift)

    def _maps(self, rng, height, width):
        shift = drawn_shift(rng, self.max_shift, height, width)
        return affine_maps(len(rng.rows), height, width, shift=shift)


class RandomShear(AffineAugmenter):
    """Slant each picture: every row moves right in proportion to its distance below the center.

    The shear is uniform in [-max_shear, max_shear].

    Parameters
    ----------
    max_shear : float, default=0.2
        Largest shear, in pixels to the right for each row down (the tangent of the slant); >= 0,
        and 0 is the identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What lies beyond the edges: `fill_value`, the pixel at the edge, or the mirrored picture.
    fill_value : float, default=0.0
        The constant beyond the edges.
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
    >>> from skreg.augmentation import RandomShear
    >>> X = np.tile([0.0, 1.0, 0.0], (1, 3, 1))
    >>> RandomShear(0.8, random_state=0).fit_transform(X)[0].round(2)
    array([[0.  , 0.81, 0.19],
           [0.  , 1.  , 0.  ],
           [0.19, 0.81, 0.  ]])
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "max_shear": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        max_shear=0.2,
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.max_shear = max_shear
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _maps(self, rng, height, width):
        shear = rng.between(-self.max_shear, self.max_shear)
        return affine_maps(len(shear), height, width, shear=shear)


class RandomAffine(AffineAugmenter):
    """Scale, shear, rotate and shift each picture, in one interpolation.

    Sharper and faster than the four transforms one after another. All numbers are drawn
    independently and uniformly from the ranges of the parameters.

    Parameters
    ----------
    max_angle : float, default=10.0
        Largest rotation in degrees.
    scale_range : tuple (low, high), default=(0.9, 1.1)
        Factors of the size.
    max_shift : float or tuple (down, right), default=0.1
        Largest shift: below 1 a share of the height and the width, else pixels.
    max_shear : float, default=0.0
        Largest shear, in pixels to the right for each row down.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What lies beyond the edges: `fill_value`, the pixel at the edge, or the mirrored picture.
    fill_value : float, default=0.0
        The constant beyond the edges.
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
    >>> from sklearn.datasets import load_digits
    >>> from skreg.augmentation import RandomAffine
    >>> X, y = load_digits(return_X_y=True)
    >>> X_new = RandomAffine(image_shape=(8, 8), random_state=0).fit_transform(X)
    >>> X_new.shape
    (1797, 64)
    >>> round(float(abs(X_new - X).mean()), 2)
    2.43
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "max_angle": [NOT_NEGATIVE],
        "scale_range": PAIR,
        "max_shift": [Real, *PAIR],
        "max_shear": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        max_angle=10.0,
        scale_range=(0.9, 1.1),
        max_shift=0.1,
        max_shear=0.0,
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.max_angle = max_angle
        self.scale_range = scale_range
        self.max_shift = max_shift
        self.max_shear = max_shear
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("scale_range", self.scale_range, lowest=SMALLEST_SCALE)
        check_shift(self.max_shift)

    def _maps(self, rng, height, width):
        return affine_maps(
            len(rng.rows),
            height,
            width,
            angle=rng.between(-self.max_angle, self.max_angle),
            scale=rng.between(*self.scale_range),
            shear=rng.between(-self.max_shear, self.max_shear),
            shift=drawn_shift(rng, self.max_shift, height, width),
        )
