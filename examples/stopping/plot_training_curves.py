"""
Does dropout overfit less, and where would training stop?
=========================================================

:class:`~skreg.TrainingCurveDisplay` draws what every fit keeps in ``history_``: training and
validation loss on one scale, both without penalties, and a mark at the best epoch. Here are a
:class:`~skreg.MLPClassifier` with :doc:`dropout </regularization/dropout>` and one without.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier, TrainingCurveDisplay

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# A noisy task: 1000 rows to learn from, a tenth of the labels at random, and 1000 to validate on.
X, y = make_classification(
    n_samples=2000, n_features=20, n_informative=8, flip_y=0.1, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.5, random_state=0)
EPOCHS = 60


def fit(**parameters):
    """A network that could learn every label by heart; it is watched, but not stopped."""
    model = MLPClassifier(
        (128, 128),
        penalty=None,
        batch_size=50,
        max_iter=EPOCHS,
        early_stopping=True,
        n_iter_no_change=EPOCHS,
        random_state=0,
        **parameters,
    )
    return model.fit(X_train, y_train, X_val=X_val, y_val=y_val)


# %%
# Without dropout the training loss goes to zero, and the validation loss rises after a few epochs:
# the gap between the dashed and the solid line is overfitting. With dropout the validation loss
# rises little, and its best epoch is a later one. (The training loss is measured with units
# dropped, which is why it begins above the validation loss.)
models = {f"dropout={rate}": fit(dropout=rate) for rate in (0.0, 0.5)}
display = TrainingCurveDisplay.from_estimator(models)
display.ax_.set_title("Losses with and without dropout")

# %%
# Panels below the losses show the score that is watched instead of the loss, and a learning rate
# that changes. The accuracy jumps from epoch to epoch: which epoch is best is partly chance.
scored = fit(dropout=0.5, scoring="accuracy", learning_rate="cosine", learning_rate_init=0.003)
display = TrainingCurveDisplay.from_estimator(scored)
display.ax_.set_title("Loss, accuracy and learning rate")

# %%
# What was trained, how, and with what result:
print(scored.summary())
plt.show()

# %%
# See: :doc:`/looking`, :doc:`/regularization/early_stopping`, :class:`~skreg.TrainingCurveDisplay`.
