"""How good are the models for tables, without a choice?

Contenders for a harness that calls ``function(task, seed, X)`` and fits what it returns on data
frames, and, run by itself, five splits of tables from openml.org beside scikit-learn's
HistGradientBoosting::

    python examples/benchmarks/tables.py
    python examples/benchmarks/tables.py --data FOLDER --sets vehicle credit-g
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedShuffleSplit

from skreg import TableEncoder, TabularClassifier, TabularRegressor

PARTS = {
    "tabular": {},
    "robust": {"encoder": TableEncoder()},
    "three_folds": {"cv": 3},
    "eight_folds": {"cv": 8},
    "no_dropout": {"dropout": 0.0},
    "wide": {"hidden_layer_sizes": (256, 256)},
    "narrow": {"hidden_layer_sizes": (64, 64)},
    "weight_decay": {"weight_decay": 0.1},
}


def _contender(params):
    def make(task, seed, X):
        model = TabularClassifier if task == "classification" else TabularRegressor
        return model(random_state=seed, **params)

    return make


# tabular, robust, ...: the defaults, and what the ablation changes of them.
globals().update({name: _contender(params) for name, params in PARTS.items()})


def compare(X, y):
    """For each model its errors, log losses and seconds over five splits."""
    models = {
        "TabularClassifier": TabularClassifier(random_state=0),
        "HistGradientBoosting": HistGradientBoostingClassifier(
            categorical_features="from_dtype", random_state=0
        ),
    }
    results = {name: [] for name in models}
    for train, test in StratifiedShuffleSplit(5, test_size=0.25, random_state=0).split(X, y):
        for name, model in models.items():
            start = time.perf_counter()
            model.fit(X.iloc[train], y[train])
            seconds = time.perf_counter() - start
            p = model.predict_proba(X.iloc[test])
            error = (model.classes_[p.argmax(axis=1)] != y[test]).mean()
            results[name].append((error, log_loss(y[test], p, labels=model.classes_), seconds))
    return results


def main():
    from _common import machine_lines, markdown_table  # a harness finds the contenders alone
    from single_techniques import OPENML, load

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="with a module load.py")
    parser.add_argument("--sets", nargs="+", default=list(OPENML))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("\n".join(machine_lines()), "\n", sep="")
    rows = []
    for name in options.sets:
        for model, results in compare(*load(name, options.data)).items():
            mean, spread = np.mean(results, axis=0), np.std(results, axis=0)
            cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean[:2], spread[:2], strict=True)]
            rows.append([name, model, *cells, f"{mean[2]:.2f}"])
    header = ["set", "model", "error", "log loss", "seconds of a fit"]
    print(markdown_table(header, rows, left=2))


if __name__ == "__main__":
    main()
