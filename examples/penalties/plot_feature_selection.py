"""
Which features does a network need?
===================================

The :doc:`group lasso </regularization/group_lasso>` makes all outgoing weights of a feature zero
together, so that the feature leaves the network; its strength is ``feature_alpha`` of
:class:`~skreg.MLPClassifier`. As it grows the noise leaves first, and the accuracy rises from 0.71
to 0.98, until features leave that matter.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# 300 features, of which 20 matter: 5 of them are the coordinates of a corner of a cube in five
# dimensions, with noise, and 15 are combinations of these. Half of the 32 corners belong to each
# class, at random, so that a feature says little on its own. The other 280 are pure noise.
N_TRUE = 20
rng = np.random.RandomState(0)
cube = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
labels = rng.permutation(np.repeat([0, 1], 16))
corner = rng.randint(32, size=4000)
coordinates = cube[corner] + 0.3 * rng.normal(size=(4000, 5))
combinations = coordinates @ rng.normal(size=(5, 15))
noise = rng.normal(size=(4000, 280))
X = scale(np.hstack([coordinates, combinations, noise])).astype(np.float32)
y = labels[corner]
X_train, X_test, y_train, y_test = X[:2000], X[2000:], y[:2000], y[2000:]

# %%
# One network, trained further while ``feature_alpha`` grows: with ``warm_start=True`` each fit
# begins with the weights of the one before. A network without the penalty trains for as many epochs
# as all of these fits together.
options = {"alpha": 1e-3, "batch_size": 500, "learning_rate_init": 0.01, "random_state": 0}
model = MLPClassifier((64,), max_iter=100, n_iter_no_change=np.inf, warm_start=True, **options)
strengths = np.geomspace(0.001, 0.2, 12)
plain = clone(model).set_params(max_iter=100 * len(strengths)).fit(X_train, y_train)
plain_score = plain.score(X_test, y_test)
supports, scores, norms = [], [], []
for feature_alpha in strengths:
    model.set_params(feature_alpha=feature_alpha).fit(X_train, y_train)
    supports.append(model.support_)
    scores.append(model.score(X_test, y_test))
    norms.append(np.linalg.norm(model.coefs_[0], axis=1))
supports, norms = np.array(supports), np.array(norms)

# %%
# The features of noise leave first. Of those that matter, the first ones that leave cost little
# accuracy: they are combinations of each other. The largest strengths cost much.
fig, (left, right) = plt.subplots(1, 2, figsize=(6.2, 4))
left.semilogx(strengths, supports[:, :N_TRUE].mean(axis=1), "o-", label="20 that matter")
left.semilogx(strengths, supports[:, N_TRUE:].mean(axis=1), "o-", color="0.6", label="280 of noise")
left.set(title="Features in support_", xlabel="feature_alpha", ylabel="share that is left")
left.legend()
right.semilogx(strengths, scores, "o-", label="with feature_alpha")
right.axhline(plain_score, color="0.6", ls="--", label="0, as many epochs")
right.set(title="Accuracy", xlabel="feature_alpha", ylabel="accuracy on test rows", ylim=(0.6, 1))
right.legend(loc="lower center")

# %%
# The accuracy grows before most of the noise is gone: its weights are small long before zero.
fig, ax = plt.subplots(figsize=(6.2, 2.8))
ax.semilogx(strengths, norms[:, N_TRUE:], color="0.8", lw=0.7)
ax.semilogx(strengths, norms[:, :N_TRUE], color="C0", lw=1)
ax.set(title="Weights of each feature, of noise in gray")
ax.set(xlabel="feature_alpha", ylabel="norm of its weights")
plt.show()

# %%
# See: :doc:`/regularization/group_lasso`, :class:`~skreg.MLPClassifier`.
