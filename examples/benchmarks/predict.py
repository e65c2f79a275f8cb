"""How long does prediction take: the latency of one row, the throughput of many?

::

    python examples/benchmarks/predict.py                # one thread
    python examples/benchmarks/predict.py --threads 2

Networks of 100 features, hidden layers (128, 128) and two classes, ``predict_proba`` on float32
arrays: 1 row, 100 rows, and 100,000 rows. scikit-learn as installed and, in a child process, with
OPENBLAS_CORETYPE set to the machine's level; PyTorch's bare forward pass on a tensor, without
gradients. Fastest of all calls in ``--rounds`` rounds.
"""

import functools
import time
import warnings

import numpy as np
from _cases import Case, torch, torch_network
from _common import (
    ChildProcess,
    in_turns,
    machine_lines,
    openblas_coretype,
    options_of,
    report,
    serve,
)
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

CASE = Case(2000, 100, (128, 128), 128, 2, epochs=1)
SIZES = {1: 1000, 100: 300, 100_000: 3}  # rows, and calls a round


@functools.cache
def rows(n):
    return np.random.RandomState(1).standard_normal((n, CASE.features)).astype(np.float32)


@functools.cache
def fitted(library):
    """A fitted estimator's predict_proba, or PyTorch's forward pass."""
    if library == "PyTorch":
        net = torch_network(CASE).eval()
        return torch.no_grad()(lambda X: torch.sigmoid(net(torch.from_numpy(X))))
    if library == "skreg":
        from skreg import MLPClassifier
    else:
        from sklearn.neural_network import MLPClassifier
    X = rows(CASE.rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(CASE.hidden, max_iter=2, random_state=0).fit(X, X[:, 0] > 0)
    return model.predict_proba


def seconds(library, n, calls, n_threads):
    """Of the fastest of some calls."""
    predict, X, fastest = fitted(library), rows(n), np.inf
    if torch is not None:
        torch.set_num_threads(n_threads)
    with threadpool_limits(n_threads):
        for _ in range(calls):
            start = time.perf_counter()
            predict(X)
            fastest = min(fastest, time.perf_counter() - start)
    return fastest


def start_contestants():
    names = ["skreg", "scikit-learn"] + ["PyTorch"] * (torch is not None)
    contestants = {name: functools.partial(seconds, name) for name in names}
    if openblas_coretype():
        child = ChildProcess(__file__)
        contestants["scikit-learn, tuned BLAS"] = functools.partial(child, "scikit-learn")
    return contestants


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    contestants, table = start_contestants(), []
    for n, calls in SIZES.items():
        if options.quick:
            n, calls = min(n, 1000), 1
        times = in_turns(contestants, options.rounds, n, calls, options.threads)
        us = {name: min(results) * 1e6 for name, results in times.items()}
        cells = [f"{us[name]:.1f} ({us[name] / us['skreg']:.1f}x)" for name in list(us)[1:]]
        table.append([f"{n:,}", f"{us['skreg']:.1f}", *cells])
    header = ["microseconds for so many rows (times skreg's)", *contestants]
    report(header, table, options)


if __name__ == "__main__":
    options = options_of(__doc__, threads={"type": int, "default": 1})
    if options.child:
        serve(seconds)
    else:
        run(options)
