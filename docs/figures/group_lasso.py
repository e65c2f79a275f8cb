"""Which features keep their weights as the penalty on whole features grows."""

import _common  # noqa: F401  (trainings of a given length do not warn)
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler

from skreg import MLPRegressor

X, y = make_friedman1(600, n_features=20, noise=1.0, random_state=0)
X, alphas = StandardScaler().fit_transform(X), np.geomspace(1e-3, 1, 13)
norms = []
for alpha in alphas:
    mlp = MLPRegressor(hidden_layer_sizes=(32,), feature_alpha=alpha, penalty=None, max_iter=200,
                       standardize_y=True, random_state=0, learning_rate_init=3e-3)  # fmt: skip
    norms.append(np.linalg.norm(mlp.fit(X, y).coefs_[0], axis=1))
norms = np.array(norms)

_, (paths, number) = plt.subplots(1, 2, figsize=(7.2, 2.9))
paths.plot(alphas, norms[:, 5:], color="0.75", lw=1)
paths.plot(alphas, norms[:, :5], color="C0")
paths.plot([], [], color="C0", label="5 features that matter")
paths.plot([], [], color="0.75", label="15 that do not")
paths.set(xscale="log", xlabel="feature_alpha", ylabel="norm of a feature's weights")
paths.set_title("Weights that leave each feature")
paths.legend()
number.step(alphas, (norms[:, :5] > 0).sum(axis=1), where="mid", color="C0")
number.step(alphas, (norms[:, 5:] > 0).sum(axis=1), where="mid", color="0.6")
number.set(xscale="log", xlabel="feature_alpha", ylabel="features kept", yticks=[0, 5, 10, 15])
number.set_title("Whole features become zero")
