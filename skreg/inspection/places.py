"""Places: where values of a parameter stand along an axis, whatever they are. Begin at `place`."""

from collections import defaultdict
from numbers import Real
from typing import NamedTuple

import numpy as np

FEW = 6  # at most as many different values have a tick each
WIDE = 10  # numbers on a logarithmic scale: the largest is more than this times the smallest,
LOW = 0.3  # and the median less than this times the largest
CLOSE = 0.1  # ticks that are nearer to each other, as a share of the axis, have no room for labels
STEP = 0.22  # from a scale to the categories left of it, as a share of the scale
SPREAD = 0.6  # of equal categories, as a share of the way to the next one
LONGEST = 16  # characters of a label


class Places(NamedTuple):
    """Where values stand, and what is written there."""

    at: np.ndarray  # the place of each value
    ticks: dict  # labels by place
    log: bool = False
    numbers: tuple | None = None  # smallest and largest, between which ticks are still to choose
    apart: tuple = ()  # places between two kinds of values
    note: str = ""


def place(values):
    """Numbers, or sizes of layers, stand along a scale; other values are categories left of it.

    Parameters
    ----------
    values : list

    Returns
    -------
    places : Places
    """
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    sizes = [_sizes(value) for value in values]
    if all(size is None for size in sizes):
        numbers = [value if _is_number(value) else np.nan for value in values]
        return _with_categories(values, *_along_a_scale(np.array(numbers, dtype=float)))
    sizes = [
        (value,) if _is_number(value) else size for value, size in zip(values, sizes, strict=True)
    ]
    few = len(set(sizes) - {None}) <= FEW
    return _with_categories(values, _one_by_one(sizes) if few else _by_length(sizes))


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(value))


def _sizes(value):
    """As a tuple, if it is one of numbers."""
    return tuple(value) if isinstance(value, tuple | list) and all(map(_is_number, value)) else None


# In what these return, values of other kinds are at NaN.


def _along_a_scale(numbers):
    """Their places, by exponents of ten if logarithmic, with the ends of the scale."""
    given = np.unique(numbers[~np.isnan(numbers)])
    if len(given) < 2:
        return Places(np.full(len(numbers), np.nan), {}), None
    few = len(given) <= FEW
    positive = given[given > 0]
    log = given[0] >= 0 and _is_logarithmic(positive, few and _are_close(given))
    if log:  # where 0 is a category
        given, numbers = np.log10(positive), np.log10(np.where(numbers > 0, numbers, np.nan))
    ends = given[0], given[-1]
    if few and not _are_close(given):
        ticks = {place: f"{10**place if log else place:.3g}" for place in given}
        return Places(numbers, ticks, log), ends
    return Places(numbers, {}, log, ends), ends


def _is_logarithmic(numbers, are_close):
    """Whether numbers > 0 lie that way, or have more room then."""
    if len(numbers) < 2 or numbers[-1] <= WIDE * numbers[0]:
        return False
    if np.median(numbers) < LOW * numbers[-1]:
        return True
    return are_close and not _are_close(np.log(numbers))


def _are_close(places):
    return np.diff(places).min() < CLOSE * (places[-1] - places[0])


def _one_by_one(sizes):
    """Few and narrow layers first."""
    order = sorted(set(sizes) - {None}, key=lambda size: (len(size), size))
    at = np.array([np.nan if size is None else order.index(size) for size in sizes])
    labels = ["-".join(f"{width:g}" for width in size) or "()" for size in order]
    return Places(_spread(at), dict(enumerate(labels)))


def _by_length(sizes):
    """A group for each number of layers, in which the wider ones stand to the right."""
    known = [size for size in sizes if size is not None]
    lengths = sorted({len(size) for size in known})
    widths = np.unique([max(size, default=0) for size in known])

    def at(size):
        share = np.searchsorted(widths, max(size, default=0)) / max(len(widths) - 1, 1)
        return lengths.index(len(size)) + 0.7 * (share - 0.5)

    return Places(
        np.array([np.nan if size is None else at(size) for size in sizes]),
        {i: str(n) for i, n in enumerate(lengths)},
        apart=tuple(i + 0.5 for i in range(len(lengths) - 1)),
        note=f"layers, {widths[0]:g} to {widths[-1]:g} wide",
    )


def _with_categories(values, found, ends=None):
    """Those that have no place yet, in a row that ends left of the others."""
    at, rows = found.at.copy(), defaultdict(list)
    for row in np.flatnonzero(np.isnan(at)):
        rows[f"{values[row]:g}" if _is_number(values[row]) else repr(values[row])].append(row)
    step = 1.0 if ends is None else STEP * (ends[1] - ends[0])
    end = 0.0 if ends is None else ends[0]
    ticks, apart = dict(found.ticks), found.apart
    for i, key in enumerate(sorted(rows, key=lambda k: (k not in ("unset", "None"), k))):
        tick = end - (len(rows) - i) * step
        at[rows[key]] = tick + step * _spread(np.zeros(len(rows[key])))
        lower = "\n" * (i % 2) if ends is not None else ""  # there is little room beside a scale
        ticks[tick] = lower + _label(key, values[rows[key][0]])
    if rows and not np.isnan(found.at).all():
        apart = (end - step / 2, *apart)
    if not found.log:
        return found._replace(at=at, ticks=ticks, apart=apart)
    ticks = {10**tick: label for tick, label in ticks.items()}
    numbers = found.numbers and (10 ** found.numbers[0], 10 ** found.numbers[1])
    apart = tuple(10**place for place in apart)
    return found._replace(at=10**at, ticks=ticks, numbers=numbers, apart=apart)


def _label(key, value):
    """Text as it is, objects by the name of their class or function."""
    text = value if isinstance(value, str) else getattr(value, "__name__", key.split("(")[0])
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _spread(places):
    """Equal places a little apart, in the same way each time."""
    spread = places.astype(float)
    for same in np.unique(places[~np.isnan(places)]):
        (rows,) = np.nonzero(places == same)
        spread[rows] += SPREAD * ((np.arange(len(rows)) * 0.618034 + 0.5) % 1 - 0.5)
    return spread
