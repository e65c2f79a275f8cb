"""Rounds: how many candidates go on, and to which epoch (Jamieson and Talwalkar 2016)."""

import math


def rounds_of(n_candidates, factor, min_epochs, max_epochs):
    """Candidates and the epoch to which they train, of each round.

    Each round keeps 1 / factor of the candidates and trains them factor times as long, until at
    most `factor` are left, which train to the end. With ``min_epochs="auto"`` the first round is as
    long as leads there in equal steps, but at most `LONGEST_FIRST` epochs: where networks stop
    early, the end is not reached anyway.

    Returns
    -------
    rounds : list of (n_candidates, epochs)
    """
    numbers = [n_candidates]
    while numbers[-1] > factor:
        numbers.append(math.ceil(numbers[-1] / factor))
    if min_epochs == "auto":
        min_epochs = min(math.ceil(max_epochs / factor ** (len(numbers) - 1)), LONGEST_FIRST)
    epochs = [min(math.ceil(min_epochs * factor**r), max_epochs) for r in range(len(numbers))]
    epochs[-1] = max_epochs
    return list(zip(numbers, epochs, strict=True))


LONGEST_FIRST = 8
