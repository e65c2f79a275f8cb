"""How many times faster are many trainings side by side than one after the other?

Run it on a quiet machine with two free processors::

    python examples/benchmarks/side_by_side.py

Twenty fits with early stopping on the loss, of the cases `tiny` and `digits` of ``speed.py``: by
the pool of threads on one and on two threads, by plain Python threads around `fit`, and in joblib's
warm processes; how many times faster than the pool on one thread. All in turns, minima over the
rounds. The ceiling is what two threads could bring where the beginning of all (checks, weights)
stays on one, and the Python of the epochs does not overlap with itself.
"""

import time
import warnings

import joblib
import numpy as np
from _cases import CASES, data_of
from _common import in_turns, machine_lines, options_of, report
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skreg import MLPClassifier
from skreg.data.rows import TrainingRows, check_arrays
from skreg.network.network import Network
from skreg.regularization.plan import Plan
from skreg.training.jobs import advance_all
from skreg.training.trainer import Trainer

N_FITS, N_EPOCHS = 20, 30


def model_of(case, seed):
    return MLPClassifier(
        case.hidden, batch_size=case.batch, max_iter=N_EPOCHS, early_stopping=True,
        n_iter_no_change=N_EPOCHS, random_state=seed,
    )  # fmt: skip


def trainers_of(case, X, y):
    """The data are checked once for all, as an ensemble does."""
    model = model_of(case, 0)
    plan, (A, b) = Plan(model), check_arrays(model, X, y, numeric=False, reset=True)
    targets = model._targets(b, None, partial=False)
    rows = TrainingRows((X, y), A, targets.check(b), None, targets)
    return [Trainer.fresh(plan, rows, check_random_state(seed)) for seed in range(N_FITS)]


def fit(case, X, y, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model_of(case, seed).fit(X, y).loss_


def by_pool(case, X, y, n_threads):
    """Seconds for all: to begin, to train, and to take the weights to keep."""
    start = time.perf_counter()
    trainers = trainers_of(case, X, y)
    advance_all(trainers, N_EPOCHS, n_threads=n_threads)
    for trainer in trainers:
        trainer.fitted()
    return time.perf_counter() - start


def by_joblib(parallel, case, X, y):
    """Seconds for all by `fit`."""
    start = time.perf_counter()
    parallel(joblib.delayed(fit)(case, X, y, seed) for seed in range(N_FITS))
    return time.perf_counter() - start


def share_of_python(case, X, y):
    """Of the time of one thread, what is not spent within the core."""
    inside = 0.0

    def counted(method):
        def call(*args):
            nonlocal inside
            start = time.perf_counter()
            result = method(*args)
            inside += time.perf_counter() - start
            return result

        return call

    originals = {name: getattr(Network, name) for name in ("train_epoch", "evaluate")}
    for name, method in originals.items():
        setattr(Network, name, counted(method))
    try:
        total = by_pool(case, X, y, 1)
    finally:
        for name, method in originals.items():
            setattr(Network, name, method)
    return 1 - inside / total


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def measure(case, X, y, rounds):
    """Seconds of all fits, by the way in which they are made."""
    processes = joblib.Parallel(n_jobs=2, backend="loky")
    threads = joblib.Parallel(n_jobs=2, backend="threading")
    ways = {
        "pool, 1": lambda: by_pool(case, X, y, 1),
        "pool, 2": lambda: by_pool(case, X, y, 2),
        "threads, 2": lambda: by_joblib(threads, case, X, y),
        "processes, 2": lambda: by_joblib(processes, case, X, y),
    }
    with processes, threads:
        return {way: min(seconds) for way, seconds in in_turns(ways, rounds).items()}


def row_of(name, rounds):
    case = CASES[name]
    X, y = data_of(case)
    seconds = measure(case, X, y, rounds)
    one = seconds.pop("pool, 1")
    python = np.median([share_of_python(case, X, y) for _ in range(3)])
    begin = min(timed(trainers_of, case, X, y) for _ in range(5)) / one
    ceiling = 1 / (begin + max(python - begin, (1 - begin) / 2))
    faster = [f"{one / s:.2f}" for s in seconds.values()]
    return [name, f"{one:.3f}", *faster, f"{python:.2f}", f"{begin:.2f}", f"{ceiling:.2f}"]


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    header = ["20 fits of", "pool, 1 thread, s", "pool, 2", "threads, 2", "processes, 2"]
    rows = [row_of(name, options.rounds) for name in options.cases]
    report([*header, "share of Python", "of the beginning", "ceiling"], rows, options)


if __name__ == "__main__":
    run(options_of(__doc__, cases={"nargs": "+", "default": ["tiny", "digits"]}))
