"""The boundary between a common and a rare class, without and with class weights."""

import matplotlib.pyplot as plt
from _common import boundary
from sklearn.datasets import make_blobs
from sklearn.metrics import recall_score

from skreg import MLPClassifier

X, y = make_blobs([380, 20], centers=[(0, 0), (1.6, 1.2)], cluster_std=(1.0, 0.7), random_state=3)
new, new_y = make_blobs([3800, 200], centers=[(0, 0), (1.6, 1.2)], cluster_std=(1.0, 0.7),
                        random_state=4)  # fmt: skip
_, panels = plt.subplots(1, 2, figsize=(7.2, 3))
for axes, weight in zip(panels, (None, "balanced"), strict=True):
    mlp = MLPClassifier((32,), class_weight=weight, alpha=1e-2, max_iter=400, random_state=0)
    boundary(axes, mlp.fit(X, y), X, y)
    found = recall_score(new_y, mlp.predict(new), average=None)
    axes.set_title(f"class_weight={weight!r}" if weight else "class_weight=None")
    axes.set_xlabel(f"new rows right: {found[0]:.0%} of blue, {found[1]:.0%} of red")
