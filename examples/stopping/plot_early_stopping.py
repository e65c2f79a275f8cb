"""
When does early stopping stop, and what does it keep?
=====================================================

With ``early_stopping=True`` a part of the training rows is set aside, and after every epoch the
loss on them is recorded in ``validation_loss_curve_``. Training ends when that loss has not fallen
by more than ``tol`` for more than ``n_iter_no_change`` epochs, and the weights of the best epoch,
``best_iter_``, are restored. Run it with ``python examples/plot_early_stopping.py``; it takes a few
seconds.
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
# the patience of the second never ends, which shows what the first has missed.
X, y = make_classification(
    n_samples=2000, n_features=20, n_informative=8, flip_y=0.1, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
EPOCHS = 100


def fit(random_state=0, **parameters):
    """A network that could overfit; the parameters say what keeps it from doing so."""
    model = MLPClassifier(
        (128, 128), batch_size=50, max_iter=EPOCHS, random_state=random_state, **parameters
    )
    return model.fit(X_train, y_train)


stopped = fit(early_stopping=True, validation_fraction=0.2, n_iter_no_change=10)
patient = fit(early_stopping=True, validation_fraction=0.2, n_iter_no_change=EPOCHS)

# %%
# The training loss falls for ever. The validation loss turns around; after more than ten epochs
# without a gain training stops, and the weights that are kept are those of the lowest point.
fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
epochs = np.arange(1, EPOCHS + 1)
ax.plot(epochs, patient.loss_curve_, "C0", alpha=0.4)
ax.plot(epochs, patient.validation_loss_curve_, "C1", alpha=0.4)
ax.plot(epochs[: stopped.n_iter_], stopped.loss_curve_, "C0", label="training loss")
ax.plot(epochs[: stopped.n_iter_], stopped.validation_loss_curve_, "C1", label="validation loss")
ax.axvline(stopped.best_iter_, color="black", label=f"best_iter_ = {stopped.best_iter_}, kept")
ax.axvline(stopped.n_iter_, color="grey", linestyle=":", label=f"n_iter_ = {stopped.n_iter_}, end")
ax.set(xlabel="epoch", ylabel="log loss", title="pale: without an end to the patience")
ax.legend()

# %%
# Early stopping costs the rows that it sets aside. Is it worth them? Ten random states, the log
# loss on the test set with all rows and all epochs against that with early stopping:
losses = np.array(
    [
        [
            log_loss(y_test, model.predict_proba(X_test))
            for model in (fit(seed), fit(seed, early_stopping=True, validation_fraction=0.2))
        ]
        for seed in range(10)
    ]
)

fig, ax = plt.subplots(figsize=(6.5, 3), layout="constrained")
ax.plot(losses.T, "o-", color="C2", alpha=0.6)
ax.set_xticks([0, 1], ["all rows, all epochs", "early stopping"])
ax.set(ylabel="test log loss", ylim=(0, None), xlim=(-0.3, 1.3), title="ten random states")
plt.show()
