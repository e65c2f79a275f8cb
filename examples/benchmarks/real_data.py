"""How well, and in what time, does skreg train on real data, beside scikit-learn's MLP?

Run it on a quiet machine::

    python examples/benchmarks/real_data.py                      # data from openml.org
    python examples/benchmarks/real_data.py --data FOLDER        # data from a local folder
    python examples/benchmarks/real_data.py --sets phoneme --repeats 1 --max-rows 2000   # a try

Four fits on each set: both libraries with their defaults (which mean another strength of the L2
penalty: scikit-learn divides ``alpha`` by the batch size), scikit-learn with its early stopping,
and skreg with dropout, batch norm and early stopping. ``--hidden`` sets the layers of the last two,
so that they train the same network.

Numbers are standardized, categories one-hot encoded, pixels divided by 255, all float32; targets of
regression are standardized. The test set is the official one where there is one (``adult``,
``mnist``), else a quarter of the rows. Time is that of ``fit`` on the prepared arrays. Scores are
means over ``--repeats`` seeds, with their standard deviation: accuracy and log loss for
classification, R2 and mean squared error (in variances of the target) for regression. One thread,
unless OMP_NUM_THREADS says otherwise.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded, which reads it

import argparse
import importlib.util
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _common import cpu_model, machine_lines, markdown_table, versions, write_csv
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import fetch_california_housing, fetch_openml
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.neural_network import MLPRegressor as SklearnMLPRegressor
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import MLPClassifier, MLPRegressor

OPENML_IDS = {"adult": 1590, "phoneme": 1489, "mnist": 554}
SETS = ["adult", "phoneme", "california_housing", "mnist"]


@dataclass
class Task:
    """Prepared float32 arrays and what is to be predicted."""

    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    classification: bool


# --- data ----------------------------------------------------------------------------------------


def load_task(name, folder, max_rows):
    """The prepared arrays of one set."""
    if name == "mnist":
        return limit(images(*(local_mnist(folder) if folder else openml_mnist())), max_rows)
    X, y, is_test = local_table(folder, name) if folder else openml_table(name)
    classification = name != "california_housing"
    if is_test is None:
        is_test = random_quarter(y, classification)
    return prepare_table(X, y, is_test, classification, max_rows)


def local_module(folder):
    """The folder's ``load.py``, with ``load(name)`` and ``load_npz(name)``."""
    spec = importlib.util.spec_from_file_location("_local_data", Path(folder) / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def local_table(folder, name):
    X, y, meta = local_module(folder).load(name)
    split = meta.get("split")
    return X, y.to_numpy(), None if split is None else (split == "test").to_numpy()


def local_mnist(folder):
    arrays = local_module(folder).load_npz("mnist")
    return [arrays[key] for key in ("X_train", "X_test", "y_train", "y_test")]


def openml_table(name):
    """From openml.org, which does not keep an official split of these."""
    if name == "california_housing":
        X, y = fetch_california_housing(return_X_y=True, as_frame=True)
    else:
        X, y = fetch_openml(data_id=OPENML_IDS[name], return_X_y=True, as_frame=True)
    return X, y.to_numpy(), None


def openml_mnist():
    """70,000 digits in the official order: the last 10,000 are the test set."""
    X, y = fetch_openml(data_id=OPENML_IDS["mnist"], return_X_y=True, as_frame=False)
    return X[:60000], X[60000:], y[:60000], y[60000:]


def random_quarter(y, classification):
    """Mask of a held-out quarter of the rows, stratified by class."""
    rows = np.arange(len(y))
    stratify = y if classification else None
    _, test = train_test_split(rows, test_size=0.25, random_state=0, stratify=stratify)
    return np.isin(rows, test)


def prepare_table(X, y, is_test, classification, max_rows):
    """Encode and scale with what the training rows show."""
    train, test = first_rows(~is_test, max_rows), first_rows(is_test, max_rows)
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32),
                make_column_selector(dtype_exclude="number"),
            ),
        ]
    )
    X_train = columns.fit_transform(X.iloc[train]).astype(np.float32)
    X_test = columns.transform(X.iloc[test]).astype(np.float32)
    y_train, y_test = y[train], y[test]
    if not classification:
        mean, std = y_train.mean(), y_train.std()
        y_train, y_test = (((part - mean) / std).astype(np.float32) for part in (y_train, y_test))
    return Task(X_train, X_test, y_train, y_test, classification)


def first_rows(mask, max_rows):
    """Indices of a random choice of at most ``max_rows`` rows of the mask."""
    rows = np.random.RandomState(0).permutation(np.flatnonzero(mask))
    return rows[:max_rows]


def images(X_train, X_test, y_train, y_test):
    """Pixels to [0, 1]; standardizing would blow up those that are almost always dark."""
    X_train, X_test = (X.reshape(len(X), -1).astype(np.float32) / 255 for X in (X_train, X_test))
    return Task(X_train, X_test, y_train, y_test, classification=True)


def limit(task, max_rows):
    """The first rows only (images come in random order)."""
    return Task(
        task.X_train[:max_rows],
        task.X_test[:max_rows],
        task.y_train[:max_rows],
        task.y_test[:max_rows],
        task.classification,
    )


# --- models --------------------------------------------------------------------------------------


def contestants(classification, options):
    """Label -> function from a seed to an unfitted model."""
    ours = MLPClassifier if classification else MLPRegressor
    theirs = SklearnMLPClassifier if classification else SklearnMLPRegressor
    hidden = {"hidden_layer_sizes": tuple(options.hidden)}
    regularized = {"dropout": options.dropout, "batch_norm": True, "early_stopping": True}
    return {
        "scikit-learn, defaults": lambda seed: theirs(random_state=seed),
        "skreg, defaults": lambda seed: ours(random_state=seed),
        "scikit-learn, early stopping": lambda seed: theirs(
            random_state=seed, early_stopping=True, **hidden
        ),
        "skreg, dropout + batch norm + early stopping": lambda seed: ours(
            random_state=seed, **regularized, **hidden
        ),
    }


def timed_fit(model, task):
    """Seconds of one fit."""
    with warnings.catch_warnings():
        # Defaults end at 200 epochs, converged or not; the table shows the epochs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(task.X_train, task.y_train)
        return time.perf_counter() - start


def evaluate(model, task):
    """Fit, and measure one repeat."""
    seconds = timed_fit(model, task)
    if task.classification:
        loss = log_loss(task.y_test, model.predict_proba(task.X_test), labels=model.classes_)
    else:
        loss = mean_squared_error(task.y_test, model.predict(task.X_test))
    score = model.score(task.X_test, task.y_test)
    return {"score": score, "loss": loss, "seconds": seconds, "epochs": model.n_iter_}


def evaluate_all(task, options):
    """All repeats of all contestants, taking turns: label -> list of measurements."""
    models = contestants(task.classification, options)
    for make in models.values():
        timed_fit(make(0).set_params(max_iter=1), limit(task, 500))  # load code, start threads
    results = {label: [] for label in models}
    for seed in range(options.repeats):
        for label, make in models.items():
            measured = evaluate(make(seed), task)
            results[label].append(measured)
            shown = ", ".join(f"{key} {value:.4g}" for key, value in measured.items())
            print(f"  seed {seed}, {label}: {shown}", file=sys.stderr)
    return results


# --- report --------------------------------------------------------------------------------------


def summary(name, label, measurements, task):
    """One record of the CSV: means over the repeats."""
    mean = {key: np.mean([m[key] for m in measurements]) for key in measurements[0]}
    return {
        "set": name,
        "train_rows": len(task.X_train),
        "features": task.X_train.shape[1],
        "model": label,
        "metric": "accuracy" if task.classification else "R2",
        "score": mean["score"],
        "score_std": np.std([m["score"] for m in measurements]),
        "loss": mean["loss"],
        "epochs": mean["epochs"],
        "seconds": mean["seconds"],
        "ms_per_epoch": 1e3 * mean["seconds"] / mean["epochs"],
        "repeats": len(measurements),
        "cpu": cpu_model(),
        "threads": os.environ["OMP_NUM_THREADS"],
        "versions": "; ".join(f"{k} {v}" for k, v in versions().items()),
    }


def table_row(record):
    spread = f" ± {record['score_std']:.4f}" if record["repeats"] > 1 else ""
    return [
        f"{record['set']} ({record['train_rows']} x {record['features']})",
        record["model"],
        f"{record['metric']} {record['score']:.4f}{spread}",
        f"{record['loss']:.4f}",
        f"{record['epochs']:.0f}",
        f"{record['seconds']:.2f}",
        f"{record['ms_per_epoch']:.1f}",
    ]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="folder with load.py (default: openml)")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--max-rows", type=int, help="at most so many training and test rows")
    parser.add_argument("--repeats", type=int, default=3, help="seeds (default: 3)")
    parser.add_argument("--hidden", type=int, nargs="+", default=[256, 256])
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--out", help="CSV file to write")
    return parser.parse_args()


def main():
    options = parse_options()
    print("\n".join(machine_lines()), "\n", sep="")
    records = []
    for name in options.sets:
        print(name, file=sys.stderr)
        task = load_task(name, options.data, options.max_rows)
        for label, measurements in evaluate_all(task, options).items():
            records.append(summary(name, label, measurements, task))
    header = ["set", "model", "test score", "log loss / MSE", "epochs", "fit, s", "ms an epoch"]
    print(markdown_table(header, [table_row(r) for r in records], left=2))
    hidden = ", ".join(map(str, options.hidden))
    print(f"\nMeans of {options.repeats} seed(s). With early stopping: hidden layers ({hidden}),")
    print(f"skreg with dropout {options.dropout:g}.")
    if options.out:
        write_csv(options.out, records)


if __name__ == "__main__":
    main()
