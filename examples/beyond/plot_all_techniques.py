"""
Which regularizer helps most?
=============================

That depends on the problem, so here is one: 200 digits to learn from, every tenth with a random
label, and a network of 26,000 weights. Each technique is added by itself to the same plain network,
a :class:`~skreg.MLPClassifier`. Most of them help, and against different things:
:doc:`/choosing` says which to try for what.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier
from skreg.augmentation import RandomAffine

# All networks but those that stop early train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)

# %%
# The strengths are the best of three for each technique, chosen on other draws of the rows.
affine = RandomAffine(15, (0.9, 1.1), 0.1, image_shape=(8, 8))
techniques = {
    "none": {},
    "L2 penalty": {"alpha": 0.01},
    "L1 penalty": {"penalty": "l1", "alpha": 0.001},
    "elastic net": {"penalty": "elasticnet", "alpha": 0.003, "l1_ratio": 0.3},
    "group lasso on features": {"feature_alpha": 0.01},
    "weight decay": {"weight_decay": 1.0},
    "max-norm": {"max_norm": 0.7},
    "dropout": {"dropout": 0.5},
    "input dropout": {"input_dropout": 0.3},
    "input noise": {"input_noise": 0.7},
    "mixup": {"mixup": 0.2},
    "CutMix": {"cutmix": 0.1},
    "cutout": {"cutout": 0.1},
    "adversarial training": {"adversarial_epsilon": 0.1},
    "label smoothing": {"label_smoothing": 0.05},
    "batch norm": {"batch_norm": True},
    "layer norm": {"layer_norm": True},
    "weight averaging": {"weight_averaging": "ema"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "augmentation": {"augmentation": affine},
}


def losses(seed):
    """Log loss on new rows of one network a technique, trained on a draw of 200 rows."""
    A, B, a, b = train_test_split(X, y, train_size=200, stratify=y, random_state=seed)
    a[::10] = np.random.RandomState(seed).randint(10, size=20)
    options = {"alpha": 0.0, "batch_size": 20, "max_iter": 100, "n_iter_no_change": 100}
    models = [MLPClassifier((128, 128), random_state=seed, **options | parameters).fit(A, a)
              for parameters in techniques.values()]  # fmt: skip
    return [log_loss(b, model.predict_proba(B)) for model in models]


# %%
# A dot for each of five draws, a black line for their mean, and a dashed one for the mean without
# any technique. Augmentation gains most, then dropout and noise in the inputs; early stopping
# hardly gains here. Draws differ as much as techniques do, so compare means.
found = np.array([losses(seed) for seed in range(5)]).T
order = np.argsort(found.mean(axis=1))
fig, ax = plt.subplots(figsize=(7.2, 5))
ax.axvline(found[0].mean(), color="0.6", ls="--", lw=1)
ax.plot(found[order], np.arange(len(order)), "o", color="C0", alpha=0.4, mec="none")
ax.plot(found[order].mean(axis=1), np.arange(len(order)), "|", color="black", ms=14, mew=2)
names = np.array(list(techniques))[order]
ax.set(yticks=np.arange(len(order)), yticklabels=names, xlabel="log loss on new rows")
ax.set(title="Each technique by itself", ylim=(len(order) - 0.5, -0.5))
plt.show()
