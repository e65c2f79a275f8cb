"""How good are the models for tables, without a choice?

Each mode is one command; results are added to a CSV file, and what is in it is not made again, so
that a run that was cut goes on. FOLDER has a module load.py with ``load(name)``; without it eight
tables come from openml.org::

    python examples/benchmarks/tables.py peers
    python examples/benchmarks/tables.py peers --data FOLDER --peers histgb5 lgbm5 catboost realmlp
    python examples/benchmarks/tables.py peers --data FOLDER --rows 1000000 --peers histgb lgbm
    python examples/benchmarks/tables.py ablation --data FOLDER
    python examples/benchmarks/tables.py small --data FOLDER
    python examples/benchmarks/tables.py threads --data FOLDER

Rows are split 60/20/20 into training, validation (given to nobody) and test. The ablation, by which
defaults are chosen, looks at no test row: it trains on three quarters of the training part and
measures on the rest. Ratios are geometric means over tables, a table's seeds averaged before, with
90 % intervals of a bootstrap over tables; of errors e + 0.002 is taken, so that tables without
errors do not decide. The error of numbers is RMSE over the standard deviation.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: all models have one

import argparse
import csv
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _common import machine_lines, markdown_table
from _table_peers import PARTS, PEERS, table_for, tabular
from sklearn.metrics import balanced_accuracy_score, log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split

METRICS = ("error", "balanced_error", "log_loss")
FIELDS = ("set", "seed", "model", "rows", "task", "n_train", *METRICS, "fit_s", "predict_s")
SMALL = ("phoneme", "credit-g", "vehicle", "blood-transfusion", "abalone", "cpu_act")


def load_table(name, folder):
    """X as a frame, y as a series, and the task."""
    if folder:
        from single_techniques import local_module

        X, y, about = local_module(folder).load(name)
        return X, y, about["task"]
    from single_techniques import load

    X, y = load(name, None)
    return X, pd.Series(y), "classification"


def parts(X, y, task, seed, rows):
    """X, y as codes or numbers, and the rows of the training and the test part."""
    X, y = X[y.notna()].reset_index(drop=True), y[y.notna()].reset_index(drop=True)
    classes = task == "classification"
    y = pd.Series(pd.factorize(y.astype(str), sort=True)[0]) if classes else y.astype(float)
    if classes:
        enough = y.map(y.value_counts()) >= 5
        X, y = X[enough].reset_index(drop=True), y[enough].reset_index(drop=True)
    every = np.arange(len(y))
    train, test = train_test_split(
        every, test_size=0.2, random_state=seed, stratify=y if classes else None
    )
    train, _ = train_test_split(
        train, test_size=0.25, random_state=seed, stratify=y[train] if classes else None
    )
    if len(train) > rows:
        stratify = y[train] if classes and rows < 1000 else None
        train, _ = train_test_split(train, train_size=rows, random_state=seed, stratify=stratify)
    return X, y, train, test


def inner_parts(y, task, train, seed):
    """Of the training part: three quarters, and the rest."""
    stratify = y[train] if task == "classification" and y[train].value_counts().min() > 1 else None
    return train_test_split(train, test_size=0.25, random_state=100 + seed, stratify=stratify)


def measured(make, name, X, y, task, seed, train, test):
    """Metrics and seconds of one model."""
    X, y = table_for(name, X), y.to_numpy()
    if task == "classification":
        test = test[np.isin(y[test], y[train])]
        codes = np.unique(y[train])
        y_train, y_test = np.searchsorted(codes, y[train]), np.searchsorted(codes, y[test])
    else:
        y_train, y_test = y[train], y[test]
    model = make(task, seed, X)
    begin = time.perf_counter()
    model.fit(X.iloc[train], y_train)
    fitted = time.perf_counter()
    if task == "regression":
        predicted = np.ravel(model.predict(X.iloc[test]))
        metrics = [root_mean_squared_error(y_test, predicted) / y_test.std(), "", ""]
    else:
        p = np.clip(np.asarray(model.predict_proba(X.iloc[test]), float), 1e-7, 1)
        p /= p.sum(axis=1, keepdims=True)
        labels = p.argmax(axis=1)
        balanced = 1 - balanced_accuracy_score(y_test, labels)
        loss = log_loss(y_test, p, labels=np.arange(p.shape[1]))
        metrics = [(labels != y_test).mean(), balanced, loss]
    return [*metrics, fitted - begin, time.perf_counter() - fitted]


def run(models, options, *, inside=False):
    """Measure what the file does not hold, and return all that it holds."""
    path = Path(options.out)
    known = set()
    if path.exists():
        with path.open() as file:
            known = {tuple(row[:4]) for row in csv.reader(file)}
    else:
        path.write_text(",".join(FIELDS) + "\n")
    for seed in options.seeds:
        for name in options.sets:
            missing = [m for m in models if (name, str(seed), m, str(options.rows)) not in known]
            if not missing:
                continue
            X, y, task = load_table(name, options.data)
            X, y, train, test = parts(X, y, task, seed, options.rows)
            if inside:
                train, test = inner_parts(y, task, train, seed)
            for model in missing:
                if model == "catboost" and task == "classification" and y.nunique() > 8:
                    continue  # minutes
                row = measured(models[model], model, X, y, task, seed, train, test)
                with path.open("a", newline="") as file:
                    begin = [name, seed, model, options.rows, task, len(train)]
                    csv.writer(file).writerow([*begin, *row])
    return pd.read_csv(path)


def ratios(results, model, base, metric, task):
    """Geometric mean of model / base over tables, its interval, tables won and lost, and time."""
    of_task = results[results.task == task].assign(base=lambda r: r.model == base)
    values = of_task.pivot_table(index=["set", "seed"], columns="model", values=metric)
    seconds = of_task.pivot_table(index=["set", "seed"], columns="model", values="fit_s")
    if model not in values or base not in values:
        return None
    both = values[[model, base]].dropna()
    if both.empty:
        return None
    shift = 0.002 if metric != "log_loss" and task == "classification" else 0.0
    logs = np.log((both[model] + shift) / (both[base] + shift)).groupby("set").mean().to_numpy()
    rng = np.random.default_rng(0)
    means = [rng.choice(logs, len(logs)).mean() for _ in range(2000)]
    low, high = np.exp(np.quantile(means, [0.05, 0.95]))
    time_ratio = seconds.loc[both.index, model].sum() / seconds.loc[both.index, base].sum()
    won, lost = (logs < -1e-9).sum(), (logs > 1e-9).sum()
    return f"{np.exp(logs.mean()):.3f} ({low:.3f} to {high:.3f})", f"{won}-{lost}", time_ratio


def print_ratios(results, pairs, header):
    """A line for each pair (name, model, base)."""
    columns = (
        ("error", "classification"),
        ("balanced_error", "classification"),
        ("log_loss", "classification"),
        ("error", "regression"),
    )
    rows = []
    for name, model, base in pairs:
        cells, times = [name], []
        for metric, task in columns:
            found = ratios(results, model, base, metric, task)
            cells += [found[0], found[1]] if found else ["", ""]
            times += [found[2]] if found else []
        rows.append([*cells, f"{np.mean(times[1:] or times):.2f}" if times else ""])
    titles = ["error", "w-l", "balanced error", "w-l", "log loss", "w-l", "RMSE", "w-l", "time"]
    print(markdown_table([header, *titles], rows))


def peers(options):
    models = {"tabular": tabular, **{name: PEERS[name] for name in options.peers}}
    results = run(models, options)
    results = results[results.rows == options.rows]
    print_ratios(results, [(p, "tabular", p) for p in options.peers], "ours / peer")
    tables = results.pivot_table(index=["task", "set"], columns="model", values="error")
    rows = [
        [*index, *(f"{v:.4f}" for v in row)]
        for index, row in zip(tables.index, tables.to_numpy(), strict=True)
    ]
    print("", markdown_table(["task", "set", *tables.columns], rows, left=2), sep="\n")
    print("\nseconds of all fits:", results.groupby("model").fit_s.sum().round(1).to_dict())


def ablation(options):
    results = run({"tabular": tabular, **PARTS}, options, inside=True)
    print_ratios(results, [(name, name, "tabular") for name in PARTS], "with / without")


def small(options):
    """200 rows: differences in log loss or RMSE to a linear model of the same encoded table."""
    results = run({"tabular": tabular, "linear": PEERS["linear"]}, options)
    results["loss"] = results.log_loss.fillna(results.error)
    losses = results.pivot_table(index=["set", "seed"], columns="model", values="loss")
    difference = (losses.tabular - losses.linear).groupby("set")
    rows = [
        [name, f"{means.tabular:.4f}", f"{means.linear:.4f}", f"{mean:+.4f} ± {error:.4f}"]
        for (name, means), mean, error in zip(
            losses.groupby("set").mean().iterrows(),
            difference.mean(),
            difference.sem(),
            strict=True,
        )
    ]
    print(markdown_table(["set", "ours", "linear", "difference ± standard error"], rows))


def threads(options):
    """One and two threads in turns, the least of the rounds; and whether all bits are equal."""
    rows = []
    for name in options.sets:
        X, y, task = load_table(name, options.data)
        X, y, train, test = parts(X, y, task, 0, options.rows)
        least, predictions = {1: np.inf, 2: np.inf}, {}
        for _ in range(3):
            for n in least:
                model = tabular(task, 0, X, n_jobs=n)
                begin = time.perf_counter()
                model.fit(X.iloc[train], y[train])
                least[n] = min(least[n], time.perf_counter() - begin)
                predictions[n] = model.predict(X.iloc[test])
        same = np.array_equal(predictions[1], predictions[2])
        rows.append(
            [name, *(f"{s:.2f}" for s in least.values()), f"{least[1] / least[2]:.2f}", same]
        )
        print(rows[-1], flush=True)
    print(markdown_table(["set", "one thread", "two", "times as fast", "same bits"], rows))


def main():
    from single_techniques import OPENML

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=("peers", "ablation", "small", "threads"))
    parser.add_argument("--data", metavar="FOLDER", help="with a module load.py")
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--peers", nargs="+", default=["histgb", "histgb5"], choices=list(PEERS))
    parser.add_argument("--rows", type=int, help="at most so many train")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--out", help="CSV file")
    options = parser.parse_args()
    is_small = options.mode == "small"
    if options.sets is None:
        options.sets = SMALL if is_small else list(OPENML)
        if options.data and not is_small:
            files = Path(options.data, "tabular").glob("*.json")
            options.sets = sorted(file.stem for file in files if "nycflights" not in file.stem)
    options.rows = options.rows or (200 if is_small else 4000)
    options.seeds = options.seeds or range(10 if is_small else 3)
    options.out = options.out or f"tables_{options.mode}.csv"
    warnings.simplefilter("ignore")
    print("\n".join(machine_lines()), "\n", sep="")
    {"peers": peers, "ablation": ablation, "small": small, "threads": threads}[options.mode](
        options
    )


if __name__ == "__main__":
    main()
