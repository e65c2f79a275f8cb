"""What does augmentation bring on pictures, signals, sounds and tables?

Run it::

    OMP_NUM_THREADS=2 python examples/benchmarks/augmentation_effect.py mnist [--data FOLDER]
    python examples/benchmarks/augmentation_effect.py few_digits mnist1d spoken_digits --data FOLDER
    python examples/benchmarks/augmentation_effect.py tables [--data FOLDER] [--seeds 5]

mnist
    Two hidden layers of 1000 units on 60,000 digits, with and without `RandomAffine` and
    `ElasticDeformation` in every epoch. Simard et al. (2003) report 1.6 % and 0.7 % for such nets.
few_digits
    The same network and augmentation with 1,000 labelled digits.
mnist1d
    MNIST-1D (Greydanus 2020), 4,000 signals of 40 points; 68 % is published for an MLP.
spoken_digits
    The Free Spoken Digit Dataset; index 0 to 4 is the test part, as its authors say. Features are
    log-spectrograms; errors on the clean test sounds, and with noise at 10 dB.
tables
    500 training rows; an MLP and a random forest, as they are and with four copies of each row by
    each augmenter; the MLP takes as many steps in both cases. Mean change of the score (accuracy,
    or R2) on 5,000 other rows over the seeds, with its standard error.

MNIST and the tables come from openml.org without ``--data``, which MNIST-1D and the spoken digits
need: a folder with ``load.py``, or with ``mnist1d.npz`` and ``fsdd.npz``. The settings of MNIST and
MNIST-1D were chosen on a sixth and a fifth of their training sets. All errors are those of the last
epoch. Set OMP_NUM_THREADS for more than one thread.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from real_data import local_mnist, local_module, openml_mnist, openml_table
from scipy.signal import stft
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import (
    AddNoise,
    Augmented,
    Compose,
    Drift,
    ElasticDeformation,
    FeatureNoise,
    Gain,
    MixUp,
    RandomAffine,
    SwapNoise,
    TimeShift,
)

TABLES = ("adult", "phoneme", "california_housing")
RATE = 8000  # of the spoken digits, in hertz


def network(hidden, augmentation, epochs, seed, **parameters):
    """Batch norm, some dropout, decoupled weight decay, one cycle of the learning rate."""
    settings = {
        "batch_norm": True,
        "dropout": 0.1,
        "penalty": None,
        "weight_decay": 1e-2,
        "learning_rate": "one_cycle",
        "learning_rate_init": 3e-3,
        "batch_size": 256,
        "n_iter_no_change": epochs,
    }
    settings.update(parameters)
    return MLPClassifier(
        hidden, augmentation=augmentation, max_iter=epochs, random_state=seed, **settings
    )


def measured(task, what, model, X, y, X_test, y_test):
    """Fit and score; a row of the table."""
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    error = 100 * (1 - model.score(X_test, y_test))
    row = {"task": task, "augmentation": what, "test error %": f"{error:.2f}"}
    print(task, what, f"{error:.2f} %, {seconds:.0f} s", flush=True)
    return {**row, "seconds": f"{seconds:.0f}"}


# ------------------------------------------------------------------------------ pictures


def digit_augmentation():
    """Affine maps and smooth displacements, at once in every epoch."""
    shape = {"image_shape": (28, 28)}
    affine = RandomAffine(10, (0.9, 1.1), 0.05, 0.15, **shape)
    return Compose([affine, ElasticDeformation(26, 5, **shape)])


def digits(folder):
    """MNIST with pixels from 0 to 1."""
    data = local_mnist(folder) if folder else openml_mnist()
    pictures = [np.asarray(a, dtype=np.float32).reshape(len(a), -1) / 255 for a in data[:2]]
    return *pictures, *(np.asarray(a).astype(int) for a in data[2:])


def mnist(arguments):
    """All of MNIST."""
    X, X_test, y, y_test = digits(arguments.data)
    epochs = arguments.epochs or 42
    settings = {
        "dropout": 0.0,
        "batch_size": 128,
        "learning_rate_init": 6e-3,
        "label_smoothing": 0.05,
    }
    for what, augmentation in (("none", None), ("affine, elastic", digit_augmentation())):
        for seed in range(arguments.seeds or 1):
            model = network((1000, 1000), augmentation, epochs, seed, **settings)
            yield measured(f"MNIST, seed {seed}", what, model, X, y, X_test, y_test)


def few_digits(arguments):
    """A thousand labels, a hundred of each digit."""
    X, X_test, y, y_test = digits(arguments.data)
    epochs = arguments.epochs or 300
    for seed in range(arguments.seeds or 3):
        rng = np.random.default_rng(seed)
        rows = np.concatenate([rng.permutation(np.flatnonzero(y == k))[:100] for k in range(10)])
        for what, augmentation in (("none", None), ("affine, elastic", digit_augmentation())):
            model = network((1000, 1000), augmentation, epochs, seed, batch_size=100)
            task = f"1,000 digits, seed {seed}"
            yield measured(task, what, model, X[rows], y[rows], X_test, y_test)


# ------------------------------------------------------------------------------- signals


def arrays_of(name, folder):
    """The arrays of a data set in a folder."""
    if not folder:
        raise SystemExit(f"{name} is not on openml.org: pass --data FOLDER.")
    if (Path(folder) / "load.py").exists():
        return local_module(folder).load_npz(name)
    return dict(np.load(Path(folder) / f"{name}.npz"))


def mnist1d(arguments):
    """Shift, slow drift, loudness and noise in every epoch; dropout, where nothing else helps."""
    data = arrays_of("mnist1d", arguments.data)
    X, X_test = data["X_train"], data["X_test"]
    y, y_test = data["y_train"].astype(int), data["y_test"].astype(int)
    shift = TimeShift(8, fill="edge")
    every = Compose([shift, Drift(0.3), Gain((-2, 2)), FeatureNoise(0.05)])
    candidates = {
        "none": (None, 0.5),
        "shift": (shift, 0.1),
        "shift, drift, gain, noise": (every, 0.1),
    }
    for what, (augmentation, dropout) in candidates.items():
        for seed in range(arguments.seeds or 3):
            settings = {"dropout": dropout, "weight_averaging": "ema"}
            epochs = arguments.epochs or 400
            model = network((512, 512, 512), augmentation, epochs, seed, **settings)
            yield measured(f"MNIST-1D, seed {seed}", what, model, X, y, X_test, y_test)


# -------------------------------------------------------------------------------- sounds


def spoken(folder):
    """Sounds of half a second, from -1 to 1, with labels and the mask of the test part."""
    data = arrays_of("fsdd", folder)
    length = RATE // 2
    sounds = np.zeros((len(data["label"]), length), dtype=np.float32)
    for row, begin, end in zip(sounds, data["offset"][:-1], data["offset"][1:], strict=True):
        sound = data["signal"][begin : min(end, begin + length)]
        row[: len(sound)] = sound / 2**15
    return sounds, data["label"].astype(int), data["index"] < 5


def log_spectrogram(X):
    """Logarithms of the power in 16 bands of frequency at 31 times, without the loudness."""
    power = np.abs(stft(X, RATE, nperseg=256, noverlap=128)[2]) ** 2
    bands = power[:, 1:].reshape(len(X), 16, 8, -1).sum(axis=2)
    logs = np.log(bands + 1e-8).reshape(len(X), -1)
    return (logs - logs.mean(axis=1, keepdims=True)).astype(np.float32)


def spoken_digits(arguments):
    """Noise and shifts of the sounds, before their features are computed."""
    X, y, test = spoken(arguments.data)
    noisy = AddNoise(10.0, random_state=1).fit_transform(X[test])
    augmenter = Compose([TimeShift(0.1), AddNoise((5, 30))], random_state=0)

    def model():
        net = network((256,), None, arguments.epochs or 40, 0, dropout=0.3, batch_size=64)
        return make_pipeline(FunctionTransformer(log_spectrogram), StandardScaler(), net)

    candidates = {
        "none": model(),
        "pipeline step": make_pipeline(augmenter, model()),
        "Augmented, 4 copies": Augmented(model(), augmenter, n_copies=4),
    }
    for what, estimator in candidates.items():
        row = measured("spoken digits", what, estimator, X[~test], y[~test], X[test], y[test])
        at_10_db = 100 * (1 - estimator.score(noisy, y[test]))
        yield {**row, "test error at 10 dB %": f"{at_10_db:.2f}"}


# -------------------------------------------------------------------------------- tables


def tables(arguments):
    """Mean change of the score by each augmenter, before two estimators."""
    for name in TABLES:
        X, y = table(name, arguments.data)
        classes = y.dtype.kind in "OUS"
        for kind, make in (("MLP", table_network), ("random forest", forest)):
            scores = {}
            for seed in range(arguments.seeds or 5):
                rows = np.random.default_rng(seed).permutation(len(y))
                train, test = rows[:500], rows[500:5500]
                A, B = preprocessed(X.iloc[train], X.iloc[test])
                for what, augmenter in table_augmenters(seed).items():
                    n_copies = 0 if augmenter is None else 4
                    model = make(classes, seed, n_rows=1 + n_copies)
                    if n_copies:
                        model = Augmented(model, augmenter, n_copies=n_copies)
                    target = y if classes else (y - y[train].mean()) / y[train].std()
                    score = model.fit(A, target[train]).score(B, target[test])
                    scores.setdefault(what, []).append(score)
            yield from summary(name, kind, scores)


def table(name, folder):
    """Features as a frame, target as an array."""
    X, y, _ = local_module(folder).load(name) if folder else openml_table(name)
    y = np.asarray(y)
    return X, y.astype(float) if name == "california_housing" else y.astype(str)


def preprocessed(train, test):
    """Standardised numbers and one column for each category, of both parts."""
    numbers = [c for c in train if train[c].dtype.kind in "if"]
    others = [c for c in train if c not in numbers]
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), others),
    )
    return prepare.fit_transform(train), prepare.transform(test)


def table_augmenters(seed):
    """The augmenters to compare; None is without."""
    return {
        "none": None,
        "FeatureNoise(0.1)": FeatureNoise(0.1, random_state=seed),
        "SwapNoise(0.1)": SwapNoise(0.1, random_state=seed),
        "MixUp(0.2)": MixUp(0.2, random_state=seed),
    }


def table_network(classes, seed, n_rows):
    """The same number of steps for all, however many rows an original becomes."""
    epochs = 300 // n_rows
    settings = {"batch_size": 64, "max_iter": epochs, "n_iter_no_change": epochs}
    network = MLPClassifier if classes else MLPRegressor
    return network(hidden_layer_sizes=(64,), random_state=seed, **settings)


def forest(classes, seed, n_rows):
    """200 trees."""
    return (RandomForestClassifier if classes else RandomForestRegressor)(200, random_state=seed)


def summary(name, kind, scores):
    """Rows with the mean change against no augmentation, and its standard error."""
    base = np.array(scores["none"])
    for what, values in scores.items():
        change = np.array(values) - base
        error = change.std(ddof=1) / np.sqrt(len(change)) if len(change) > 1 else np.nan
        row = {"task": f"{name}, {kind}", "augmentation": what, "score": f"{np.mean(values):.4f}"}
        row["change"] = "" if what == "none" else f"{change.mean():+.4f} ± {error:.4f}"
        print(*row.values(), flush=True)
        yield row


# ---------------------------------------------------------------------------------- main

TASKS = {f.__name__: f for f in (mnist, few_digits, mnist1d, spoken_digits, tables)}


def main():
    """Run the tasks asked for, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="+", choices=TASKS)
    parser.add_argument("--data", help="folder with data")
    parser.add_argument("--epochs", type=int, help="instead of the task's own number")
    parser.add_argument("--seeds", type=int, help="instead of the task's own number")
    parser.add_argument("--out", help="CSV file to write, one task at a time")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    print("\n".join(machine_lines()))
    for task in arguments.tasks:
        rows = list(TASKS[task](arguments))
        print(markdown_table(list(rows[0]), [list(r.values()) for r in rows], left=2))
        if arguments.out:
            write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
