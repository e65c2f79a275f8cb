"""How good is the spread of passes with dropout, beside the published figures?

The 20 fixed splits of each set by Hernandez-Lobato and Adams (2015), as in Gal and Ghahramani
(2016): one hidden layer of 50 units, dropout on inputs and hidden units. The probability and the
number of epochs are chosen on 20 % of each training part, which the noise is estimated from as
well; then the network is trained again on all of it. The log-likelihood is that of a normal
distribution with the mean and spread of ``predict(X, return_std=True)``.

The published figures are those of the authors' code, which trains 4000 epochs and chooses
probability and noise from a grid. They and the splits are read from the folder: `NAME.npz` with X,
y, train_i and test_i, and `NAME.json`. Run it::

    python examples/benchmarks/dropout_uncertainty.py --data FOLDER --out dropout_uncertainty.csv
"""

import argparse
import ast
import itertools
import json
import time
from pathlib import Path

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from joblib import Parallel, delayed
from scipy.stats import norm
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skreg import MLPRegressor

NAMES = ("concrete", "energy", "kin8nm", "wine-quality-red", "yacht")
PUBLISHED = {"RMSE": "test_MC_rmse", "log-likelihood": "test_ll"}
PROBABILITIES = (0.005, 0.01, 0.05, 0.1, 0.2)  # those of the published runs, and one more
EPOCHS = (50, 200, 800, 3200)
N_SPLITS = 20


def regressor(p, epochs, **params):
    """One candidate."""
    return MLPRegressor(
        hidden_layer_sizes=(50,),
        dropout=p,
        input_dropout=p,
        max_iter=epochs,
        learning_rate="cosine",
        learning_rate_init=0.01,
        batch_size=32,
        alpha=1e-5,
        random_state=0,
        **params,
    )


def choose(X, y, epochs, seed):
    """The candidate with the smallest error on 20 % of the rows, and its noise."""
    X, X_val, y, y_val = train_test_split(X, y, test_size=0.2, random_state=seed)
    tried = []
    for candidate in itertools.product(PROBABILITIES, epochs):
        options = {"early_stopping": True, "n_iter_no_change": np.inf, "restore_best": False}
        model = regressor(*candidate, **options).fit(X, y, X_val=X_val, y_val=y_val)
        error = root_mean_squared_error(y_val, model.predict(X_val, n_draws=100))
        tried.append((error, candidate, model.noise_std_))
    _, candidate, noise = min(tried, key=lambda t: t[0])
    return candidate, noise


def measure(arrays, split, epochs):
    """Test error and log-likelihood of one split, in units of y."""
    rows, test = arrays[f"train_{split}"], arrays[f"test_{split}"]
    X, y = arrays["X"], arrays["y"][:, None]
    scale_X, scale_y = StandardScaler().fit(X[rows]), StandardScaler().fit(y[rows])
    X, z = scale_X.transform(X).astype(np.float32), scale_y.transform(y)[:, 0]
    candidate, noise = choose(X[rows], z[rows], epochs, split)
    model = regressor(*candidate).fit(X[rows], z[rows])
    model.noise_std_ = noise
    mean, std = model.predict(X[test], return_std=True)
    mean, std = scale_y.inverse_transform(mean[:, None])[:, 0], std * scale_y.scale_[0]
    y = y[test, 0]
    return root_mean_squared_error(y, mean), norm.logpdf(y, mean, std).mean(), *candidate


def published(folder, name):
    """Per-split figures of the authors' code."""
    figures = json.loads((folder / f"{name}.json").read_text())["repo_results_100x_1layer"]
    figures = ast.literal_eval(figures) if isinstance(figures, str) else figures
    return {label: figures[key]["per_split"] for label, key in PUBLISHED.items()}


def with_error(values):
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


def record(folder, name, splits, epochs):
    arrays = dict(np.load(folder / f"{name}.npz"))
    begin = time.perf_counter()
    jobs = (delayed(measure)(arrays, split, epochs) for split in range(splits))
    rmse, likelihood, p, n_epochs = zip(*Parallel(n_jobs=-1)(jobs), strict=True)
    seconds = time.perf_counter() - begin
    theirs = {label: values[:splits] for label, values in published(folder, name).items()}
    return {
        "set": name,
        "RMSE": with_error(rmse),
        "published": with_error(theirs["RMSE"]),
        "log-likelihood": with_error(likelihood),
        "published ll": with_error(theirs["log-likelihood"]),
        "median p": np.median(p),
        "median epochs": int(np.median(n_epochs)),
        "seconds": round(seconds, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the splits")
    parser.add_argument("--sets", nargs="+", default=NAMES)
    parser.add_argument("--splits", type=int, default=N_SPLITS)
    parser.add_argument("--epochs", type=int, nargs="+", default=EPOCHS)
    parser.add_argument("--out", help="CSV file")
    args = parser.parse_args()
    print("\n".join(machine_lines()))
    records = [record(args.data, name, args.splits, args.epochs) for name in args.sets]
    print(markdown_table(list(records[0]), [list(r.values()) for r in records]))
    if args.out:
        write_csv(args.out, records)


if __name__ == "__main__":
    main()
