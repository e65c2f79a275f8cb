"""
Which variants of pictures help?
================================

A few labelled digits are not enough to learn that a digit stays the same when it is turned or
shifted a little. Augmentation shows it. Run it with
``python examples/plot_augmentation_images.py``;
it takes some ten seconds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skreg import MLPClassifier
from skreg.augmentation import (
    AugmentationDisplay,
    Augmented,
    Compose,
    ElasticDeformation,
    RandomAffine,
    RandomErasing,
)

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# 200 digits of 8 x 8 pixels to learn from. Rows are flat; ``image_shape`` says how to read them.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    (X / 16).astype(np.float32), y, train_size=200, stratify=y, random_state=0
)
SHAPE = {"image_shape": (8, 8)}
affine = RandomAffine(10, (0.95, 1.1), 0.06, 0.1, **SHAPE)
elastic = ElasticDeformation(3, 2, **SHAPE)
erasing = RandomErasing(0.1, **SHAPE)

# %%
# Look first: the variants should still be the digits that they were.
display = AugmentationDisplay.from_augmenter(Compose([affine, elastic], random_state=0), X_train)
display.figure_.suptitle("rotated, scaled, shifted, slanted and bent")

# %%
# Inside of the network every row has a fresh variant in every epoch.
candidates = {
    "none": None,
    "erasing": erasing,
    "elastic": elastic,
    "affine": affine,
    "affine, elastic": Compose([affine, elastic]),
}


def accuracy(augmentation, seed):
    """Accuracy on the test set of a network trained on variants."""
    model = MLPClassifier(
        (128,),
        augmentation=augmentation,
        batch_size=32,
        max_iter=150,
        n_iter_no_change=150,
        learning_rate="cosine",
        learning_rate_init=0.005,
        random_state=seed,
    )
    return model.fit(X_train, y_train).score(X_test, y_test)


scores = {name: [accuracy(a, seed) for seed in range(3)] for name, a in candidates.items()}
fig, ax = plt.subplots(figsize=(6.5, 3), layout="constrained")
for position, values in enumerate(scores.values()):
    ax.plot(values, [position] * len(values), "o", color="tab:blue")
    ax.plot(np.mean(values), position, "|", color="black", markersize=18)
ax.set(yticks=range(len(scores)), yticklabels=list(scores), xlabel="accuracy on the test set")
ax.set_title("200 digits, a variant of each in every epoch")

# %%
# The same augmenters serve other estimators. A pipeline step replaces each row by one variant: with
# little data, to lose the originals costs more than the variants bring. ``Augmented`` adds copies.
both = Compose([affine, elastic], random_state=0)
rows = {}
for name, model in {"random forest": RandomForestClassifier(random_state=0), "SVC": SVC()}.items():
    fitted = [
        model,
        make_pipeline(both, model),
        Augmented(model, both, n_copies=1),
        Augmented(model, both, n_copies=10),
    ]
    rows[name] = [m.fit(X_train, y_train).score(X_test, y_test) for m in fitted]

fig, ax = plt.subplots(figsize=(6.5, 3), layout="constrained")
for name, values in rows.items():
    ax.plot(values, "o-", label=name)
ax.set_xticks(range(4), ["as they are", "pipeline step", "1 copy", "10 copies"])
ax.set_ylabel("accuracy on the test set")
ax.legend()
plt.show()
