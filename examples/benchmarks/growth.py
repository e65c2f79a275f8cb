"""How does the time of a training step grow with rows, features, width, depth and batch?

::

    python examples/benchmarks/growth.py                      # all, a quarter of an hour
    python examples/benchmarks/growth.py --axes rows batch

From a middle case (100 features, hidden layers (128, 128), batch 128) one size is varied at a time,
on one thread, in float32. The time a row should not depend on the number of rows; along the other
axes the time of a step should grow as its arithmetic, so that the fraction of the limit
(``_limit.py``) stays or rises.
"""

import os

# Before NumPy is loaded, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from dataclasses import replace

from _cases import Case, fit_sklearn, fit_skreg, fit_torch, torch
from _common import in_turns, machine_lines, options_of, report
from _limit import Limit

MIDDLE = Case(20_000, 100, (128, 128), 128, 2, epochs=4)
AXES = {
    "rows": [replace(MIDDLE, rows=n, epochs=max(1, 400_000 // n)) for n in (10**4, 10**5, 10**6)],
    "features": [replace(MIDDLE, features=n) for n in (10, 30, 100, 300, 1000)],
    "width": [replace(MIDDLE, hidden=(n, n)) for n in (16, 32, 64, 128, 256, 512, 1024)],
    "depth": [replace(MIDDLE, hidden=(128,) * n) for n in (1, 2, 4, 8, 16)],
    "batch": [replace(MIDDLE, batch=n) for n in (8, 32, 128, 512, 2048)],
}
SHORT = 1  # epochs of the short fit


def microseconds_a_step(fit, case, rounds):
    times = in_turns({"it": lambda: (fit(case, SHORT), fit(case, SHORT + case.epochs))}, rounds)
    short, long = (min(seconds) for seconds in zip(*times["it"], strict=True))
    return (long - short) / case.steps * 1e6


def run(options):
    contestants = {"skreg": fit_skreg}
    if options.peers:
        contestants["scikit-learn"] = fit_sklearn
        if torch is not None:
            torch.set_num_threads(1)
            contestants["PyTorch"] = fit_torch
    limit = Limit()
    print("\n".join(machine_lines() + limit.lines()), "\n", sep="")
    rows = []
    for axis in options.axes:
        for case in AXES[axis]:
            case = replace(case, rows=4 * case.batch, epochs=1) if options.quick else case
            least = limit.microseconds(case)
            us = [microseconds_a_step(f, case, options.rounds) for f in contestants.values()]
            a_row = 1e3 * us[0] * case.steps / case.epochs / case.rows
            cells = [f"{u:.1f}" for u in us]
            rows.append(
                [axis, str(case), *cells, f"{a_row:.0f}", f"{least:.1f}", f"{least / us[0]:.2f}"]
            )
    header = ["axis", "microseconds a step", *contestants]
    report([*header, "skreg, ns a row", "limit", "fraction of it"], rows, options, left=2)


if __name__ == "__main__":
    run(
        options_of(
            __doc__,
            rounds=3,
            axes={"nargs": "+", "choices": AXES, "default": list(AXES)},
            peers={"action": "store_true", "help": "measure scikit-learn and PyTorch, too"},
        )
    )
