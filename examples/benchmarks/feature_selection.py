"""Which features does the group lasso keep, and what are they worth?

*madelon* (Guyon 2003): 2600 rows, 500 features, of which 20 matter (5 informative, 15 combinations
of them) and no single one tells anything. A plain network learns the noise by heart. The script
goes along `feature_alpha` from weak to strong, each fit warm-started from the one before, and
prints test accuracy, the number of features left, and the accuracy of a plain network trained on
these features alone.

*Isolet*: 617 features of spoken letters. The strongest penalty on the path that keeps at least 50
features selects the 50 with the largest weights; extremely randomized trees on these are compared
with those on 50 features by the F statistic and, with ``--lassonet``, on the 50 that stay longest
on the path of LassoNet (Lemhadri et al. 2021; needs ``pip install lassonet``).

Full batches: with gradients of all rows the zeros are the objective's, with mini-batches a feature
stays out only while the noise of its gradient is below `feature_alpha`.

Run it::

    python examples/benchmarks/feature_selection.py                  # data from openml.org
    python examples/benchmarks/feature_selection.py --data FOLDER
"""

import argparse
import time
import warnings

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from real_data import local_module
from sklearn.datasets import fetch_openml
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier

OPENML = {"madelon": 1485, "Isolet": 300}
HIDDEN = (128, 128)


def load(name, folder, seed):
    """A stratified split (a quarter is held out), standardized by its training part, float32."""
    if folder:
        arrays = local_module(folder).load_npz(name)
        X, y = arrays["X"], arrays["y"]
    else:
        X, y = fetch_openml(data_id=OPENML[name], return_X_y=True, as_frame=False)
    parts = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    return [scaler.transform(p).astype(np.float32) for p in parts[:2]] + parts[2:]


def plain(X_train, X_test, y_train, y_test, seed):
    """Test accuracy of the same network without the group lasso, stopped early."""
    clf = MLPClassifier(HIDDEN, early_stopping=True, max_iter=300, random_state=seed)
    return clf.fit(X_train, y_train).score(X_test, y_test)


def path(X, y, strengths, first_epochs, epochs, rate, seed):
    """Fits along the strengths, each from the weights of the one before."""
    clf = MLPClassifier(
        HIDDEN,
        solver="sgd",
        learning_rate_init=rate,
        batch_size=len(X),
        tol=0,
        n_iter_no_change=np.inf,
        warm_start=True,
        random_state=seed,
    )
    for i, strength in enumerate(strengths):
        clf.set_params(feature_alpha=strength, max_iter=epochs if i else first_epochs)
        yield strength, clf.fit(X, y)


def madelon(folder, seed):
    """One record for each strength."""
    X_train, X_test, y_train, y_test = load("madelon", folder, seed)
    records = [
        {
            "feature_alpha": 0.0,
            "features": 500,
            "accuracy": plain(X_train, X_test, y_train, y_test, seed),
            "refitted": "",
            "seconds": "",
        }
    ]
    begin = time.perf_counter()
    strengths = np.geomspace(0.03, 0.12, 11)
    for strength, clf in path(X_train, y_train, strengths, 1500, 500, 0.1, seed):
        seconds, kept = time.perf_counter() - begin, clf.support_
        refitted = ""
        if kept.any():
            few = X_train[:, kept], X_test[:, kept], y_train, y_test
            refitted = plain(*few, seed)
        records.append(
            {
                "feature_alpha": round(float(strength), 4),
                "features": int(kept.sum()),
                "accuracy": clf.score(X_test, y_test),
                "refitted": refitted,
                "seconds": round(seconds, 1),
            }
        )
        begin = time.perf_counter()
    return records


def by_lassonet(X, y, n_selected, seed):
    """The features that stay longest on the path of LassoNet, with one layer of our width."""
    import torch
    from lassonet import LassoNetClassifier

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    net = LassoNetClassifier(
        hidden_dims=HIDDEN[:1],
        M=10,
        path_multiplier=1.1,  # coarse, to end within minutes
        n_iters=(500, 50),
        verbose=False,
        random_state=seed,
    )
    net.path(X, np.unique(y, return_inverse=True)[1], return_state_dicts=False)
    return np.argsort(net.feature_importances_.numpy())[::-1][:n_selected]


def isolet(folder, seed, lassonet=False, n_selected=50):
    """Accuracy of extremely randomized trees on the selected features."""
    X_train, X_test, y_train, y_test = load("Isolet", folder, seed)
    strengths, begin = np.geomspace(0.01, 1.5, 16), time.perf_counter()
    for strength, clf in path(X_train, y_train, strengths, 1000, 300, 0.005, seed):
        n_left = int(clf.support_.sum())
        if n_left < n_selected:
            break
        columns = np.argsort(clf.feature_importances_)[::-1][:n_selected]
        found = {
            "feature_alpha": round(float(strength), 4),
            "features left": n_left,
            "network on these": clf.score(X_test, y_test),
        }
    selected, seconds = {"group lasso": columns}, time.perf_counter() - begin
    by_f = SelectKBest(f_classif, k=n_selected).fit(X_train, y_train)
    selected["F statistic"] = by_f.get_support(indices=True)
    begin = time.perf_counter()
    if lassonet:
        selected["LassoNet"] = by_lassonet(X_train, y_train, n_selected, seed)
        found["seconds of LassoNet"] = round(time.perf_counter() - begin)
    trees = ExtraTreesClassifier(n_estimators=50, random_state=seed)
    for name, c in selected.items():
        score = trees.fit(X_train[:, c], y_train).score(X_test[:, c], y_test)
        found[f"trees on {n_selected} by {name}"] = score
    return {**found, "seconds": round(seconds)}


def show(records):
    rows = [
        [f"{v:.3f}" if isinstance(v, float) and k != "feature_alpha" else v for k, v in r.items()]
        for r in records
    ]
    print(markdown_table(list(records[0]), rows), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with load.py; default: openml.org")
    parser.add_argument("--sets", nargs="+", default=list(OPENML), choices=OPENML)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lassonet", action="store_true", help="with LassoNet on Isolet")
    parser.add_argument("--out", help="CSV file for madelon")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("\n".join(machine_lines()))
    if "madelon" in args.sets:
        records = [{"seed": s, **r} for s in args.seeds for r in madelon(args.data, s)]
        show(records)
        if args.out:
            write_csv(args.out, records)
    if "Isolet" in args.sets:
        show([{"seed": s, **isolet(args.data, s, args.lassonet)} for s in args.seeds])


if __name__ == "__main__":
    main()
