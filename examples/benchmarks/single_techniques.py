"""What does each regularizer alone change on tables, beside the published change?

Kadra, Lindauer, Hutter and Grabocka (2021, "Well-tuned simple nets excel on tabular datasets")
give the balanced accuracy of one network with each technique alone. The same protocol here:
stratified 60/20/20 splits, standardized numbers, one-hot categories, batches of 128, 105 epochs
with a falling rate; the strength of a technique is chosen by balanced accuracy on the validation
part, the test part is scored once. The network is 3 x 256 by default (theirs 9 x 512); every seed
has its own split, where the published figures have one. A change is the difference, on the same
split and seed, to the network without regularizer.

Lookahead, snapshot ensembles and shake-shake have no counterpart here; stochastic depth stands
beside shake-drop. Run it::

    python examples/benchmarks/single_techniques.py                  # data from openml.org
    python examples/benchmarks/single_techniques.py --data FOLDER --published CSV
"""

import argparse
import csv
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the jobs are the threads

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from joblib import Parallel, delayed
from real_data import local_module
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import fetch_openml
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from skreg import MLPClassifier

OPENML = {
    "blood-transfusion": "blood-transfusion-service-center",
    **{name: name for name in ("car", "credit-g", "kc1", "phoneme", "segment", "sylvine")},
    "vehicle": "vehicle",
}
# Of each technique: the published column, and the strengths to choose from.
TECHNIQUES = {
    "batch_norm": ("BN", [{"batch_norm": True}]),
    "dropout": ("MLP+D", [{"dropout": p} for p in (0.1, 0.3, 0.5)]),
    "weight_decay": ("WD", [{"weight_decay": d} for d in (0.1, 1.0, 10.0)]),
    # The average over a falling rate is hardly another network; Izmailov et al. keep the rate up.
    "swa": ("SWA", [{"weight_averaging": "swa", "learning_rate": "constant"}]),
    "residual": ("SC", [{"residual": True}]),
    "stochastic_depth": ("SD", [{"residual": True, "stochastic_depth": p} for p in (0.2, 0.5)]),
    "adversarial": ("AT", [{"adversarial_epsilon": e} for e in (0.007, 0.05)]),
    "mixup": ("MU", [{"mixup": a} for a in (0.2, 1.0)]),
    "cutout": ("CO", [{"cutout": s} for s in (0.1, 0.3)]),
    "cutmix": ("CM", [{"cutmix": s} for s in (0.1, 0.3)]),
}


def load(name, folder):
    """X as a frame, y as integers."""
    if folder:
        X, y, _ = local_module(folder).load(name)
    else:
        X, y = fetch_openml(OPENML[name], version=1, return_X_y=True, as_frame=True)
    return X, LabelEncoder().fit_transform(y)


def split(X, y, seed):
    """Training, validation and test part, prepared by the training part."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
    X, X_val, y, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    ).fit(X)
    parts = [prepare.transform(part).astype(np.float32) for part in (X, X_val, X_test)]
    return [*zip(parts, (y, y_val, y_test), strict=True)]


def scores(parts, hidden, params, seed):
    """Balanced accuracy in percent on the validation and on the test part."""
    clf = MLPClassifier(
        hidden,
        batch_size=128,
        max_iter=105,
        penalty=None,
        class_weight="balanced",
        random_state=seed,
        **{"learning_rate": "cosine", **params},
    )
    clf.fit(*parts[0])
    return [100 * balanced_accuracy_score(y, clf.predict(X)) for X, y in parts[1:]]


def run(X, y, hidden, seed):
    """Test score without regularizer, and the change that each technique makes."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    parts = split(X, y, seed)
    plain = scores(parts, hidden, {}, seed)[1]
    changes = {}
    for name, (_, settings) in TECHNIQUES.items():
        changes[name] = max(scores(parts, hidden, s, seed) for s in settings)[1] - plain
    return plain, changes


def published_changes(path, name):
    """Column by column, or nothing for a set that is not there."""
    if path is None:
        return {}
    with open(path) as file:
        row = next(r for r in csv.DictReader(file) if r["dataset"] == name)
    return {t: float(row[column]) - float(row["MLP"]) for t, (column, _) in TECHNIQUES.items()}


def with_error(values):
    return f"{np.mean(values):+.2f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of a local copy of the data")
    parser.add_argument("--published", help="CSV with the published table")
    parser.add_argument("--sets", nargs="+", default=list(OPENML), choices=list(OPENML))
    parser.add_argument("--hidden", type=int, nargs="+", default=(256, 256, 256))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", help="CSV file")
    args = parser.parse_args()
    print("\n".join(machine_lines()))
    records, ours, theirs = [], {}, {}
    for name in args.sets:
        begin = time.perf_counter()
        X, y = load(name, args.data)
        jobs = (delayed(run)(X, y, tuple(args.hidden), seed) for seed in range(args.seeds))
        plain, changes = zip(*Parallel(n_jobs=args.jobs)(jobs), strict=True)
        theirs[name] = published_changes(args.published, name)
        ours[name] = {t: [c[t] for c in changes] for t in TECHNIQUES}
        record = {"set": name, "plain": f"{np.mean(plain):.2f}"}
        for t in TECHNIQUES:
            known = f" ({theirs[name][t]:+.2f})" if theirs[name] else ""
            record[t] = with_error(ours[name][t]) + known
        print(record, f"{time.perf_counter() - begin:.0f} s", flush=True)
        records.append(record)
    means = {"set": "mean over sets", "plain": ""}
    for t in TECHNIQUES:
        known = f" ({np.mean([v[t] for v in theirs.values()]):+.2f})" if args.published else ""
        means[t] = with_error([np.mean(ours[name][t]) for name in args.sets]) + known
    records.append(means)
    # One line a technique: sets are fewer than techniques.
    header = ["change of", *(r["set"] for r in records)]
    print(markdown_table(header, [[t, *(r[t] for r in records)] for t in ("plain", *TECHNIQUES)]))
    if args.out:
        write_csv(args.out, records)


if __name__ == "__main__":
    main()
