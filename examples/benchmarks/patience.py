"""What does the patience of early stopping do to regularized networks?

For each set and regularizer, mean accuracy on a quarter of the rows over four seeds, epochs and
seconds, with ``n_iter_no_change`` of 10 (scikit-learn's), 40 and 'auto'. Then a grid over
``augmentation=[None, RandomAffine(...)]`` on half of the digits: in how many of four seeds it takes
the augmentation, and the accuracy on the other half. Run it on one thread::

    OMP_NUM_THREADS=1 python examples/benchmarks/patience.py            # data from openml.org
    OMP_NUM_THREADS=1 python examples/benchmarks/patience.py --data FOLDER
    OMP_NUM_THREADS=1 python examples/benchmarks/patience.py --rules    # about fifteen minutes

With ``--rules`` five networks are trained for 500 epochs on eight tables and the generated sets,
and the rules are applied to their validation curves afterwards: the held-out loss at the epoch that
each rule keeps, over that of a patience of 80, as a geometric mean, and the epochs.
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
from sklearn.utils import check_random_state

from skreg import MLPClassifier
from skreg.augmentation import RandomAffine
from skreg.data.rows import TrainingRows, check_arrays
from skreg.regularization.plan import Plan
from skreg.training.trainer import Trainer

GENERATED = {
    "500 x 20": {"n_samples": 500, "n_features": 20, "n_informative": 6, "flip_y": 0.1},
    "2000 x 40": {
        "n_samples": 2000, "n_features": 40, "n_informative": 10, "n_classes": 4, "flip_y": 0.05
    },
}  # fmt: skip
REGULARIZERS = {"plain": {}, "dropout": {"dropout": 0.25}, "mixup": {"mixup": 0.2}}
PATIENCES = (10, 40, "auto")
SEEDS = range(4)

TABLES = ("blood-transfusion", "car", "credit-g", "kc1", "phoneme", "segment", "sylvine", "vehicle")
NETWORKS = {
    **REGULARIZERS,
    "wide": {"hidden_layer_sizes": (256, 256), "dropout": 0.25, "batch_norm": True},
    "small batches": {
        "hidden_layer_sizes": (128, 128), "dropout": 0.15, "batch_size": 64,
        "learning_rate_init": 2e-3,
    },
}  # fmt: skip
RULES = {
    **{str(n): lambda gain, n=n: n for n in (10, 20, 40, 80)},
    "10 + gain": lambda gain: 10 + gain,
    "20 + gain / 2": lambda gain: 20 + gain // 2,
}


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


def curves(X, y, seed, params, n_epochs=500):
    """Validation loss and held-out log loss of every epoch."""
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(X)
    X, X_test = (scaler.transform(part).astype(np.float32) for part in (X, X_test))
    plan = Plan(MLPClassifier(early_stopping=True, n_iter_no_change=np.inf, **params))
    model = plan.estimator
    X, y = check_arrays(model, X, y, numeric=False, reset=True)
    targets = model._targets(y, None, partial=False)
    rows = TrainingRows((X, y), X, targets.check(y), None, targets)
    trainer = Trainer.fresh(plan, rows, check_random_state(seed))
    held_out = TrainingRows((X_test, y_test), X_test, targets.check(y_test), None, targets)
    losses = []
    for _ in range(n_epochs):
        trainer.advance(1)
        losses.append(trainer.network.evaluate(held_out.data, held_out.train))
    return np.array(trainer.history.validation_losses), np.array(losses)


def kept_by(rule, curve, tol=1e-4):
    """Index of the epoch whose weights stay, and the number of epochs."""
    reference, last_gain = np.inf, 0
    for epoch, loss in enumerate(curve, 1):
        if loss < reference - tol:
            reference, last_gain = loss, epoch
        if epoch - last_gain > rule(last_gain):
            break
    return curve[:epoch].argmin(), epoch


def rows_of_rules(folder):
    ratios, epochs = {name: [] for name in RULES}, {name: [] for name in RULES}
    for name in (*TABLES, *GENERATED):
        X, y = data_of(name, folder)
        for params in NETWORKS.values():
            fits = [curves(X, y, seed, params) for seed in SEEDS]
            losses = {}
            for rule, patience in RULES.items():
                kept = [kept_by(patience, validation) for validation, _ in fits]
                epochs[rule] += [n for _, n in kept]
                losses[rule] = np.mean([f[1][i] for f, (i, _) in zip(fits, kept, strict=True)])
            for rule in RULES:
                ratios[rule].append(losses[rule] / losses["80"])
    for rule in RULES:
        mean = np.exp(np.mean(np.log(ratios[rule])))
        worse = sum(ratio > 1.01 for ratio in ratios[rule])
        yield [
            rule,
            f"{mean:.3f}",
            f"{worse} of {len(ratios[rule])}",
            f"{np.mean(epochs[rule]):.0f}",
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="with a module load.py")
    parser.add_argument("--rules", action="store_true", help="compare rules on whole curves")
    options = parser.parse_args()
    folder = options.data
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("\n".join(machine_lines()), "\n", sep="")
    if options.rules:
        header = ["patience", "held-out loss to that of 80", "worse by 1 %", "epochs"]
        print(markdown_table(header, list(rows_of_rules(folder))))
        return
    header = ["set", "network", *(f"patience {p}: accuracy, epochs, time" for p in PATIENCES)]
    rows = [row for name in ("vehicle", "segment", *GENERATED) for row in rows_of(name, folder)]
    print(markdown_table(header, rows, left=2), "\n")
    rows = [grid_over_augmentation(patience) for patience in PATIENCES]
    print(markdown_table(["patience", "augmentation taken", "accuracy"], rows))


if __name__ == "__main__":
    main()
