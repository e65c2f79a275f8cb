"""A photograph and variants of it, for each group of augmenters."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skreg import augmentation as aug

PICTURE = load_sample_image("china.jpg")[20:410:3, 130:520:3] / 255.0
SHAPE = {"image_shape": PICTURE.shape}


def draw(*changes):
    """The picture, and four variants by each augmenter in a row of its own."""
    rows = np.tile(PICTURE.reshape(1, -1), (4, 1))
    size = 7.2, 1.55 * len(changes) + 0.1
    _, panels = plt.subplots(len(changes), 5, figsize=size, squeeze=False)
    for line, (name, change) in zip(panels, changes, strict=True):
        variants = change.set_params(random_state=1).fit_transform(rows)
        for axes, picture in zip(line, [rows[0], *variants], strict=True):
            axes.imshow(np.clip(picture.reshape(PICTURE.shape), 0, 1))
            axes.axis("off")
        line[0].set_title("Original")
        line[1].set_title(name, fontsize=9.5)


def affine():
    draw(
        ("RandomRotation(30)", aug.RandomRotation(30, **SHAPE)),
        ("RandomAffine(20, (0.8, 1.2), 0.1)", aug.RandomAffine(20, (0.8, 1.2), 0.1, **SHAPE)),
    )


def elastic():
    draw(("ElasticDeformation(120, 8)", aug.ElasticDeformation(120, 8, fill="edge", **SHAPE)))


def crops():
    draw(("RandomResizedCrop((0.3, 0.8))", aug.RandomResizedCrop((0.3, 0.8), **SHAPE)))


def erasing():
    draw(("RandomErasing(0.3)", aug.RandomErasing(0.3, **SHAPE)))


def pixels():
    draw(
        ("RandomBrightness(0.3)", aug.RandomBrightness(0.3, **SHAPE)),
        ("RandomContrast((0.2, 1.2))", aug.RandomContrast((0.2, 1.2), **SHAPE)),
        ("GaussianBlur(3)", aug.GaussianBlur(3, **SHAPE)),
    )
