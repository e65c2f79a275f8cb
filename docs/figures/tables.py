"""Two features of a table, and their rows after each augmenter for tables."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris

from skreg.augmentation import FeatureMask, FeatureNoise, SwapNoise

X, y = load_iris(return_X_y=True)
_, panels = plt.subplots(1, 3, figsize=(7.2, 2.8), sharex=True, sharey=True)
for axes, name, change in (
    (panels[0], "FeatureNoise(0.2)", FeatureNoise(0.2, random_state=0)),
    (panels[1], "SwapNoise(0.2)", SwapNoise(0.2, random_state=0)),
    (panels[2], "FeatureMask(0.2)", FeatureMask(0.2, random_state=0)),
):
    variants = change.fit_transform(X)
    axes.plot(*X[:, 2:].T, "o", color="0.8", ms=4, label="rows")
    axes.plot(*variants[:, 2:].T, "o", color="C1", ms=2.5, label="variants")
    axes.set(title=name, xlabel="petal length (cm)")
panels[0].set_ylabel("petal width (cm)")
panels[0].legend(loc="upper left", handletextpad=0.1)
