"""
Which variants of pictures help?
================================

A digit stays the same when it is turned, shifted or bent a little. ``augmentation`` of
:class:`~skreg.MLPClassifier` trains on a new random variant of every row in every epoch.
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

warnings.filterwarnings("ignore", category=ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
splits = StratifiedShuffleSplit(5, train_size=200, random_state=0)


def dots(ax, models):
    """The accuracy of each model in five splits, all trained to the last epoch, and the mean."""
    for position, model in enumerate(models.values()):
        scores = cross_val_score(model, X, y, cv=splits)
        ax.plot(scores, [position] * len(scores), "o", color="C0", alpha=0.5, mec="none")
        ax.plot(scores.mean(), position, "|", color="black", markersize=18, mew=2)
    ax.set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.5))
    ax.set_xlabel("accuracy on the other digits")


# %%
# Bent digits help, turned and shifted ones help, both together are no better; erasing harms.
erasing = RandomErasing(0.1, image_shape=(8, 8))
elastic = ElasticDeformation(3, 2, image_shape=(8, 8))
affine = RandomAffine(10, (0.95, 1.1), 0.06, 0.1, image_shape=(8, 8))
both = Compose([elastic, affine], random_state=0)
options = {"learning_rate": "cosine", "learning_rate_init": 0.02, "random_state": 0}
mlp = MLPClassifier((64,), batch_size=100, max_iter=250, n_iter_no_change=250, **options)
tried = {"none": None, "erasing": erasing, "elastic": elastic, "affine": affine, "both": both}
ax = plt.subplots(figsize=(6.2, 2.8))[1]
dots(ax, {name: clone(mlp).set_params(augmentation=a) for name, a in tried.items()})
ax.set_title("Accuracy with each augmentation, 200 digits in five splits")

# %%
# Larger changes of a photograph of 96 x 96 pixels.
photo = load_sample_image("flower.jpg")[20:404, 130:514].reshape(96, 4, 96, 4, 3).mean((1, 3)) / 255
# sphinx_gallery_thumbnail_number = 2
fig, axes = plt.subplots(3, 4, figsize=(6.2, 5.6), subplot_kw={"xticks": [], "yticks": []})
strong = {"area": 0.3}, {"alpha": 150, "sigma": 8}, {"max_angle": 25, "max_shift": 0.1}
for row, name, parameters in zip(axes, ("erasing", "elastic", "affine"), strong, strict=True):
    larger = clone(tried[name]).set_params(image_shape=(96, 96, 3), random_state=1, **parameters)
    variants = larger.fit_transform(np.tile(photo.ravel(), (3, 1)))
    for ax, picture in zip(row, (photo, *variants), strict=True):
        ax.imshow(picture.reshape(96, 96, 3).clip(0, 1))
    row[0].set_ylabel(name)
axes[0, 0].set_title("Photograph")
axes[0, 1].set_title("Random variants")

# %%
# Other estimators: a pipeline step replaces each row by one variant, and lowers the accuracy here.
# :class:`~skreg.augmentation.Augmented` keeps the rows and adds variants, ``n_copies`` of each.
fig, axes = plt.subplots(1, 2, figsize=(6.2, 2.6), sharey=True)
for ax, model in zip(axes, (RandomForestClassifier(40, random_state=0), SVC()), strict=True):
    models = {"no augmentation": model, "pipeline step": make_pipeline(both, model)}
    models |= {f"n_copies={n}": Augmented(model, both, n_copies=n) for n in (1, 5)}
    dots(ax, models)
    ax.set_title(type(model).__name__.replace("Classifier", "") + ": accuracy")
plt.show()

# %%
# See: :doc:`/augmentation/images`, :class:`~skreg.augmentation.RandomAffine`.
