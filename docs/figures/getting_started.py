"""Losses of the first two networks of the page, on the rows to learn from and on others."""

import matplotlib.pyplot as plt
import numpy as np
from _common import plain_digits

from skreg import MLPClassifier

X, X_val, y, y_val = plain_digits()
_, axes = plt.subplots(figsize=(7.2, 3.2))
for title, color, parameters in (
    ("without regularization", "C1", {}),
    ("dropout=0.5, input_noise=0.3", "C0", {"dropout": 0.5, "input_noise": 0.3}),
):
    mlp = MLPClassifier(
        (128,), learning_rate_init=0.01, early_stopping=True, n_iter_no_change=np.inf,
        max_iter=250, random_state=0, **parameters,
    )  # fmt: skip
    mlp.fit(X, y, X_val=X_val, y_val=y_val)
    epochs = range(1, mlp.n_iter_ + 1)
    axes.plot(epochs, mlp.validation_loss_curve_, color=color, label=f"{title}: other rows")
    axes.plot(epochs, mlp.loss_curve_, color=color, ls=":", label="training rows")
axes.set(xlabel="epoch", ylabel="log loss", xlim=(0, 250), ylim=(0, 0.4))
axes.legend(ncols=2)
