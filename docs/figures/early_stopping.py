"""The losses of a training that goes on too long, and the epoch that is kept."""

import matplotlib.pyplot as plt
from _common import digits

from skreg import MLPClassifier

X, X_val, y, y_val = digits(400, flip=0.3)
mlp = MLPClassifier(
    (128,), learning_rate_init=2e-3, batch_size=64, alpha=0, early_stopping=True,
    n_iter_no_change=80, max_iter=300, random_state=0,
)  # fmt: skip
mlp.fit(X, y, X_val=X_val, y_val=y_val)

_, axes = plt.subplots(figsize=(7.2, 3))
last, best = mlp.n_iter_, mlp.best_iter_
axes.axvspan(best, last, color="C1", alpha=0.08, lw=0)
axes.plot(range(1, last + 1), mlp.loss_curve_, color="0.55", label="training rows")
axes.plot(range(1, last + 1), mlp.validation_loss_curve_, color="C0", label="validation rows")
low = min(mlp.validation_loss_curve_)
axes.plot(best, low, "o", color="C1")
axes.annotate(f"best epoch, {best}: these\nweights are kept", (best, low), (best + 4, 1.1),
              color="C1", arrowprops={"arrowstyle": "-", "color": "C1"})  # fmt: skip
text = "overfitting: the training loss\nfalls, the validation loss rises"
axes.text((best + last) / 2, 2.0, text, color="C1", ha="center")
axes.set(xlabel="epoch", ylabel="log loss", xlim=(0, last), ylim=(0, 2.3))
axes.legend(loc="center right")
