"""Rounds: how many candidates go on, and to which epoch.

Successive halving (Jamieson and Talwalkar 2016), with the numbers of Li et al. (2018).
"""

import math

# With ``min_epochs="auto"``: networks stop early, so that a longest training is not planned for
# more epochs than this; and a network of fewer steps tells little.
USUAL_EPOCHS, FIRST_STEPS = 200, 50


def rounds_of(n_candidates, factor, min_epochs, max_epochs, n_steps=FIRST_STEPS):
    """Candidates and the epoch to which they train, of each round.

    Round r has floor(n_candidates / factor^r) of them, but one at least, and trains them factor
    times as long as the round before. It ends with the one that is left, which trains to the end,
    or where the end is reached. With ``min_epochs="auto"`` the first
    round is as long as leads there in equal steps, but fifty steps at least.

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
    while numbers[-1] > 1:
        share = math.floor(n_candidates / factor ** len(numbers))
        numbers.append(max(1, min(share, numbers[-1] - 1)))
    if min_epochs == "auto":
        planned = min(max_epochs, USUAL_EPOCHS) / factor ** (len(numbers) - 1)
        min_epochs = max(math.ceil(planned), math.ceil(FIRST_STEPS / n_steps))
    rounds = []
    for r, n in enumerate(numbers):
        epochs = max_epochs if n == 1 else min(math.ceil(min_epochs * factor**r), max_epochs)
        rounds.append((n, epochs))
        if epochs == max_epochs:
            break
    return rounds
