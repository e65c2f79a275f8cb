"""Rounds: how many candidates go on, and to which epoch (Jamieson and Talwalkar 2016)."""

import math

# Of the first round with ``min_epochs="auto"``: longer ones, measured, choose no better.
FIRST_EPOCHS, FIRST_STEPS = 4, 50


def rounds_of(n_candidates, factor, min_epochs, max_epochs, n_steps=FIRST_STEPS):
    """Candidates and the epoch to which they train, of each round.

    Each round keeps 1 / factor of the candidates and trains them factor times as long, until at
    most `factor` are left, which train to the end. With ``min_epochs="auto"`` the first round has
    four epochs, or as many as make fifty steps where an epoch has few, unless fewer lead to
    `max_epochs` in equal steps.

    Parameters
    ----------
    n_candidates : int
    factor : float
    min_epochs : int or 'auto'
    max_epochs : int
    n_steps : float
        Of an epoch.

    Returns
    -------
    rounds : list of (n_candidates, epochs)
    """
    numbers = [n_candidates]
    while numbers[-1] > max(factor, 1):
        numbers.append(min(math.ceil(numbers[-1] / factor), numbers[-1] - 1))
    if min_epochs == "auto":
        enough = max(FIRST_EPOCHS, math.ceil(FIRST_STEPS / n_steps))
        min_epochs = min(math.ceil(max_epochs / factor ** (len(numbers) - 1)), enough)
    epochs = [min(math.ceil(min_epochs * factor**r), max_epochs) for r in range(len(numbers))]
    epochs[-1] = max_epochs
    return list(zip(numbers, epochs, strict=True))
