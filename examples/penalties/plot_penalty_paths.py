"""
How do L1, L2 and the elastic net shrink the weights?
=====================================================

Each penalty pulls weights towards zero, the more the larger ``alpha`` is, but on different paths.
:doc:`L1 </regularization/l1>` makes one after the other exactly zero,
:doc:`L2 </regularization/l2>` shrinks all of them and removes none, the elastic net does something
of both. With ``hidden_layer_sizes=()`` :class:`~skreg.MLPRegressor` is a linear model, so that
there are few enough weights to draw them all.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.preprocessing import scale

from skreg import MLPRegressor

# %%
# 442 patients, ten standardized features, and the progress of their diabetes, standardized too.
data = load_diabetes()
X, y = scale(data.data), scale(data.target)
alphas = np.geomspace(1e-3, 10, 33)
penalties = {
    "L1": {"penalty": "l1"},
    "Elastic net": {"penalty": "elasticnet", "l1_ratio": 0.5},
    "L2": {"penalty": "l2"},
}


def linear(alpha, **parameters):
    """No hidden layer; L-BFGS goes to the minimum."""
    options = {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-7, "random_state": 0}
    return MLPRegressor(hidden_layer_sizes=(), alpha=alpha, **options, **parameters)


# %%
# One line for each weight, five of them in gray. Of the blood values s1 and s2, which are nearly
# the same, L1 removes s2 first and s1 later; L2 moves the two towards each other. Weights that grow
# on the way take over what others give up.
named = {"bmi": "C0", "bp": "C1", "s5": "C2", "s1": "C3", "s2": "C4"}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3.2), sharey=True)
for ax, (title, parameters) in zip(axes, penalties.items(), strict=True):
    paths = np.array([linear(a, **parameters).fit(X, y).coefs_[0][:, 0] for a in alphas])
    for feature, path in zip(data.feature_names, paths.T, strict=True):
        style = {"color": "0.8", "zorder": 1}
        if feature in named:
            style = {"color": named[feature], "label": feature}
        ax.semilogx(alphas, path, **style)
    ax.set(title=title, xlabel="alpha")
    nonzero = np.count_nonzero(paths[alphas >= 0.1][0])
    print(f"{title}: {nonzero} of 10 weights are not zero at alpha=0.1")
axes[0].set_ylabel("weight")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)

# %%
# What is it worth? R2 of rows left out, with only 50 rows to learn from, in 30 splits. L2 gains
# most here, since all features say something; too strong a penalty ruins each of the models.
splits = ShuffleSplit(30, train_size=50, random_state=0)
fig, ax = plt.subplots(figsize=(7.2, 3))
for title, parameters in penalties.items():
    models = [linear(alpha, **parameters) for alpha in alphas[::2]]
    scores = [cross_val_score(model, X, y, cv=splits).mean() for model in models]
    ax.semilogx(alphas[::2], scores, "o-", label=title)
ax.set(xlabel="alpha", ylabel="R2 on rows left out", title="50 rows, mean of 30 splits")
ax.legend()
plt.show()
