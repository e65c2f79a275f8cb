"""The eight places of a training step, and what stands at each."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PLACES = [
    ("1  data", "swap noise, mixup,\nCutMix, Cutout,\ninput noise,\nadversarial steps", "C1"),
    ("2  layers", "dropout, batch and\nlayer normalization,\nresidual links", "C2"),
    ("3  targets, loss", "label smoothing,\nsample and class\nweights, the loss", "C3"),
    ("4  backward", "gradients\nof the loss", "C5"),
    ("5  gradient", "L2, then clipping", "C0"),
    ("6  step", "weight decay,\nSGD or Adam,\nlearning rate", "C0"),
    ("7  prox", "L1, group lasso,\nmax-norm", "C0"),
    ("8  trajectory", "weight averaging,\nearly stopping,\nnorm statistics", "C4"),
]
WIDTH, HEIGHT, GAP = 1.0, 0.78, 0.22

_, axes = plt.subplots(figsize=(7.8, 3.7))
for i, (place, content, color) in enumerate(PLACES):
    row, column = divmod(i, 4)
    x = (column if row == 0 else 3 - column) * (WIDTH + GAP)
    y = -row * (HEIGHT + 0.42)
    axes.add_patch(
        FancyBboxPatch((x, y), WIDTH, HEIGHT, "round,pad=0,rounding_size=0.06",
                       facecolor=color, alpha=0.13, edgecolor="none")
    )  # fmt: skip
    top = {"va": "top", "linespacing": 1.25}
    axes.text(x + 0.07, y + HEIGHT - 0.06, place, weight="bold", color=color, fontsize=10, **top)
    axes.text(x + 0.07, y + HEIGHT - 0.23, content, fontsize=9.2, **top)
    middle = y + HEIGHT / 2
    if i == 3:
        ends = (x + WIDTH / 2, y), (x + WIDTH / 2, y - 0.42)
    elif i < 7:
        right = row == 0
        ends = (x + WIDTH * right, middle), (x + (WIDTH + GAP if right else -GAP), middle)
    else:
        ends = (x + WIDTH / 2, y + HEIGHT), (x + WIDTH / 2, y + HEIGHT + 0.42)
    axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=11, color="0.45", lw=1.1,
                                   shrinkA=1, shrinkB=1))  # fmt: skip
axes.text(0.56, -0.22, "next batch; place 8 once an epoch", fontsize=9, color="0.4", va="center")
axes.set(xlim=(-0.03, 4 * WIDTH + 3 * GAP + 0.03), ylim=(-1.24, HEIGHT + 0.03), aspect="equal")
axes.axis("off")
