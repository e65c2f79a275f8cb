"""Panels of a search: their places in a figure, the limits of the scores, the ticks below."""

import math

import numpy as np

ROOM = 2  # times the distance from the best score to the worst that matters: room for scores
LETTERS = 38  # have room beside each other below a panel
WIDTH, HEIGHT, HEIGHT_OF_ROUNDS = 2.7, 2.1, 3.0  # inches


def axes_by_name(ax, names):
    """Axes by name: those given, or new ones in the room of the one given or of a figure."""
    if np.ndim(ax):
        if len(given := list(np.ravel(ax))) != len(names):
            raise ValueError(f"{len(names)} panels need as many axes, got {len(given)}: {names}.")
        return dict(zip(names, given, strict=True))
    if ax is not None and len(names) == 1:
        return {names[0]: ax}
    n_above = names[0] == "rounds"
    n = len(names) - n_above
    n_columns = {0: 1, 1: 1, 2: 2, 4: 2}.get(n, 3 if n <= 6 else 4)
    heights = [HEIGHT_OF_ROUNDS] * n_above + [HEIGHT] * math.ceil(n / n_columns)
    if ax is None:
        import matplotlib.pyplot as plt

        size = max(WIDTH * n_columns, 6), max(sum(heights), 2.6) + 0.3
        figure = plt.figure(figsize=size, layout="constrained")
        room = figure.add_gridspec(1, 1)[0]
    else:
        figure, room = ax.figure, ax.get_subplotspec()
        if room is None:
            raise ValueError(
                "ax is not part of a grid, so that its room cannot be divided among "
                f"{len(names)} panels. Make it with plt.subplots, or pass an array of axes."
            )
        ax.set_axis_off()
    grid = room.subgridspec(len(heights), n_columns, height_ratios=heights)
    axes = {"rounds": figure.add_subplot(grid[0, :])} if n_above else {}
    first = None
    for i, name in enumerate(names[n_above:]):
        row, column = divmod(i, n_columns)
        axes[name] = figure.add_subplot(grid[n_above + row, column], sharey=first)
        axes[name].tick_params(labelleft=column == 0)
        first = first or axes[name]
    return axes


def set_limits(ax, scores, matter):
    """Scores that would take more than half of the height stay outside; returns the lowest inside.

    Those that `matter` are inside, by default the better two thirds.
    """
    told, matter = (np.array(each)[~np.isnan(each)] for each in (scores, matter))
    if not len(told):
        return -np.inf
    top = told.max()
    worst = matter.min() if len(matter) else np.quantile(told, 1 / 3)
    lowest = told[told >= top - ROOM * ((top - worst) or np.inf)].min()
    if lowest - told.min() < top - lowest:
        lowest = told.min()
    margin = 0.07 * (top - lowest) or 0.1
    ax.set_ylim(lowest - margin, top + margin)
    return lowest


def set_ticks(ax, places):
    """Those of categories, and round numbers."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    ticks = dict(places.ticks)
    if places.log:
        ax.set_xscale("log")
    if places.numbers:
        low, high = places.numbers
        locators = [MaxNLocator(4, steps=[1, 2, 5, 10])]
        if places.log:
            locators = [LogLocator(subs=subs, numticks=5) for subs in ((1,), (1, 3), (1, 2, 5))]
        for locator in locators:  # until there are two of them
            inside = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
            if len(inside) > 1:
                break
        ticks |= {tick: f"{tick:g}" for tick in inside}
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.minorticks_off()
    ax.tick_params(axis="x", labelsize=9)
    if (max(map(len, ticks.values())) + 1) * len(ticks) > LETTERS:
        turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        ax.set_xticks(ax.get_xticks(), list(ticks.values()), **turned)
    for between in places.apart:
        ax.axvline(between, color="0.85", linewidth=0.8, zorder=1)
