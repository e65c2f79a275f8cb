"""How good and how fast is a search that trains its candidates on?

Each mode is one command; results are added to a CSV file, and what is in it is not made again, so
that a run that was cut goes on. FOLDER has a module load.py with ``load(name)``::

    python examples/benchmarks/search.py peers --data FOLDER
    python examples/benchmarks/search.py finals --data FOLDER
    python examples/benchmarks/search.py scikit-learn --data FOLDER
    python examples/benchmarks/search.py published --data FOLDER --seconds 200 --seeds 0 1 2
    python examples/benchmarks/search.py space --data FOLDER
    python examples/benchmarks/search.py averages --data FOLDER --seeds 0 1 2

`peers`: five outer splits of tables of at most 4000 rows, 64 candidates of one space, two jobs.
Contenders are RegularizationSearchCV, and over the same pipeline, with early stopping and the same
patience, RandomizedSearchCV and HalvingRandomSearchCV. `finals`: the three things that a search can
end in. `scikit-learn`: RandomizedSearchCV over scikit-learn's own MLP and the parameters that both
have, 8 candidates, the time scaled to 64. `published`: the protocol of Kadra et al. (2021),
stratified 60/20/20 (training and validation part are one for us), balanced accuracy, class weights,
a time limit. `space`: how much of the spread between candidates, all trained to their end, each
parameter of a wide space explains by itself. `averages`: what is lost where the best third after
few epochs goes on, judged by current weights or by their moving averages.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: jobs have one each

import argparse
import csv
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _common import machine_lines, markdown_table
from scipy.stats import spearmanr
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    KFold,
    ParameterSampler,
    RandomizedSearchCV,
    StratifiedKFold,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline

from skreg import (
    MLPClassifier,
    MLPRegressor,
    RegularizationSearchCV,
    TableEncoder,
    TabularClassifier,
    search_space,
)
from skreg.model_selection.distributions import LayerSizes, Range

MODES = ("peers", "finals", "scikit-learn", "published", "space", "averages")
WIDE_TABLES = (
    "vehicle", "credit-g", "kc1", "phoneme", "cpu_act", "california_housing", "wine_quality_white",
    "bank-marketing",
)  # fmt: skip
TABLES = ("phoneme", "credit-g", "segment", "california_housing")
PUBLISHED = {  # their MLP with cocktails, XGBoost and CatBoost, balanced accuracy in percent
    "blood-transfusion": (67.617, 62.281, 59.576),
    "vehicle": (82.576, 74.973, 79.734),
    "credit-g": (74.643, 68.929, 67.976),
    "car": (99.587, 92.376, 100.0),
    "kc1": (74.381, 66.846, 65.660),
    "segment": (93.723, 93.723, 92.424),
    "sylvine": (94.045, 95.509, 95.119),
    "phoneme": (86.619, 87.972, 87.579),
    "jungle_chess": (97.471, 87.325, 82.150),
    "bank-marketing": (85.993, 72.658, 74.152),
    "adult": (82.443, 79.824, 81.045),
}
FIELDS = ("set", "seed", "model", "score", "inner", "fit_s", "predict_s", "epochs", "params")
N_CANDIDATES, N_JOBS, MAX_ITER = 64, 2, 200
DECAYS = (0.9, 0.98, 0.999)


def table(name, folder, n_rows=None):
    """X as a frame, y, and whether it holds classes; at most n_rows of them."""
    from single_techniques import local_module

    X, y, about = local_module(folder).load(name)
    known = y.notna().to_numpy()
    X, y = X[known].reset_index(drop=True), y[known].reset_index(drop=True)
    if n_rows and len(X) > n_rows:
        rows = np.random.RandomState(0).permutation(len(X))[:n_rows]
        X, y = X.iloc[rows].reset_index(drop=True), y.iloc[rows].reset_index(drop=True)
    return X, y.to_numpy(), about["task"] == "classification"


def pipeline(classes, **params):
    """What all searches tune."""
    own = {"hidden_layer_sizes": (96, 96), "max_iter": MAX_ITER, "early_stopping": True, **params}
    return make_pipeline(
        TableEncoder(), MLPClassifier(**own) if classes else MLPRegressor(standardize_y=True, **own)
    )


def outer(X, y, classes):
    """Five splits."""
    kind = StratifiedKFold if classes else KFold
    return list(kind(5, shuffle=True, random_state=0).split(X, y))


def epochs_of(estimator, X, y):
    """Of a fit, as a metric beside the score."""
    return estimator[-1].n_iter_


def ours(X, y, classes, seed, **options):
    options = {"n_candidates": N_CANDIDATES, "n_jobs": N_JOBS, "random_state": seed, **options}
    search = RegularizationSearchCV(pipeline(classes), **options).fit(X, y)
    made = pd.DataFrame({n: search.cv_results_[n] for n in ("candidate", "epochs")})
    return search, search.n_splits_ * made.groupby("candidate")["epochs"].max().sum()


def random(X, y, classes, seed):
    scoring = {"score": "accuracy" if classes else "r2", "epochs": epochs_of}
    model = pipeline(classes, random_state=0)
    search = RandomizedSearchCV(
        model,
        search_space("light", model, X, y),
        n_iter=N_CANDIDATES,
        scoring=scoring,
        refit="score",
        n_jobs=N_JOBS,
        random_state=seed,
    ).fit(X, y)
    search.best_score_ = search.cv_results_["mean_test_score"][search.best_index_]
    return search, 5 * search.cv_results_["mean_test_epochs"].sum()


def halving(X, y, classes, seed):
    model = pipeline(classes, random_state=0)
    search = HalvingRandomSearchCV(
        model,
        search_space("light", model, X, y),
        n_candidates=N_CANDIDATES,
        factor=3,
        min_resources="exhaust",
        scoring="accuracy" if classes else "r2",
        n_jobs=N_JOBS,
        random_state=seed,
    ).fit(X, y)
    return search, np.nan


CONTENDERS = {
    "skreg": ours,
    "random": random,
    "halving": halving,
    "skreg, ensemble": lambda *data: ours(*data, final="ensemble"),
    "skreg, retrain": lambda *data: ours(*data, final="retrain"),
}
FINALS = list(CONTENDERS)[3:]


class Store:
    """A CSV file of results, which knows what is done."""

    def __init__(self, path):
        self.path = Path(path)
        self.rows = list(csv.DictReader(self.path.open())) if self.path.exists() else []

    def has(self, name, seed, model):
        return any((r["set"], r["seed"], r["model"]) == (name, str(seed), model) for r in self.rows)

    def add(self, **row):
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.rows.append({name: str(value) for name, value in row.items()})
        shown = {name: value for name, value in row.items() if name != "params"}
        print(", ".join(f"{n} {v:.4g}" if isinstance(v, float) else f"{n} {v}"
                        for n, v in shown.items()), flush=True)  # fmt: skip

    def frame(self):
        frame = pd.DataFrame(self.rows)
        numbers = ["score", "inner", "fit_s", "predict_s", "epochs"]
        frame[numbers] = frame[numbers].astype(float)
        return frame


def measure(store, name, seed, label, fit, X, y, classes, train, test, metric):
    """One contender on one split."""
    if store.has(name, seed, label):
        return
    A, B = X.iloc[train], X.iloc[test]
    begin = time.perf_counter()
    search, epochs = fit(A, y[train], classes, seed)
    fitted = time.perf_counter()
    prediction = search.predict(B)
    done = time.perf_counter()
    store.add(
        set=name,
        seed=seed,
        model=label,
        score=float(metric(y[test], prediction)),
        inner=float(getattr(search, "ensemble_score_", search.best_score_)),
        fit_s=fitted - begin,
        predict_s=done - fitted,
        epochs=float(epochs),
        params=str(search.best_params_),
    )


def run_peers(arguments, contenders):
    """Contenders in turns on each split."""
    store = Store(arguments.out)
    for name in arguments.sets or TABLES:
        X, y, classes = table(name, arguments.data, 4000)
        metric = accuracy_score if classes else r2_score
        for seed, (train, test) in enumerate(outer(X, y, classes)):
            for label in contenders:
                measure(store, name, seed, label, CONTENDERS[label], X, y, classes, train, test,
                        metric)  # fmt: skip
    return store.frame()


def report_peers(frame):
    """Ratios of time, and paired differences of the outer score, to the first contender."""
    by = frame.pivot_table(index=["set", "seed"], columns="model", values=["score", "fit_s"])
    sets, rows = [name for name in TABLES if name in set(frame["set"])], []
    for model in by["score"].columns:
        ratio = (by["fit_s", model] / by["fit_s", "skreg"]).dropna()
        gain = (by["score", "skreg"] - by["score", model]).dropna()
        half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
        times = np.exp(np.log(ratio).groupby("set").mean())
        own = frame[frame.model == model].groupby("set")[["score", "epochs"]].mean()
        cells = [
            f"{own.score[s]:.4f}, {times[s]:.2f}, {own.epochs[s]:.0f}" if s in times else ""
            for s in sets
        ]
        mean, n = np.exp(np.log(times).mean()), len(gain)
        rows.append([model, n, f"{mean:.2f}", f"{gain.mean():+.4f} ± {half:.4f}", *cells])
    names = [f"{name}: score, time, epochs" for name in sets]
    print(markdown_table(["", "splits", "time / skreg", "skreg's gain (95 %)", *names], rows))
    optimism = frame.assign(gap=frame.inner - frame.score).groupby(["model", "set"]).gap
    print("\nbest score on the folds minus outer score:\n", optimism.mean().unstack().round(4))
    seconds = frame.groupby(["model", "set"])[["fit_s", "predict_s"]].mean().unstack(0)
    print("\nseconds:\n", seconds.round(3).to_string())


def run_theirs(arguments):
    """scikit-learn's MLP, over the parameters that both have."""
    store = Store(arguments.out)
    for name in arguments.sets or TABLES:
        X, y, classes = table(name, arguments.data, 4000)
        train, test = outer(X, y, classes)[0]
        metric = accuracy_score if classes else r2_score
        space = search_space("light", pipeline(classes), X.iloc[train], y[train])[0]
        step = pipeline(classes).steps[-1][0]
        common = {
            n: v for n, v in space.items() if not n.endswith(("dropout", "weight_decay", "mixup"))
        }

        def fit_ours(A, b, classes, seed, common=common):
            return ours(A, b, classes, seed, param_distributions=common)

        def fit_theirs(A, b, classes, seed, common=common, step=step):
            kind = TheirClassifier if classes else TheirRegressor
            own = kind(max_iter=MAX_ITER, early_stopping=True, n_iter_no_change=20, random_state=0)
            search = RandomizedSearchCV(
                make_pipeline(TableEncoder(), own), common, n_iter=8, n_jobs=N_JOBS,
                random_state=seed,
            ).fit(A, b)  # fmt: skip
            return search, np.nan

        measure(store, name, 0, "skreg", fit_ours, X, y, classes, train, test, metric)
        measure(store, name, 0, "scikit-learn, 8", fit_theirs, X, y, classes, train, test, metric)
    seconds = store.frame().pivot_table(index="set", columns="model", values="fit_s")
    ratio = 8 * seconds["scikit-learn, 8"] / seconds["skreg"]
    print(seconds.round(2).assign(ratio=ratio.round(1)).to_string())
    print(f"geometric mean {np.exp(np.log(ratio).mean()):.1f}")


def run_published(arguments):
    """Balanced accuracy in a given time."""
    store = Store(arguments.out)
    for name in arguments.sets or PUBLISHED:
        X, y, _ = table(name, arguments.data)
        for seed in arguments.seeds:
            train, test = train_test_split(
                np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed
            )

            def fit(A, b, classes, seed):
                search = published_search(arguments.seconds, seed, len(A)).fit(A, b)
                return search, np.nan

            label = f"skreg, {arguments.seconds:g} s"
            measure(store, name, seed, label, fit, X, y, True, train, test, balanced_accuracy_score)
    report_published(store.frame())


def published_search(seconds, seed, n_rows):
    many = n_rows >= 20_000  # as TabularClassifier has it
    network = MLPClassifier(
        (256, 256) if many else (96, 96),
        batch_size=256 if many else 64,
        dropout=0.15,
        learning_rate_init=2e-3,
        class_weight="balanced",
        max_iter=200,
    )
    return RegularizationSearchCV(
        TabularClassifier(estimator=network),
        "cocktail",
        n_candidates=N_CANDIDATES,
        scoring="balanced_accuracy",
        final="ensemble",
        n_jobs=N_JOBS,
        random_state=seed,
        time_limit=seconds,
    )


def report_published(frame):
    frame["score"] *= 100
    mean, spread, n = (
        frame.groupby(["set", "model"]).score.agg(kind).unstack()
        for kind in ("mean", "std", "size")
    )
    theirs = pd.DataFrame(PUBLISHED, index=["cocktails", "XGBoost", "CatBoost"]).T
    done, models = [name for name in PUBLISHED if name in mean.index], mean.columns
    rows = []
    for name in done:
        own = [
            f"{mean[m][name]:.1f}" + (f" ± {spread[m][name]:.1f}" if n[m][name] > 1 else "")
            for m in models
        ]
        rows.append([name, *own, *(f"{v:.1f}" for v in theirs.loc[name])])
    total = [*(mean[m].mean() for m in models), *theirs.loc[done].mean()]
    rows.append(["mean", *(f"{v:.2f}" for v in total)])
    print(markdown_table(["", *models, *theirs.columns], rows))
    print("\nmean by seed:\n", frame.groupby(["model", "seed"]).score.mean().round(2).to_string())
    print("\nseconds:\n", frame.pivot_table(index="set", columns="model", values="fit_s").round(0))


def wide_space(step):
    """More than a search would draw from."""
    own = {
        "hidden_layer_sizes": LayerSizes((1, 4), (16, 256)),
        "learning_rate_init": Range(1e-4, 3e-2, log=True),
        "batch_size": [32, 64, 128, 256],
        "activation": ["relu", "tanh"],
        "dropout": Range(0.05, 0.6, off=0.4),
        "input_dropout": Range(0.02, 0.3, off=0.6),
        "weight_decay": Range(1e-5, 1e-1, log=True, off=0.4),
        "alpha": Range(1e-7, 1e-1, log=True),
        "batch_norm": [False, True],
        "mixup": Range(0.1, 1.0, off=0.6),
        "input_noise": Range(0.02, 0.3, off=0.6),
        "swap_noise": Range(0.02, 0.3, off=0.6),
        "weight_averaging": [None, "ema"],
        "learning_rate": ["constant", "cosine"],
        "clip_norm": [None, 1.0],
    }
    return {f"{step}__{name}": values for name, values in own.items()}


def explained(values, scores):
    """Share of the variance of the ranks of scores between groups of values, adjusted."""
    ranks = pd.Series(scores).rank().to_numpy()
    values = pd.Series(values)
    if values.nunique() > 5:
        numbers = values.astype(float)
        groups = pd.qcut(numbers.where(numbers > 0), 3, labels=False, duplicates="drop").fillna(-1)
    else:
        groups = pd.factorize(values.astype(str))[0]
    groups = pd.Series(np.asarray(groups))
    within = sum(((ranks[groups == g] - ranks[groups == g].mean()) ** 2).sum() for g in set(groups))
    n, k = len(ranks), groups.nunique()
    return 1 - (within / (n - k)) / (((ranks - ranks.mean()) ** 2).sum() / (n - 1))


def run_space(arguments):
    """What explains the scores of candidates."""
    store = Store(arguments.out)
    for name in arguments.sets or WIDE_TABLES:
        if store.has(name, 0, "depth"):
            continue
        X, y, classes = table(name, arguments.data, 1500)
        model = pipeline(classes)
        search = RegularizationSearchCV(
            model,
            wide_space(model.steps[-1][0]),
            n_candidates=80,
            min_epochs=MAX_ITER // 2,
            max_epochs=MAX_ITER // 2,
            scoring="neg_log_loss" if classes else "neg_root_mean_squared_error",
            refit=False,
            n_jobs=N_JOBS,
            random_state=0,
        )
        begin = time.perf_counter()
        results = search.fit(X, y).cv_results_
        seconds, first = time.perf_counter() - begin, results["round"] == 0
        drawn = pd.DataFrame([results["params"][i] for i in np.flatnonzero(first)])
        drawn.columns = [column.split("__")[-1] for column in drawn.columns]
        sizes = drawn.pop("hidden_layer_sizes")
        drawn = drawn.assign(width=[s[0] for s in sizes], depth=[len(s) for s in sizes])
        scores = np.nan_to_num(results["mean_test_score"][first], nan=-np.inf)
        for parameter in drawn:
            share = float(explained(drawn[parameter].tolist(), scores))
            store.add(set=name, seed=0, model=parameter, score=share, inner=float(scores.max()),
                      fit_s=seconds, predict_s=0.0, epochs=0.0, params="")  # fmt: skip
    shares = store.frame().pivot_table(index="model", columns="set", values="score")
    shares.insert(0, "mean", shares.mean(axis=1))
    print((100 * shares.sort_values("mean", ascending=False)).round(0).astype(int).to_string())


def run_averages(arguments):
    """What is lost by a choice after few epochs: loss of the best that was kept, over the best."""
    store = Store(arguments.out)
    for name in arguments.sets or WIDE_TABLES:
        X, y, classes = table(name, arguments.data, 4000)
        for seed in arguments.seeds:
            if store.has(name, seed, "current, 16"):
                continue
            train, test = train_test_split(
                np.arange(len(X)), random_state=seed, stratify=y if classes else None
            )
            encoder = TableEncoder().fit(X.iloc[train], y[train])
            codes = [np.asarray(encoder.transform(X.iloc[rows])) for rows in (train, test)]
            common = {
                "max_iter": MAX_ITER,
                "early_stopping": True,
                "validation_fraction": 0.4,
                "scoring": "neg_log_loss" if classes else "neg_mean_squared_error",
                "random_state": seed,
            }
            if not classes:
                common["standardize_y"] = True
            model = MLPClassifier(**common) if classes else MLPRegressor(**common)
            draws = list(
                ParameterSampler(search_space("light", model, X, y), 64, random_state=seed)
            )
            begin, losses, early = time.perf_counter(), [], []
            for params in draws:
                model.set_params(**common, weight_averaging=None, **params)
                model.fit(codes[0], y[train])
                outputs = model.predict_proba(codes[1]) if classes else model.predict(codes[1])
                losses.append((log_loss if classes else mean_squared_error)(y[test], outputs))
                curves = {"current": model.validation_scores_}
                for decay in DECAYS:
                    model.set_params(weight_averaging="ema", ema_decay=decay, max_iter=16)
                    curves[f"ema {decay}"] = model.fit(codes[0], y[train]).validation_scores_
                early.append({f"{kind}, {n}": curve[n - 1] for kind, curve in curves.items()
                              for n in (2, 4, 8, 16)})  # fmt: skip
            seconds, losses = time.perf_counter() - begin, np.array(losses)
            for label, scores in pd.DataFrame(early).items():
                kept = np.argsort(-scores.to_numpy(), kind="stable")[: len(draws) // 3]
                store.add(set=name, seed=seed, model=label, score=losses[kept].min() / losses.min(),
                          inner=float(spearmanr(scores, -losses)[0]), fit_s=seconds, predict_s=0.0,
                          epochs=0.0, params="")  # fmt: skip
    frame = store.frame()
    frame[["kind", "n"]] = frame.pop("model").str.split(", ", expand=True)
    frame["n"] = frame["n"].astype(int)
    for value, what in (("score", "loss of the best kept over the best"), ("inner", "rank corr.")):
        print(f"\n{what}\n", frame.pivot_table(index="kind", columns="n", values=value).round(3))
    pairs = np.log(frame.pivot_table(index=["set", "n", "seed"], columns="kind", values="score"))
    change = pairs.sub(pairs.pop("current"), axis=0).groupby(["n", "set"]).mean()
    change = change.groupby("n").agg(["mean", "sem"]).T.unstack()
    print("\nchange by averages, in percent\n", (100 * change).round(2).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS)
    parser.add_argument("--out", help="CSV file of the results, by default search_MODE.csv")
    arguments = parser.parse_args()
    arguments.out = arguments.out or f"search_{arguments.mode}.csv"
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the processes
    print("\n".join(machine_lines()))
    if arguments.mode in MODES[:2]:
        default = list(CONTENDERS)[:3] if arguments.mode == "peers" else ["skreg", *FINALS]
        report_peers(run_peers(arguments, arguments.contenders or default))
    else:
        runs = {"scikit-learn": run_theirs, "published": run_published, "space": run_space,
                "averages": run_averages}  # fmt: skip
        runs[arguments.mode](arguments)


if __name__ == "__main__":
    main()
