"""Two photographs, and what MixUp and CutMix make of them and of their targets."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skreg.augmentation import AugmentationSampler, CutMix, MixUp

pictures = np.stack([load_sample_image(f"{name}.jpg")[20:410:3, 130:520:3] / 255.0
                     for name in ("china", "flower")])  # fmt: skip
X, shape = pictures.reshape(2, -1), pictures.shape[1:]
panels = [("First row", X[0], "target: 0 %"), ("Second row", X[1], "target: 100 %")]
for name, augmenter in (("MixUp(1)", MixUp(1, random_state=0)),
                        ("CutMix(1)", CutMix(1, image_shape=shape, random_state=0))):  # fmt: skip
    variants, targets = AugmentationSampler(augmenter, n_copies=10).fit_resample(X, [0, 0.5])
    best = np.argmin(abs(targets - 0.22))
    panels.append((name, variants[best], f"target: {200 * targets[best]:.0f} %"))

_, axes = plt.subplots(1, 4, figsize=(7.2, 2.2))
for ax, (title, picture, target) in zip(axes, panels, strict=True):
    ax.imshow(picture.reshape(shape))
    ax.set(title=title, xlabel=target, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
