"""What does the patience of early stopping do to regularized networks?

For each set and regularizer, mean accuracy on a quarter of the rows over four seeds, epochs and
seconds, with ``n_iter_no_change`` of 10 (scikit-learn's), 40 and 'auto'. Then a grid over
``augmentation=[None, RandomAffine(...)]`` on half of the digits: in how many of four seeds it takes
the augmentation, and the accuracy on the other half. Run it on one thread::

    OMP_NUM_THREADS=1 python examples/benchmarks/patience.py            # data from openml.org
    OMP_NUM_THREADS=1 python examples/benchmarks/patience.py --data FOLDER
"""

import argparse
import time
import warnings

import numpy as np
from _common import machine_lines, markdown_table
from single_techniques import load
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import MLPClassifier
from skreg.augmentation import RandomAffine

GENERATED = {
    "500 x 20": {"n_samples": 500, "n_features": 20, "n_informative": 6, "flip_y": 0.1},
    "2000 x 40": {
        "n_samples": 2000, "n_features": 40, "n_informative": 10, "n_classes": 4, "flip_y": 0.05
    },
}  # fmt: skip
REGULARIZERS = {"plain": {}, "dropout": {"dropout": 0.25}, "mixup": {"mixup": 0.2}}
PATIENCES = (10, 40, "auto")
SEEDS = range(4)


def data_of(name, folder):
    if name in GENERATED:
        return make_classification(**GENERATED[name], random_state=1)
    X, y = load(name, folder)
    numbers = make_column_selector(dtype_include="number")
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((encode, make_column_selector(dtype_exclude="number")),
                                   ("passthrough", numbers)).fit_transform(X), y  # fmt: skip


def network(seed, patience, **params):
    return MLPClassifier(
        early_stopping=True, max_iter=1000, random_state=seed, n_iter_no_change=patience, **params
    )


def fit(X, y, seed, patience, params):
    """Accuracy on the test rows, epochs, seconds."""
    parts = train_test_split(X, y, stratify=y, random_state=seed)
    X_train, X_test, y_train, y_test = parts
    model = make_pipeline(StandardScaler(), network(seed, patience, **params))
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    return model.score(X_test, y_test), model[-1].n_iter_, seconds


def rows_of(name, folder):
    X, y = data_of(name, folder)
    for regularizer, params in REGULARIZERS.items():
        cells = []
        for patience in PATIENCES:
            results = np.array([fit(X, y, seed, patience, params) for seed in SEEDS])
            score, epochs, seconds = results.mean(axis=0)
            cells.append(f"{score:.3f}, {epochs:.0f}, {seconds:.2f} s")
        yield [name, regularizer, *cells]


def grid_over_augmentation(patience):
    """In how many seeds the search takes it, and the mean accuracy on the other half."""
    X, y = load_digits(return_X_y=True)
    taken, scores = 0, []
    for seed in SEEDS:
        parts = train_test_split(X / 16, y, test_size=0.5, stratify=y, random_state=seed)
        X_train, X_test, y_train, y_test = parts
        affine = RandomAffine(image_shape=(8, 8))
        grid = {"augmentation": [None, affine]}
        search = GridSearchCV(network(seed, patience), grid, cv=3).fit(X_train, y_train)
        taken += search.best_params_["augmentation"] is not None
        scores.append(search.score(X_test, y_test))
    return [str(patience), f"{taken} of {len(SEEDS)}", f"{np.mean(scores):.3f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="with a module load.py")
    folder = parser.parse_args().data
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("\n".join(machine_lines()), "\n", sep="")
    header = ["set", "network", *(f"patience {p}: accuracy, epochs, time" for p in PATIENCES)]
    rows = [row for name in ("vehicle", "segment", *GENERATED) for row in rows_of(name, folder)]
    print(markdown_table(header, rows, left=2), "\n")
    rows = [grid_over_augmentation(patience) for patience in PATIENCES]
    print(markdown_table(["patience", "augmentation taken", "accuracy"], rows))


if __name__ == "__main__":
    main()
