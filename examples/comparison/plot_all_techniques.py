"""
Which regularizer helps most?
=============================

On 200 digits, every tenth with a random label: augmentation, then dropout and input noise. Each is
added by itself to one plain :class:`~skreg.MLPClassifier`. Early stopping, which the others do not
use, hardly helps by itself: its use is to find the number of epochs, here the same for all.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import t
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
    "plain": {},
    "L2 penalty": {"alpha": 0.01}, "L1 penalty": {"penalty": "l1", "alpha": 0.001},
    "elastic net": {"penalty": "elasticnet", "alpha": 0.003, "l1_ratio": 0.3},
    "group lasso on features": {"feature_alpha": 0.01},
    "weight decay": {"weight_decay": 1.0}, "max-norm": {"max_norm": 0.7},
    "dropout": {"dropout": 0.5}, "input dropout": {"input_dropout": 0.3},
    "input noise": {"input_noise": 0.7}, "adversarial training": {"adversarial_epsilon": 0.1},
    "mixup": {"mixup": 0.2}, "CutMix": {"cutmix": 0.1}, "cutout": {"cutout": 0.1},
    "label smoothing": {"label_smoothing": 0.05}, "weight averaging": {"weight_averaging": "ema"},
    "batch norm": {"batch_norm": True}, "layer norm": {"layer_norm": True},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "augmentation": {"augmentation": affine},
}  # fmt: skip


def losses(seed):
    """Log loss on new rows of one network a technique, trained on a draw of 200 rows."""
    A, B, a, b = train_test_split(X, y, train_size=200, stratify=y, random_state=seed)
    a[::10] = np.random.RandomState(seed).randint(10, size=20)
    options = {"alpha": 0.0, "batch_size": 20, "max_iter": 100, "n_iter_no_change": 100}
    models = [MLPClassifier((128, 128), random_state=seed, **options | parameters).fit(A, a)
              for parameters in techniques.values()]  # fmt: skip
    return [log_loss(b, model.predict_proba(B)) for model in models]


# %%
# The difference to the plain network on the same draw of rows: the mean of eight draws, and a
# 95 % interval. Where it contains zero, the technique is in gray: eight draws do not show whether
# it helps here. Each interval is for one technique, not for all at once.
found = np.array([losses(seed) for seed in range(8)])
names = np.array(list(techniques))[1:]
change = found[:, 1:] - found[:, :1]
order = change.mean(axis=0).argsort()
names, change = names[order], change[:, order]
mean, half = change.mean(axis=0), t.ppf(0.975, 7) * change.std(axis=0, ddof=1) / 8**0.5
fig, ax = plt.subplots(figsize=(6.2, 5))
ax.axvline(0, color="black", lw=1)
for i, color in enumerate(np.where(mean + half < 0, "C0", "0.55")):
    ax.errorbar(mean[i], i, xerr=half[i], fmt="o", color=color, capsize=3)
ax.set(yticks=range(19), yticklabels=names, title=f"{names[0].capitalize()} lowers the loss most")
ax.set(ylim=(18.5, -0.5))
ax.set_xlabel(f"log loss on new rows, difference to the plain network ({found[:, 0].mean():.2f})")
print("interval contains zero:", ", ".join(names[mean + half >= 0]))
draws = np.sum(change[:, 0] < change[:, 1])
print(f"{names[0]} has a lower loss than {names[1]} in {draws} of 8 draws")
plt.show()

# %%
# See: :doc:`/choosing`, :doc:`/regularization/index`, :class:`~skreg.MLPClassifier`.
