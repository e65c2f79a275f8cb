"""A picture and random variants of it, by augmenter."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skreg import augmentation as aug

china = load_sample_image("china.jpg")[20:410:3, 130:520:3] / 255.0
shape = {"image_shape": china.shape}
CHANGES = {
    "RandomRotation": aug.RandomRotation(40, **shape),
    "RandomAffine": aug.RandomAffine(20, (0.7, 1.2), 0.15, **shape),
    "RandomFlip": aug.RandomFlip(**shape),
    "ElasticDeformation": aug.ElasticDeformation(60, 8, **shape),
    "RandomErasing": aug.RandomErasing(**shape),
    "RandomBrightness": aug.RandomBrightness(0.3, **shape),
    "GaussianNoise": aug.GaussianNoise(0.12, **shape),
}
_, panels = plt.subplots(2, 4, figsize=(7.2, 3.9))
pictures = {"Original": china.ravel()}
for name, change in CHANGES.items():
    rows = np.tile(china.reshape(1, -1), (4, 1))
    variants = change.set_params(random_state=3).fit_transform(rows)
    pictures[name] = next(v for v in variants if not np.array_equal(v, rows[0]))
for axes, (name, picture) in zip(panels.flat, pictures.items(), strict=True):
    axes.imshow(np.clip(picture.reshape(china.shape), 0, 1))
    axes.set_title(name, fontsize=9)
    axes.axis("off")
