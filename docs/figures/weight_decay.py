"""The size of the weights over a training, for three strengths of weight decay."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

EPOCHS = 100
X, X_val, y, y_val = digits(400, flip=0.2)
_, (norm, loss) = plt.subplots(1, 2, figsize=(7.2, 2.8))
for decay, color in ((0.0, "0.55"), (0.5, "C0"), (3.0, "C1")):
    mlp = MLPClassifier((128,), penalty=None, weight_decay=decay, batch_size=64, random_state=0,
                        learning_rate_init=2e-3)  # fmt: skip
    norms, losses = [], []
    for _ in range(EPOCHS):
        mlp.partial_fit(X, y, classes=np.arange(10))
        norms.append(np.sqrt(sum((W**2).sum() for W in mlp.coefs_)))
        p = mlp.predict_proba(X_val)[np.arange(len(y_val)), y_val]
        losses.append(-np.log(p).mean())
    norm.plot(range(1, EPOCHS + 1), norms, color=color, label=f"weight_decay={decay:g}")
    loss.plot(range(1, EPOCHS + 1), losses, color=color)
norm.set(title="Norm of all weights", xlabel="epoch", ylabel="norm", ylim=(0, None))
loss.set(title="Loss on new rows", xlabel="epoch", ylabel="log loss", ylim=(0.4, 1.6))
norm.legend(loc="lower left")
