"""
Which features does a network need?
===================================

``feature_alpha`` adds a group lasso to the loss: the outgoing weights of a feature become zero
together, so that whole features leave the network. How many leave as it grows, are they the right
ones, and what does it do to the accuracy? Run it with
``python examples/plot_feature_selection.py``; it takes a few seconds.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# 300 features, of which 20 matter: 5 of them are the coordinates of a corner of a cube in five
# dimensions, with noise, and 15 are combinations of these. Half of the 32 corners belong to each
# class, at random, so no feature says anything on its own. The other 280 are pure noise.
N_TRUE, N_FEATURES = 20, 300
rng = np.random.RandomState(0)
cube = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
labels = rng.permutation(np.repeat([0, 1], 16))
corner = rng.randint(32, size=4000)
coordinates = cube[corner] + 0.3 * rng.normal(size=(4000, 5))
combinations = coordinates @ rng.normal(size=(5, 15))
noise = rng.normal(size=(4000, N_FEATURES - N_TRUE))
X = scale(np.hstack([coordinates, combinations, noise])).astype(np.float32)
y = labels[corner]
X_train, X_test, y_train, y_test = X[:2000], X[2000:], y[:2000], y[2000:]

# %%
# One network, trained further and further while ``feature_alpha`` grows: with ``warm_start=True``
# each fit begins with the weights of the one before. Each objective is larger than the last one, so
# the rule that stops when the loss falls no more is switched off.
model = MLPClassifier(
    (64,),
    alpha=1e-3,
    batch_size=500,
    learning_rate_init=0.01,
    max_iter=100,
    n_iter_no_change=np.inf,
    warm_start=True,
    random_state=0,
)
strengths = np.geomspace(0.001, 0.2, 16)
supports, scores, norms = [], [], []
for feature_alpha in strengths:
    model.set_params(feature_alpha=feature_alpha).fit(X_train, y_train)
    supports.append(model.support_)
    norms.append(np.linalg.norm(model.coefs_[0], axis=1))
    scores.append(model.score(X_test, y_test))
supports, norms = np.array(supports), np.array(norms)

plain = MLPClassifier((64,), alpha=1e-3, batch_size=500, learning_rate_init=0.01, random_state=0)
plain_score = plain.fit(X_train, y_train).score(X_test, y_test)

# %%
# The features of noise leave first, by the hundred. The network that uses all of them learns the
# training rows by heart; the one that has lost most of them cannot. Then some of the features that
# matter leave too, which does little harm at first, because they are combinations of each other.
# In the end the penalty is too strong for the task.
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
left.semilogx(strengths, norms[:, N_TRUE:], color="lightgrey", lw=0.7)
left.semilogx(strengths, norms[:, :N_TRUE], color="C0", lw=1)
left.set(title="norm of each feature's weights", xlabel="feature_alpha")
left.plot([], color="C0", label="features that matter")
left.plot([], color="lightgrey", label="noise")
left.legend()

middle.semilogx(strengths, supports[:, :N_TRUE].sum(axis=1), "o-", label="that matter")
middle.semilogx(strengths, supports[:, N_TRUE:].sum(axis=1), "s-", color="grey", label="noise")
middle.set(title="number of features in support_", xlabel="feature_alpha")
middle.set_yscale("symlog", linthresh=1)
middle.set_yticks([0, 1, 20, 280], ["0", "1", "20", "280"])
middle.legend(loc="lower left")

right.semilogx(strengths, scores, "o-", label="along feature_alpha")
right.axhline(plain_score, color="grey", ls="--", label="feature_alpha=0")
right.set(title="accuracy on the test set", xlabel="feature_alpha", ylim=(0.5, 1))
right.legend(loc="lower right")

print(f"feature_alpha=0:     {N_FEATURES} features, accuracy {plain_score:.3f}")
best = int(np.argmax(scores))
fewest = int(np.flatnonzero(np.array(scores) > 0.95)[-1])
for i in (best, fewest):
    print(
        f"feature_alpha={strengths[i]:.3f}: {supports[i].sum()} features "
        f"({supports[i, :N_TRUE].sum()} of them matter), accuracy {scores[i]:.3f}"
    )
plt.show()
