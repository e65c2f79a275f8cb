"""A signal and variants of it, for each group of augmenters."""

import matplotlib.pyplot as plt
import numpy as np

from skreg import augmentation as aug

T = np.linspace(0, 1, 300)
SIGNAL = np.sin(2 * np.pi * 8 * T) * np.exp(-(((T - 0.5) / 0.25) ** 2))


def draw(*changes):
    """Two variants by each augmenter, before the signal itself."""
    _, panels = plt.subplots(1, len(changes), figsize=(7.2, 2.6), sharey=True, squeeze=False)
    for axes, (name, change) in zip(panels[0], changes, strict=True):
        variants = change.set_params(random_state=56).fit_transform(np.tile(SIGNAL, (2, 1)))
        for down, variant in zip((0, 2.6), variants, strict=True):
            (signal,) = axes.plot(T, SIGNAL - down, color="0.6", lw=2.2)
            (changed,) = axes.plot(T, variant - down, color="C0", lw=1)
        axes.set(title=name, xlabel="time (s)", yticks=[])
    panels[0, 0].legend([signal, changed], ["signal", "variants"], loc="upper right", ncols=2)
    panels[0, 0].set_ylim(-4.2, 3)


def overview():
    draw(
        ("TimeShift(0.2)", aug.TimeShift(0.2)),
        ("TimeWarp(0.5)", aug.TimeWarp(0.5)),
        ("AddNoise(10)", aug.AddNoise(10.0)),
    )


def noise():
    draw(*((f"AddNoise({snr})", aug.AddNoise(float(snr))) for snr in (20, 10, 0)))


def time():
    draw(
        ("TimeShift(0.2)", aug.TimeShift(0.2)),
        ("TimeStretch((0.6, 1.5))", aug.TimeStretch((0.6, 1.5))),
        ("TimeWarp(0.5)", aug.TimeWarp(0.5)),
    )


def drift():
    draw(
        ("Gain((-6, 6))", aug.Gain((-6, 6))),
        ("Drift(0.4)", aug.Drift(0.4)),
        ("TimeMask(0.3)", aug.TimeMask(0.3)),
    )
