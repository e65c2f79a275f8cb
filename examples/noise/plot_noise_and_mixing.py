"""
What do noise, mixtures and attacks do to a decision boundary?
==============================================================

A large network trained for long on few rows draws its boundary around single rows. Three
regularizers change the rows of each batch instead of the network: ``input_noise`` shakes them,
``mixup`` trains on points between them, and ``adversarial_epsilon`` moves them to where the loss
is larger. Run it with ``python examples/plot_noise_and_mixing.py``; it takes a few seconds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# 120 rows of two classes that overlap, to train on, and many more to see what is right.
X_train, y_train = make_moons(120, noise=0.3, random_state=3)
X_test, y_test = make_moons(5000, noise=0.3, random_state=1)


def network(**parameters):
    """Two hidden layers of 64 units, trained until all rows are learned; no other regularizer."""
    return MLPClassifier(
        (64, 64),
        penalty=None,
        batch_size=40,
        learning_rate_init=0.005,
        max_iter=500,
        n_iter_no_change=500,
        random_state=0,
        **parameters,
    )


# %%
# The probability of the second class, with the boundary at one half. Without a regularizer it goes
# from 0 to 1 within a step, and reaches out for rows that lie among the other class. Noise draws
# the boundary at a distance from all rows, in units of the noise. An adversarial step does the same
# to the worst side. Mixtures make the probability change slowly from one class to the other.
settings = {
    "plain": {},
    "input_noise = 0.3": {"input_noise": 0.3},
    "adversarial_epsilon = 0.3": {"adversarial_epsilon": 0.3},
    "mixup = 1": {"mixup": 1.0},
}
fitted = {name: network(**p).fit(X_train, y_train) for name, p in settings.items()}

low, high = X_test.min(axis=0), X_test.max(axis=0)
x1, x2 = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
points = np.column_stack([x1.ravel(), x2.ravel()])

fig, axes = plt.subplots(2, 2, figsize=(8.5, 6.4), sharex=True, sharey=True, layout="constrained")
for ax, (name, model) in zip(axes.flat, fitted.items(), strict=True):
    p = model.predict_proba(points)[:, 1].reshape(x1.shape)
    filled = ax.contourf(x1, x2, p, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.7)
    ax.contour(x1, x2, p, levels=[0.5], colors="black", linewidths=1)
    ax.scatter(*X_train.T, c=y_train, cmap="RdBu_r", edgecolors="white", s=22, linewidths=0.6)
    loss = log_loss(y_test, model.predict_proba(X_test))
    accuracy = model.score(X_test, y_test)
    ax.set_title(f"{name}\nnew rows: accuracy {accuracy:.3f}, log loss {loss:.2f}", fontsize=10)
fig.colorbar(filled, ax=axes, label="probability of the second class", shrink=0.7)

# %%
# How much of it? Each has its own unit: standard deviations of a feature for the first two, the
# parameter of a Beta distribution for the third. The log loss shows the effect much more than the
# accuracy: what is cured first is overconfidence. Too much noise, or too long a step of the attack,
# blurs the moons into one another; mixup hardly minds its parameter.
strengths = {
    "input_noise": [0.03, 0.1, 0.2, 0.3, 0.5, 0.8],
    "adversarial_epsilon": [0.03, 0.1, 0.2, 0.3, 0.5, 0.8],
    "mixup": [0.1, 0.2, 0.5, 1.0, 2.0, 4.0],
}
plain = fitted["plain"].predict_proba(X_test)

fig, axes = plt.subplots(2, 3, figsize=(9, 5), sharex="col", sharey="row", layout="constrained")
for (name, values), (top, bottom) in zip(strengths.items(), axes.T, strict=True):
    tried = [network(**{name: v}).fit(X_train, y_train) for v in values]
    predicted = [model.predict_proba(X_test) for model in tried]
    top.plot(values, [log_loss(y_test, p) for p in predicted], "o-")
    top.axhline(log_loss(y_test, plain), color="grey", ls="--", label="plain")
    bottom.plot(values, [np.mean(p.argmax(axis=1) == y_test) for p in predicted], "o-")
    bottom.axhline(np.mean(plain.argmax(axis=1) == y_test), color="grey", ls="--")
    bottom.set(xlabel=name, xscale="log")
    bottom.set_xticks(values, values)
    bottom.minorticks_off()
axes[0, 0].set_ylabel("log loss of new rows")
axes[1, 0].set_ylabel("accuracy on new rows")
axes[0, 0].legend()
plt.show()
