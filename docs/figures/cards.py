"""Small pictures of the six ways to regularize, for the front page."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

SIZE = 2.6, 1.5


def frame():
    _, axes = plt.subplots(figsize=SIZE)
    axes.set(xticks=[], yticks=[])
    return axes


def shrink():
    axes, w = frame(), np.linspace(-2, 2, 401)
    axes.plot(w, w, color="0.75", lw=1.2)
    axes.plot(w, w / 1.8, label="L2")
    axes.plot(w, np.sign(w) * np.maximum(abs(w) - 0.7, 0), label="L1")
    axes.spines[["left", "bottom"]].set_position("zero")
    axes.legend(loc="upper left")


def drop():
    _, axes = plt.subplots(figsize=SIZE)
    layers = [np.linspace(-n, n, n + 1) for n in (3, 4, 4, 1)]
    off = {(1, 1), (1, 3), (2, 0), (2, 2)}
    for x, (left, right) in enumerate(pairwise(layers)):
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                if (x, i) not in off and (x + 1, j) not in off:
                    axes.plot([x, x + 1], [a, b], color="C0", lw=0.9, alpha=0.55, zorder=1)
    for x, layer in enumerate(layers):
        for i, y in enumerate(layer):
            gone = (x, i) in off
            color, edge, line = ("white", "0.6", ":") if gone else ("C0", "C0", "-")
            axes.scatter(x, y, s=75, color=color, edgecolor=edge, linestyle=line, zorder=2)
    axes.margins(0.08, 0.12)
    axes.axis("off")


def normalize():
    axes, z = frame(), np.linspace(-4, 9, 400)
    for center, spread in ((-1, 0.5), (2, 1.3), (5.5, 1.9)):
        axes.fill_between(z, np.exp(-(((z - center) / spread) ** 2) / 2) / spread, alpha=0.25,
                          color="0.6", lw=0)  # fmt: skip
    axes.plot(z, 1.3 * np.exp(-(z**2) / 2), color="C2")
    axes.spines["left"].set_visible(False)


def stop():
    axes, t = frame(), np.linspace(0, 5, 200)
    valid = np.exp(-1.6 * t) + 0.045 * t**1.7 + 0.25
    best = valid.argmin()
    axes.plot(t, np.exp(-1.2 * t) + 0.12, color="0.6")
    axes.plot(t[: best + 1], valid[: best + 1], color="C4")
    axes.plot(t[best:], valid[best:], color="C4", ls=":")
    axes.plot(t[best], valid[best], "o", color="C4")


def mix():
    axes, rng = frame(), np.random.default_rng(3)
    a, b = rng.normal((-1.2, 0), 0.5, (26, 2)), rng.normal((1.2, 0), 0.5, (26, 2))
    share = rng.beta(0.6, 0.6, 26)
    between = share[:, None] * a + (1 - share[:, None]) * b
    axes.scatter(*between.T, c=1 - share, cmap="RdBu_r", s=34, vmin=-0.15, vmax=1.15)
    axes.scatter(*a.T, color=plt.get_cmap("RdBu_r")(0.1), s=8)
    axes.scatter(*b.T, color=plt.get_cmap("RdBu_r")(0.9), s=8)


def augment():
    from sklearn.datasets import load_sample_image

    from skreg.augmentation import Compose, RandomAffine, RandomFlip

    flower = load_sample_image("flower.jpg")[40:400:4, 150:510:4] / 255.0
    shape = {"image_shape": flower.shape}
    change = Compose([RandomAffine(25, (0.8, 1.2), 0.1, **shape), RandomFlip(**shape)])
    rows = np.tile(flower.reshape(1, -1), (5, 1))
    variants = change.set_params(random_state=1).fit_transform(rows)
    _, axes = plt.subplots(2, 3, figsize=SIZE)
    for ax, picture in zip(axes.flat, [flower.ravel(), *variants], strict=True):
        ax.imshow(np.clip(picture.reshape(flower.shape), 0, 1))
        ax.axis("off")
