"""
Which variants of pictures help?
================================

200 labelled digits are few to learn that a digit stays the same when it is turned, shifted or bent
a little. The parameter ``augmentation`` of :class:`~skreg.MLPClassifier` trains on a new random
variant of every row in every epoch. See :doc:`/augmentation/images`.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits, load_sample_image
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skreg import MLPClassifier
from skreg.augmentation import Augmented, Compose, ElasticDeformation, RandomAffine, RandomErasing

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
splits = StratifiedShuffleSplit(5, train_size=200, random_state=0)


def dots(ax, models):
    """The accuracy of each model in five splits, and the mean."""
    for position, model in enumerate(models.values()):
        scores = cross_val_score(model, X, y, cv=splits)
        ax.plot(scores, [position] * len(scores), "o", color="C0", alpha=0.5, mec="none")
        ax.plot(scores.mean(), position, "|", color="black", markersize=18, mew=2)
    ax.set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.5))
    ax.set_xlabel("accuracy on the other digits")


# %%
# Rows are flat; ``image_shape`` says how to read them. To bend the digits helps, to turn and shift
# them helps, and to do both brings no more here. To erase parts of so small pictures harms.
erasing = RandomErasing(0.1, image_shape=(8, 8))
elastic = ElasticDeformation(3, 2, image_shape=(8, 8))
affine = RandomAffine(10, (0.95, 1.1), 0.06, 0.1, image_shape=(8, 8))
both = Compose([elastic, affine], random_state=0)
options = {"batch_size": 100, "learning_rate": "cosine", "learning_rate_init": 0.02}
mlp = MLPClassifier((64,), max_iter=250, n_iter_no_change=250, random_state=0, **options)
tried = {"none": None, "erasing": erasing, "elastic": elastic, "affine": affine, "both": both}
fig, ax = plt.subplots(figsize=(7.2, 2.8))
dots(ax, {name: clone(mlp).set_params(augmentation=a) for name, a in tried.items()})
ax.set_title("200 digits in five splits, a new variant of each in every epoch")

# %%
# What they do is easier to see in a photograph of 96 x 96 pixels, with larger changes.
photo = load_sample_image("flower.jpg")[20:404, 130:514].reshape(96, 4, 96, 4, 3).mean((1, 3)) / 255
fig, axes = plt.subplots(3, 5, figsize=(7.2, 4.4), subplot_kw={"xticks": [], "yticks": []})
larger = {"area": 0.3}, {"alpha": 150, "sigma": 8}, {"max_angle": 25, "max_shift": 0.1}
for row, name, parameters in zip(axes, ("erasing", "elastic", "affine"), larger, strict=True):
    augmenter = clone(tried[name]).set_params(image_shape=(96, 96, 3), random_state=1, **parameters)
    variants = augmenter.fit_transform(np.tile(photo.ravel(), (4, 1)))
    for ax, picture in zip(row, (photo, *variants), strict=True):
        ax.imshow(picture.reshape(96, 96, 3).clip(0, 1))
    row[0].set_ylabel(name)
axes[0, 0].set_title("original")
axes[0, 1].set_title("variants")

# %%
# Variants serve other estimators as well. A pipeline step replaces each row by one variant; with
# 200 rows that costs more than it brings. ``Augmented`` keeps the rows and adds variants of them,
# ``n_copies`` of each, which helps both estimators.
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.6), sharey=True)
for ax, model in zip(axes, (RandomForestClassifier(40, random_state=0), SVC()), strict=True):
    models = {"no augmentation": model, "pipeline step": make_pipeline(both, model)}
    models |= {f"n_copies={n}": Augmented(model, both, n_copies=n) for n in (1, 5)}
    dots(ax, models)
    ax.set_title(type(model).__name__)
plt.show()
