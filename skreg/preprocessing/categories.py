"""Columns of categories: one column of zeros and ones for each, the rare ones in one."""

import numpy as np

from skreg.preprocessing.numeric import repetitions

# scikit-learn's name for what its encoders pool.
POOL = "infrequent_sklearn"
# Where texts would be learned by heart: most values come once.
MANY, MANY_OF_ROWS = 100, 0.4


class Categories:
    """A column of categories, from the codes of its levels, -1 for what is missing.

    Of scikit-learn's OneHotEncoder, with handle_unknown="infrequent_if_exist", in these points
    more: counts are weighted, and missing values are no category that could be rare. And codes
    come from frames that have them already.
    """

    def __init__(self, codes, levels, weight, min_frequency, max_categories, missing_indicator):
        known = codes >= 0
        weight = weight if weight is None else repetitions(weight)
        counts = np.bincount(
            codes[known], None if weight is None else weight[known], minlength=len(levels)
        )
        total = len(codes) if weight is None else weight.sum()
        seen = in_order([levels[i] for i in np.flatnonzero(counts)])
        count_of = dict(zip(levels, counts, strict=True))
        counts = np.array([count_of[level] for level in seen])
        rare = rare_ones(counts, total, min_frequency, max_categories)
        self.categories = seen
        self.frequent = [level for level, is_rare in zip(seen, rare, strict=True) if not is_rare]
        self.pool = len(self.frequent) if rare.any() else -1
        self.width = len(self.frequent) + bool(rare.any())
        self.missing = -1
        if missing_indicator and not known.all():
            self.missing, self.width = self.width, self.width + 1
        self.is_text = len(seen) > max(MANY, MANY_OF_ROWS * len(codes))

    def names(self, name):
        names = [f"{name}_{level}" for level in self.frequent]
        names += [f"{name}_{POOL}"] * (self.pool >= 0)
        return names + [f"{name}_missing"] * (self.missing >= 0)

    def write(self, codes, levels, out):
        """Fill `out`, of shape (n_rows, width) and zero, for the values levels[codes]."""
        place = {level: i for i, level in enumerate(self.frequent)}
        places = [place.get(level, self.pool) for level in levels]
        column = np.array([*places, self.missing], dtype=np.intp)[codes]  # codes of -1: the last
        rows = np.flatnonzero(column >= 0)
        out[rows, column[rows]] = 1


def in_order(levels):
    """Sorted, by type and text where they do not compare."""
    try:
        return sorted(levels)
    except TypeError:
        return sorted(levels, key=lambda level: (type(level).__name__, str(level)))


def rare_ones(counts, total, min_frequency, max_categories):
    """Which categories are pooled: below the least count, and those beyond the largest number."""
    least = 0 if min_frequency is None else min_frequency
    rare = counts < (least * total if isinstance(least, float) else least)
    if max_categories is not None and len(rare) - rare.sum() + rare.any() > max_categories:
        order = np.argsort(counts, kind="stable")
        rare[order[: len(counts) - (max_categories - 1)]] = True
    return rare
