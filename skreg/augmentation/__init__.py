"""Random variants of pictures, signals and rows of tables."""

from skreg.augmentation.affine import (
    RandomAffine,
    RandomRotation,
    RandomScale,
    RandomShear,
    RandomShift,
)
from skreg.augmentation.crops import ElasticDeformation, RandomCrop, RandomResizedCrop
from skreg.augmentation.image import (
    GaussianBlur,
    GaussianNoise,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomFlip,
)
