"""How far do dropout and max-norm take a plain network on MNIST, without spatial information?

Srivastava et al. (2014, table 2) report test errors, with some million updates of the weights:
1.60 % for two logistic layers of 800 units, 1.25 % for three ReLU layers of 1024 with dropout,
1.06 % with max-norm besides. Dropout is 0.5 on hidden units and 0.2 on the pixels.

Run it::

    python examples/benchmarks/mnist.py                        # data from openml.org
    python examples/benchmarks/mnist.py --data FOLDER --models dropout max_norm --epochs 100

Solver, rate and the bound of max-norm were chosen among two settings on the last 10,000 training
images (``--validate``); the error is that of the last epoch, and nothing is tuned on the test set.
"""

import argparse
import time
import warnings

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from real_data import local_mnist, openml_mnist
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier

DROPOUT = {"hidden_layer_sizes": (1024,) * 3, "dropout": 0.5, "input_dropout": 0.2}
MODELS = {
    "plain": {"hidden_layer_sizes": (800, 800), "activation": "logistic"},
    "plain_relu": {"hidden_layer_sizes": (1024,) * 3},
    "dropout": DROPOUT,
    "max_norm": {**DROPOUT, "max_norm": 2.0},
}
COMMON = {
    "penalty": None,
    "batch_size": 128,
    "learning_rate": "flat_cosine",
    "learning_rate_init": 0.0005,
    "tol": 0,
    "n_iter_no_change": np.inf,
}
PUBLISHED = {"plain": 1.60, "dropout": 1.25, "max_norm": 1.06}


def load(folder):
    """Pixels in [0, 1] as float32, and labels."""
    X_train, X_test, y_train, y_test = local_mnist(folder) if folder else openml_mnist()
    flat = (X.reshape(len(X), -1).astype(np.float32) / 255 for X in (X_train, X_test))
    return *flat, y_train, y_test


def measure(name, data, epochs, seed):
    """Test error in percent, training loss and minutes of one model."""
    X_train, X_test, y_train, y_test = data
    clf = MLPClassifier(**{**COMMON, **MODELS[name]}, max_iter=epochs, random_state=seed)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X_train, y_train)
    minutes = (time.perf_counter() - begin) / 60
    error = 100 * (1 - clf.score(X_test, y_test))
    return {
        "model": name,
        "seed": seed,
        "epochs": epochs,
        "updates": epochs * -(-len(X_train) // COMMON["batch_size"]),
        "test error %": round(error, 2),
        "published %": PUBLISHED.get(name, ""),
        "training loss": round(clf.loss_, 5),
        "minutes": round(minutes, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with load.py; default: openml.org")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--validate", action="store_true", help="on 10,000 training images")
    parser.add_argument("--out", help="CSV file")
    args = parser.parse_args()
    print("\n".join(machine_lines()), flush=True)
    data = load(args.data)
    if args.validate:
        X, _, y, _ = data
        data = X[:50000], X[50000:], y[:50000], y[50000:]
    rows = []
    for name in args.models:
        for seed in args.seeds:
            rows.append(measure(name, data, args.epochs, seed))
            print(rows[-1], flush=True)
    print(markdown_table(list(rows[0]), [list(r.values()) for r in rows]))
    if args.out:
        write_csv(args.out, rows)


if __name__ == "__main__":
    main()
