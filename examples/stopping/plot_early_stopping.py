"""
When does early stopping stop, and what does it keep?
=====================================================

With :doc:`early_stopping=True </regularization/early_stopping>` a part of the training rows is set
aside, and after every epoch :class:`~skreg.MLPClassifier` records the loss on them in
``validation_loss_curve_``. Training ends when that loss has not fallen by more than ``tol`` for
more than ``n_iter_no_change`` epochs, and the weights of the best epoch, ``best_iter_``, are
restored.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# Some of these networks train to ``max_iter`` on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# A noisy task, half of it held out as a test set, and two networks with the same random state, so
# the same initial weights, the same validation rows and the same batches. The first stops early;
# the second goes on, which shows what the first has missed.
X, y = make_classification(2000, 20, n_informative=8, flip_y=0.1, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
EPOCHS = 100


def fit(seed, **parameters):
    """A network that could overfit; the parameters say what keeps it from doing so."""
    options = {"batch_size": 50, "max_iter": EPOCHS, "validation_fraction": 0.2}
    model = MLPClassifier((128, 128), random_state=seed, **options | parameters)
    return model.fit(X_train, y_train)


stopped = fit(0, early_stopping=True, n_iter_no_change=10)
patient = fit(0, early_stopping=True, n_iter_no_change=EPOCHS)

# %%
# The training loss falls and falls. The validation loss turns around; after more than ten epochs
# without a gain the training stops, and the weights that are kept are those of the lowest point.
fig, ax = plt.subplots(figsize=(6.2, 4.2))
epochs, best, end = np.arange(1, EPOCHS + 1), stopped.best_iter_, stopped.n_iter_
for name, color in (("loss_curve_", "C0"), ("validation_loss_curve_", "C1")):
    ax.plot(epochs[:end], getattr(stopped, name), color=color, label=name)
    ax.plot(epochs[end - 1 :], getattr(patient, name)[end - 1 :], color=color, ls=":")
ax.plot([], [], color="0.5", ls=":", label="without early stopping")
ax.axvline(best, color="black", lw=1, label=f"best_iter_ = {best}, kept")
ax.axvline(end, color="0.6", lw=1, label=f"n_iter_ = {end}, end of training")
ax.set(xlabel="epoch", ylabel="log loss", title="Training ends after the lowest validation loss")
ax.legend()

# %%
# Early stopping sets rows aside. Is it worth them? All rows for all epochs are much worse on the
# test set. All rows for as many epochs as early stopping found best are no better than early
# stopping itself. Ten random states, and their mean.
losses = []
for seed in range(10):
    model = fit(seed, early_stopping=True)
    others = fit(seed, n_iter_no_change=EPOCHS), fit(seed, max_iter=model.best_iter_)
    models = others[0], model, others[1]
    losses.append([log_loss(y_test, m.predict_proba(X_test)) for m in models])
fig, ax = plt.subplots(figsize=(6.2, 2.4))
for position, values in enumerate(np.transpose(losses)):
    ax.plot(values, [position] * len(values), "o", color="C0", alpha=0.5, mec="none")
    ax.plot(values.mean(), position, "|", color="black", markersize=18, mew=2)
names = ["all rows, all epochs", "early stopping", "all rows, best_iter_ epochs"]
ax.set(yticks=range(3), yticklabels=names, ylim=(2.5, -0.5), xlim=(0, None))
ax.set(xlabel="log loss on test rows", title="Log loss with and without early stopping")
plt.show()

# %%
# See: :doc:`/regularization/early_stopping`, :class:`~skreg.MLPClassifier`.
