"""Confidence and calibration of a network, without and with label smoothing."""

import matplotlib.pyplot as plt
import numpy as np
from _common import digits

from skreg import MLPClassifier

_, (sure, right) = plt.subplots(1, 2, figsize=(7.2, 2.9))
bins = np.linspace(0.2, 1, 17)
for smoothing, color in ((0.0, "0.55"), (0.1, "C3")):
    confidence, hits = [], []
    for seed in range(3):
        X, X_test, y, y_test = digits(150, seed)
        mlp = MLPClassifier((128,), label_smoothing=smoothing, batch_size=64, max_iter=200,
                            n_iter_no_change=200, random_state=seed).fit(X, y)  # fmt: skip
        p = mlp.predict_proba(X_test)
        confidence.append(p.max(axis=1))
        hits.append(p.argmax(axis=1) == y_test)
    confidence, hits = np.concatenate(confidence), np.concatenate(hits)
    sure.hist(confidence, bins, color=color, alpha=0.6, label=f"label_smoothing={smoothing}")
    parts = [(confidence > low) & (confidence <= low + 0.1) for low in np.arange(0.3, 1, 0.1)]
    parts = [part for part in parts if part.sum() > 20]
    right.plot([confidence[p].mean() for p in parts], [hits[p].mean() for p in parts], "o-",
               color=color)  # fmt: skip
right.plot([0.2, 1], [0.2, 1], color="0.8", lw=1, zorder=0)
sure.set(title="Confidence", xlabel="highest probability", ylabel="test rows")
right.set(title="Calibration", xlabel="highest probability", ylabel="accuracy")
sure.legend(loc="upper left")
