"""
How do L1, L2 and the elastic net shrink the weights?
=====================================================

Each penalty pulls weights towards zero, more so for a larger ``alpha``.
:doc:`L1 </regularization/l1>` makes one after the other exactly zero,
:doc:`L2 </regularization/l2>` shrinks all of them and removes none, the
:doc:`elastic net </regularization/elastic_net>` is between the two. With ``hidden_layer_sizes=()``
:class:`~skreg.MLPRegressor` is a linear model, with few enough weights to draw them all.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from skreg import MLPRegressor

threadpool_limits(1)  # vectors this short are not worth threads of SciPy's L-BFGS

# %%
# 442 patients, ten standardized features, and the progress of their diabetes, standardized too.
data = load_diabetes()
X, y = scale(data.data), scale(data.target)
alphas = np.geomspace(1e-3, 10, 25)
penalties = {
    "L1": {"penalty": "l1"},
    "Elastic net": {"penalty": "elasticnet", "l1_ratio": 0.5},
    "L2": {"penalty": "l2"},
}


def linear(alpha, **parameters):
    """No hidden layer; L-BFGS goes to the minimum."""
    options = {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-6, "random_state": 0}
    return MLPRegressor(hidden_layer_sizes=(), alpha=alpha, **options, **parameters)


# %%
# One line for each weight, five of them in gray. Of the blood values s1 and s2, which are nearly
# the same, L1 removes s2 first and s1 later; L2 moves the two towards each other.
named = {"bmi": "C0", "bp": "C1", "s5": "C2", "s1": "C3", "s2": "C4"}
fig, axes = plt.subplots(2, 2, figsize=(6.2, 5), sharex=True, sharey=True)
for ax, (title, parameters) in zip(axes.flat[:3], penalties.items(), strict=True):
    paths = np.array([linear(a, **parameters).fit(X, y).coefs_[0][:, 0] for a in alphas])
    for feature, path in zip(data.feature_names, paths.T, strict=True):
        style = {"color": "0.8", "zorder": 1}
        if feature in named:
            style = {"color": named[feature], "label": feature}
        ax.semilogx(alphas, path, **style)
    ax.set(title=f"{title}: weights by alpha", xlabel="alpha", ylabel="weight")
    ax.tick_params(labelbottom=True)
    nonzero = np.count_nonzero(paths[alphas >= 0.1][0])
    print(f"{title}: {nonzero} of 10 weights are not zero at alpha=0.1")
axes[1, 1].axis("off")
axes[1, 1].legend(*axes[0, 0].get_legend_handles_labels(), loc="center")

# %%
# What does it gain? R2 of rows left out, with only 50 rows to learn from, in ten splits. The three
# penalties raise it by about as much, and lower it where ``alpha`` is much larger.
splits = ShuffleSplit(10, train_size=50, random_state=0)
fig, ax = plt.subplots(figsize=(6.2, 3))
for title, parameters in penalties.items():
    models = [linear(alpha, **parameters) for alpha in alphas[::4]]
    scores = [cross_val_score(model, X, y, cv=splits).mean() for model in models]
    ax.semilogx(alphas[::4], scores, "o-", label=title)
    print(f"{title}: R2 {scores[0]:.2f} at the smallest alpha, {max(scores):.2f} at the best")
ax.set(xlabel="alpha", ylabel="R2", title="R2 on rows left out, 50 training rows, ten splits")
ax.legend()
plt.show()

# %%
# See: :doc:`/regularization/l1`, :doc:`/regularization/l2`, :doc:`/regularization/elastic_net`,
# :class:`~skreg.MLPRegressor`.
