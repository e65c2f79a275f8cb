"""Parts of pictures, and pictures bent: random crops and elastic deformation."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skreg.augmentation import core
from skreg.augmentation.affine import NOT_NEGATIVE, PAIR, AffineAugmenter, WarpingAugmenter
from skreg.augmentation.base import FINITE, checked_range
from skreg.augmentation.image import LARGEST_SIGMA, ImageAugmenter


class RandomCrop(ImageAugmenter):
    """Shift each picture by a random number of whole pixels: pad all sides, crop the old size.

    Every pixel of the result is a pixel of the original, or of its padding (He et al. 2016 use
    padding 4 for CIFAR).

    Parameters
    ----------
    padding : int, default=2
        Pixels on each side, from 0 to 2**31; the shift is uniform in {-padding, ..., padding}
        along both axes, and 0 is the identity.
    fill : {"constant", "edge", "reflect"}, default="constant"
        What the padding holds: `fill_value`, the pixel at the edge, or the mirrored picture.
    fill_value : float, default=0.0
        The constant in the padding.
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
    >>> from skreg.augmentation import RandomCrop
    >>> X = np.arange(1, 10).reshape(1, 3, 3)
    >>> RandomCrop(1, random_state=0).fit_transform(X)[0]
    array([[0., 1., 2.],
           [0., 4., 5.],
           [0., 7., 8.]])
    """

    _parameter_constraints: dict = {
        **ImageAugmenter._parameter_constraints,
        "padding": [Interval(Integral, 0, 2**31, closed="both")],
        "fill": [StrOptions({"constant", "edge", "reflect"})],
        "fill_value": [FINITE],
    }

    def __init__(
        self,
        padding=2,
        *,
        fill="constant",
        fill_value=0.0,
        image_shape=None,
        p=1.0,
        random_state=None,
    ):
        self.padding = padding
        self.fill = fill
        self.fill_value = fill_value
        self.image_shape = image_shape
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        maps = np.tile([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], (len(X), 1))
        for entry in (2, 5):
            maps[:, entry] = rng.below(2 * self.padding + 1) - self.padding
        fill_value = float(self.fill_value)
        return core.affine(X, maps, interpolation="nearest", fill=self.fill, fill_value=fill_value)


class RandomResizedCrop(AffineAugmenter):
    """Cut a random rectangle out of each picture and enlarge it to the old size.

    Its share of the area is uniform in `scale`, its ratio of width to height, in units of the
    picture's, log-uniform in `ratio` (Szegedy et al. 2015), its place anywhere. A side that would
    be longer than the picture's is cut to it.

    Parameters
    ----------
    scale : tuple (low, high), default=(0.6, 1.0)
        Share of the area, 0 < low <= high <= 1.
    ratio : tuple (low, high), default=(0.75, 1.3333)
        Range of the ratio, > 0. Both (1, 1) is the identity.
    image_shape : tuple (height, width) or (height, width, channels), optional
        How to read a row with height * width * channels features. None: X is given in the shape
        (n_samples, height, width[, channels]).
    interpolation : {"bilinear", "nearest"}, default="bilinear"
        How to read between the pixels, as `scipy.ndimage` with order 1 and 0.
    fill : {"constant", "edge", "reflect"}, default="edge"
        What lies beyond the edges, where a rectangle reaches them: `fill_value`, the pixel at the
        edge, or the mirrored picture.
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
    >>> from skreg.augmentation import RandomResizedCrop
    >>> X = np.arange(16.0).reshape(1, 4, 4)
    >>> RandomResizedCrop((0.25, 0.25), (1, 1), random_state=0).fit_transform(X)[0].round(2)
    array([[ 4.23,  4.73,  5.23,  5.73],
           [ 6.23,  6.73,  7.23,  7.73],
           [ 8.23,  8.73,  9.23,  9.73],
           [10.23, 10.73, 11.23, 11.73]])
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "scale": PAIR,
        "ratio": PAIR,
    }

    def __init__(
        self,
        scale=(0.6, 1.0),
        ratio=(0.75, 1.3333),
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="edge",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.scale = scale
        self.ratio = ratio
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _check_parameters(self):
        checked_range("scale", self.scale, lowest=1e-4, highest=1)
        checked_range("ratio", self.ratio, lowest=0.01)

    def _maps(self, rng, height, width):
        area, aspect = rng.between(*self.scale), np.exp(rng.between(*np.log(self.ratio)))
        sides = np.sqrt(area / aspect), np.sqrt(area * aspect)
        maps = np.zeros((len(area), 6))
        for axis, size in enumerate((height, width)):
            share = np.minimum(sides[axis], 1)
            start = rng.uniform(1)[:, 0] * (1 - share) * size
            # The middle of the first pixel of the result is half a (small) pixel from the cut.
            maps[:, 4 * axis] = share
            maps[:, 3 * axis + 2] = start + (share - 1) / 2
        return maps


class ElasticDeformation(WarpingAugmenter):
    """Move every pixel by a smooth random field (Simard, Steinkraus and Platt 2003).

    The displacements down and to the right are `alpha` times two fields of noise, uniform in
    (-1, 1) at each pixel, convolved with a Gaussian of standard deviation `sigma`. Their root mean
    square is about `alpha / (2 * sqrt(3 * pi) * sigma)` pixels: 1.4 for the defaults.

    Parameters
    ----------
    alpha : float, default=34.0
        Strength in pixels, >= 0; 0 is the identity.
    sigma : float, default=4.0
        Smoothness in pixels, 0 < sigma <= 1e6. Small values tear, large ones shift the picture as
        a whole.
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
    >>> from skreg.augmentation import ElasticDeformation
    >>> X = np.tile([0.0, 1.0, 0.0], (1, 3, 1))
    >>> ElasticDeformation(2, 1, random_state=0).fit_transform(X)[0].round(2)
    array([[0.  , 0.25, 0.  ],
           [0.  , 0.62, 0.  ],
           [0.  , 0.09, 0.61]])
    """

    _parameter_constraints: dict = {
        **WarpingAugmenter._parameter_constraints,
        "alpha": [NOT_NEGATIVE],
        "sigma": [Interval(Real, 0, LARGEST_SIGMA, closed="right")],
    }

    def __init__(
        self,
        alpha=34.0,
        sigma=4.0,
        *,
        image_shape=None,
        interpolation="bilinear",
        fill="constant",
        fill_value=0.0,
        p=1.0,
        random_state=None,
    ):
        self.alpha = alpha
        self.sigma = sigma
        self.image_shape = image_shape
        self.interpolation = interpolation
        self.fill = fill
        self.fill_value = fill_value
        self.p = p
        self.random_state = random_state

    def _augment(self, X, rng):
        alphas = np.full(len(X), float(self.alpha))
        return core.elastic(X, alphas, float(self.sigma), rng, **self._sampling)
