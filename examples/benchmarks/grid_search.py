"""How long does a whole grid search take?

::

    python examples/benchmarks/grid_search.py
    python examples/benchmarks/grid_search.py --rounds 3 --jobs 4

``GridSearchCV`` on digits: a pipeline with StandardScaler, 20 candidates (10 strengths of L2, two
learning rates), 5 folds, 50 epochs each, hidden layers (64, 64), batches of 64. Workers of loky
are warm: one search of each kind is discarded. Also under joblib's threading backend with one and
with all jobs, for skreg alone: the others hold the interpreter's lock. The serial share s follows
from the gain g of n jobs by Amdahl's law, 1 / g = s + (1 - s) / n.

scikit-learn comes a second time with OPENBLAS_CORETYPE set to the machine's level, in fresh workers
that have read it; skorch is PyTorch behind the estimator interface (``pip install skorch``).
"""

import os

# Workers are to use one thread each, before NumPy is loaded in any of them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time
import warnings

import joblib
import numpy as np
from _cases import torch
from _common import machine_lines, openblas_coretype, options_of, report
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

try:
    import skorch
except ImportError:
    skorch = None

STRENGTHS, RATES = np.logspace(-6, -1, 10), [1e-3, 3e-3]
HIDDEN, BATCH = (64, 64), 64
ALIKE = {
    "hidden_layer_sizes": HIDDEN,
    "batch_size": BATCH,
    "random_state": 0,
    "tol": 0.0,
    "n_iter_no_change": 10**6,
}


def skreg_search(epochs):
    from skreg import MLPClassifier

    grid = {"alpha": STRENGTHS, "learning_rate_init": RATES}
    return MLPClassifier(max_iter=epochs, **ALIKE), grid


def sklearn_search(epochs):
    from sklearn.neural_network import MLPClassifier

    grid = {"alpha": BATCH * STRENGTHS, "learning_rate_init": RATES}  # it divides by the batch size
    return MLPClassifier(max_iter=epochs, **ALIKE), grid


def skorch_search(epochs):
    net = skorch.NeuralNetClassifier(
        torch.nn.Sequential(
            torch.nn.Linear(64, HIDDEN[0]),
            torch.nn.ReLU(),
            torch.nn.Linear(HIDDEN[0], HIDDEN[1]),
            torch.nn.ReLU(),
            torch.nn.Linear(HIDDEN[1], 10),
        ),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=epochs,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return net, {"optimizer__weight_decay": STRENGTHS, "lr": RATES}


def seconds(make, epochs, folds, n_jobs, backend):
    """Of one search."""
    X, y = load_digits(return_X_y=True)
    estimator, grid = make(epochs)
    pipeline = make_pipeline(StandardScaler(), estimator)
    last = pipeline.steps[-1][0]
    grid = {f"{last}__{name}": list(values) for name, values in grid.items()}
    start = time.perf_counter()
    with joblib.parallel_config(backend=backend, n_jobs=n_jobs):
        GridSearchCV(pipeline, grid, cv=folds).fit(X.astype(np.float32), y)
    return time.perf_counter() - start


def fastest(options, make, n_jobs, backend, coretype=None):
    """Of some searches after a discarded one."""
    epochs, folds = (1, 2) if options.quick else (options.epochs, 5)
    if coretype:
        os.environ["OPENBLAS_CORETYPE"] = coretype
    if backend == "loky":
        get_reusable_executor().shutdown()  # new workers read the environment anew
    try:
        seconds(make, 1, folds, n_jobs, backend)
        return min(seconds(make, epochs, folds, n_jobs, backend) for _ in range(options.rounds))
    finally:
        if coretype:
            del os.environ["OPENBLAS_CORETYPE"]


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    jobs = options.jobs
    times = {
        f"skreg, {jobs} processes": fastest(options, skreg_search, jobs, "loky"),
        "skreg, 1 thread": fastest(options, skreg_search, 1, "threading"),
        f"skreg, {jobs} threads": fastest(options, skreg_search, jobs, "threading"),
        f"scikit-learn, {jobs} processes": fastest(options, sklearn_search, jobs, "loky"),
    }
    if openblas_coretype():
        tuned = fastest(options, sklearn_search, jobs, "loky", openblas_coretype())
        times[f"scikit-learn, {jobs} processes, tuned BLAS"] = tuned
    if skorch is not None:
        times[f"skorch, {jobs} processes"] = fastest(options, skorch_search, jobs, "loky")
    ours = times[f"skreg, {jobs} processes"]
    rows = [[name, f"{t:.2f}", f"{t / ours:.1f}"] for name, t in times.items()]
    report(["search", "seconds", f"times skreg's in {jobs} processes"], rows, options)
    gain = times["skreg, 1 thread"] / times[f"skreg, {jobs} threads"]
    share = (1 / gain - 1 / jobs) / (1 - 1 / jobs)
    print(f"\nGain of {jobs} threads: {gain:.2f}x; serial share {share:.2f}.")


if __name__ == "__main__":
    # What stops at max_iter says so, here and in the workers.
    os.environ["PYTHONWARNINGS"] = "ignore"
    warnings.simplefilter("ignore")
    run(
        options_of(
            __doc__,
            rounds=1,
            jobs={"type": int, "default": 2},
            epochs={"type": int, "default": 50},
        )
    )
