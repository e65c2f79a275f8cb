"""Random variants of pictures, signals and rows of tables.

An augmenter is used as a step of a pipeline, before an estimator that it gives more rows
(`Augmented`, `AugmentationSampler`), or freshly in every epoch inside skreg's networks.
"""

from skreg.augmentation.affine import (
    RandomAffine,
    RandomRotation,
    RandomScale,
    RandomShear,
    RandomShift,
)
from skreg.augmentation.augmented import AugmentationSampler, Augmented
from skreg.augmentation.base import Augmenter
from skreg.augmentation.compose import Compose, OneOf
from skreg.augmentation.crops import ElasticDeformation, RandomCrop, RandomResizedCrop
from skreg.augmentation.display import AugmentationDisplay
from skreg.augmentation.image import (
    GaussianBlur,
    GaussianNoise,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomFlip,
)
from skreg.augmentation.mixing import CutMix, Interpolate, MixUp
from skreg.augmentation.signal import AddNoise, Drift, FrequencyMask, Gain, TimeMask
from skreg.augmentation.tabular import FeatureMask, FeatureNoise, SwapNoise
from skreg.augmentation.timing import PitchShift, TimeShift, TimeStretch, TimeWarp

__all__ = [
    "AddNoise",
    "AugmentationDisplay",
    "AugmentationSampler",
    "Augmented",
    "Augmenter",
    "Compose",
    "CutMix",
    "Drift",
    "ElasticDeformation",
    "FeatureMask",
    "FeatureNoise",
    "FrequencyMask",
    "Gain",
    "GaussianBlur",
    "GaussianNoise",
    "Interpolate",
    "MixUp",
    "OneOf",
    "PitchShift",
    "RandomAffine",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomScale",
    "RandomShear",
    "RandomShift",
    "SwapNoise",
    "TimeMask",
    "TimeShift",
    "TimeStretch",
    "TimeWarp",
]
