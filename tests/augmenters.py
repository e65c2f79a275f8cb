"""All augmenters for the tests that hold for each of them, and samples that they can read."""

import inspect

import numpy as np

import skreg.augmentation
from skreg.augmentation import Augmenter, Compose, FeatureNoise, GaussianNoise, OneOf, SwapNoise
from skreg.augmentation.compose import CompositeAugmenter
from skreg.augmentation.image import ImageAugmenter
from skreg.augmentation.mixing import MixingAugmenter
from skreg.augmentation.signal import SignalAugmenter

PUBLIC = [getattr(skreg.augmentation, name) for name in skreg.augmentation.__all__]
AUGMENTERS = [
    c
    for c in PUBLIC
    if inspect.isclass(c) and issubclass(c, Augmenter) and not inspect.isabstract(c)
]
IMAGE = [c for c in AUGMENTERS if issubclass(c, ImageAugmenter)]
SIGNAL = [c for c in AUGMENTERS if issubclass(c, SignalAugmenter)]
MIXING = [c for c in AUGMENTERS if issubclass(c, MixingAugmenter)]
MIXING_TARGETS = [c for c in MIXING if c.mixes_classes]
COMPOSITE = [c for c in AUGMENTERS if issubclass(c, CompositeAugmenter)]
TRANSFORMERS = [c for c in AUGMENTERS if c not in MIXING_TARGETS]

# The parameters with which each does nothing, p apart.
NEUTRAL = {
    "AddNoise": {"snr_db": np.inf},
    "CutMix": {"alpha": 0},
    "Drift": {"std": 0},
    "ElasticDeformation": {"alpha": 0},
    "FeatureMask": {"p": 0},
    "FeatureNoise": {"std": 0},
    "FrequencyMask": {"max_share": 0},
    "Gain": {"db_range": (0, 0)},
    "GaussianBlur": {"max_sigma": 0},
    "GaussianNoise": {"std": 0},
    "MixUp": {"alpha": 0},
    "PitchShift": {"max_semitones": 0},
    "RandomAffine": {"max_angle": 0, "scale_range": (1, 1), "max_shift": 0, "max_shear": 0},
    "RandomBrightness": {"max_delta": 0},
    "RandomContrast": {"contrast_range": (1, 1)},
    "RandomCrop": {"padding": 0},
    "RandomErasing": {"area": 0},
    "RandomFlip": {"horizontal": False, "vertical": False},
    "RandomResizedCrop": {"scale": (1, 1), "ratio": (1, 1)},
    "RandomRotation": {"max_angle": 0},
    "RandomScale": {"scale_range": (1, 1)},
    "RandomShear": {"max_shear": 0},
    "RandomShift": {"max_shift": 0},
    "SwapNoise": {"p": 0},
    "TimeMask": {"max_share": 0},
    "TimeShift": {"max_shift": 0},
    "TimeStretch": {"rate_range": (1, 1)},
    "TimeWarp": {"std": 0},
}


def make(cls, **params):
    """An augmenter with what it needs to read rows of 48 features."""
    if cls in COMPOSITE:
        shape = {"image_shape": (8, 6)}
        params = {"augmenters": [FeatureNoise(0.1), GaussianNoise(0.1, **shape)], **params}
    elif cls in IMAGE:
        params = {"image_shape": (8, 6), **params}
    elif issubclass(cls, SignalAugmenter):
        params = {"signal_shape": (8, 6), **params}
    return cls(**params)


def rows(n=40, dtype=np.float64, seed=0):
    """Rows of 48 features."""
    return np.random.default_rng(seed).normal(size=(n, 48)).astype(dtype)


def small(cls, **params):
    """An augmenter for the rows of any width of scikit-learn's checks."""
    if cls in COMPOSITE:
        return cls([FeatureNoise(), SwapNoise()], **params)
    return ONE_ROW.get(cls, cls)(**params)


class _OneRow:
    """Reads a row as a picture with one line."""

    def _row_shape(self, shape):
        return (1, shape[0], 1) if len(shape) == 1 else super()._row_shape(shape)


ONE_ROW = {}
for _cls in IMAGE:
    _name = f"OneRow{_cls.__name__}"
    _body = {"__module__": __name__, "__init__": _cls.__init__}
    ONE_ROW[_cls] = globals()[_name] = type(_cls)(_name, (_OneRow, _cls), _body)

assert {OneOf, Compose} == set(COMPOSITE)
