"""The activation functions and their derivatives."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, ndtr

z = np.linspace(-4, 4, 802)  # without 0, where some have a kink
softplus, bend = np.log1p(np.exp(z)), np.expm1(np.minimum(z, 0))
FUNCTIONS = {
    "identity": z,
    "logistic": expit(z),
    "tanh": np.tanh(z),
    "relu": np.maximum(z, 0),
    "leaky_relu": np.where(z > 0, z, 0.01 * z),
    "elu": np.where(z > 0, z, bend),
    "selu": 1.0507 * np.where(z > 0, z, 1.6733 * bend),
    "gelu": z * ndtr(z),
    "silu": z * expit(z),
    "mish": z * np.tanh(softplus),
    "softplus": softplus,
}
_, panels = plt.subplots(4, 3, figsize=(5.4, 6.2), sharex=True, sharey=True)
for axes, (name, value) in zip(panels.flat, FUNCTIONS.items(), strict=False):
    axes.axhline(0, color="0.85", lw=0.8, zorder=0)
    axes.axvline(0, color="0.85", lw=0.8, zorder=0)
    (derivative,) = axes.plot(z, np.gradient(value, z), color="C1", lw=1.3)
    (function,) = axes.plot(z, value, color="C0")
    axes.set(title=name, xlim=(-4, 4), ylim=(-2, 3), xticks=[-3, 0, 3], yticks=[-1, 0, 1, 2])
panels[-1, -1].axis("off")
panels[-1, -1].legend([function, derivative], ["h(z)", "derivative"], loc="center")
