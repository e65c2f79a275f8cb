"""
How deep may a network be?
==========================

Through many layers the signal, and on the way back the gradient, shrinks or grows at each.
:doc:`Batch </regularization/batch_norm>` and :doc:`layer normalization
</regularization/layer_norm>` bring it back to one scale in each layer, a :doc:`residual link
</regularization/residual>` adds the input of the layer to its output. With 24 layers only networks
with residual links learn at both learning rates.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

# All networks train for the same number of epochs, on purpose.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# Handwritten digits, half of them to learn from, and 20 epochs for layers of 32 units.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
settings = {
    "plain": {},
    "batch_norm=True": {"batch_norm": True},
    "layer_norm=True": {"layer_norm": True},
    "residual=True": {"residual": True},
    "layer_norm and residual": {"layer_norm": True, "residual": True},
}
depths = [3, 6, 12, 24]


def accuracy(n_layers, seed, **parameters):
    """On the test set."""
    model = MLPClassifier(
        (32,) * n_layers,
        batch_size=64,
        max_iter=20,
        random_state=seed,
        **parameters,
    )
    return model.fit(X_train, y_train).score(X_test, y_test)


# %%
# The mean of three random states, and their range. With 24 layers only the residual networks keep
# nearly the accuracy of three layers, at both learning rates.
fig, axes = plt.subplots(1, 2, figsize=(6.2, 4.2), sharey=True)
for ax, rate in zip(axes, (0.001, 0.003), strict=True):
    for name, parameters in settings.items():
        color = "0.55" if name == "plain" else None
        scores = np.array(
            [
                [accuracy(d, seed, learning_rate_init=rate, **parameters) for d in depths]
                for seed in range(3)
            ]
        )
        (line,) = ax.plot(depths, scores.mean(axis=0), "o-", color=color, label=name)
        ax.fill_between(depths, scores.min(0), scores.max(0), color=line.get_color(), alpha=0.2)
        print(f"{name}, learning_rate_init={rate}: {scores.mean(axis=0)[-1]:.2f} with 24 layers")
    ax.set(xscale="log", xlabel="hidden layers", ylim=(0, 1.02))
    ax.set_title(f"Accuracy, learning rate {rate}")
    ax.set_xticks(depths, depths)
    ax.minorticks_off()
axes[0].set_ylabel("test accuracy after 20 epochs")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# See: :doc:`/regularization/batch_norm`, :doc:`/regularization/layer_norm`,
# :doc:`/regularization/residual`, :class:`~skreg.MLPClassifier`.
