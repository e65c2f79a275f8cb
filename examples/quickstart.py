"""Raw tables without a choice, then a grid over regularizers, beside scikit-learn's own.

Run it from anywhere; it takes less than a minute on two cores::

    python examples/quickstart.py
    python examples/quickstart.py --out curves.png --n-jobs 4

First two data sets that come with scikit-learn, breast cancer and diabetes, made tables as tables
are: some of their columns cut into named categories, a tenth of all values missing.
`TabularClassifier` and `TabularRegressor` take them as they are, scikit-learn's MLP behind a
pipeline that imputes, scales and encodes, and its gradient boosting with its own categories.

Then a grid search over the strength of the L2 penalty and dropout on digits. scikit-learn's MLP
knows one of these two: it gets as many candidates, all on ``alpha``, the same layers, batches and
folds, and both stop early, each by its default rule.

All scores are means and standard deviations over five splits of the rows, the same for all.
"""

import argparse
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    ShuffleSplit,
    StratifiedShuffleSplit,
)
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.neural_network import MLPRegressor as SklearnMLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import MLPClassifier, TabularClassifier, TabularRegressor, TrainingCurveDisplay

N_SPLITS = 5
SIZES = ["very small", "small", "medium", "large", "very large"]
# What both networks of the grids share.
SETTINGS = {
    "hidden_layer_sizes": (64, 64),
    "batch_size": 32,
    "max_iter": 200,
    "early_stopping": True,
    "random_state": 0,
}
OUR_GRID = {"mlp__alpha": [1e-3, 1e-2, 1e-1], "mlp__dropout": [0.0, 0.3]}
# As many candidates, over the same strengths: scikit-learn divides alpha by the batch size.
THEIR_GRID = {"mlp__alpha": 32 * np.geomspace(1e-3, 1e-1, len(ParameterGrid(OUR_GRID)))}


def raw_table(load, columns):
    """A table of which some columns are cut into categories, and a tenth of the values removed."""
    X, y = load(return_X_y=True, as_frame=True)
    for name in columns:
        X[name] = pd.cut(X[name], len(SIZES), labels=SIZES)
    return X.mask(np.random.default_rng(0).random(X.shape) < 0.1), y.to_numpy()


def prepared(mlp):
    """A network of scikit-learn behind what it needs."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, mlp)


def classifiers(n_jobs):
    options = {"categorical_features": "from_dtype", "random_state": 0}
    return {
        "skreg, TabularClassifier": TabularClassifier(n_jobs=n_jobs, random_state=0),
        "scikit-learn, MLP": prepared(SklearnMLPClassifier(max_iter=500, random_state=0)),
        "scikit-learn, boosting": HistGradientBoostingClassifier(**options),
    }


def regressors(n_jobs):
    options = {"categorical_features": "from_dtype", "random_state": 0}
    mlp = prepared(SklearnMLPRegressor(early_stopping=True, max_iter=500, random_state=0))
    return {
        "skreg, TabularRegressor": TabularRegressor(n_jobs=n_jobs, random_state=0),
        # Its initial weights and learning rate suit targets of unit size.
        "scikit-learn, MLP": TransformedTargetRegressor(mlp, transformer=StandardScaler()),
        "scikit-learn, boosting": HistGradientBoostingRegressor(**options),
    }


def searches(n_jobs):
    """A grid search of each library."""
    grids = {}
    for library, mlp, grid in (
        ("skreg", MLPClassifier(**SETTINGS), OUR_GRID),
        ("scikit-learn", SklearnMLPClassifier(**SETTINGS), THEIR_GRID),
    ):
        model = Pipeline([("scale", StandardScaler()), ("mlp", mlp)])
        label = f"{library}, grid of {len(ParameterGrid(grid))}"
        grids[label] = GridSearchCV(model, grid, cv=3, n_jobs=n_jobs)
    return grids


def compare(title, models, X, y):
    """Print scores of five splits and seconds; the models stay as fitted on the last split."""
    classes = len(np.unique(y)) < 20
    splitter = StratifiedShuffleSplit if classes else ShuffleSplit
    splits = list(splitter(N_SPLITS, test_size=0.25, random_state=0).split(X, y))
    names = ("accuracy", "log loss") if classes else ("R2", "RMSE")
    print(f"{title}\n  {'':<26}{names[0]:>17}{names[1]:>17}{'seconds a fit':>15}")
    for label, model in models.items():
        results = []
        for k, (train, test) in enumerate(splits, start=1):
            progress(f"{label}: split {k} of {N_SPLITS}")
            begin = time.perf_counter()
            model.fit(rows_of(X, train), y[train])
            seconds = time.perf_counter() - begin
            results.append([*scores(model, rows_of(X, test), y[test], classes), seconds])
        progress("")
        means, spreads = np.mean(results, axis=0), np.std(results, axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(means[:2], spreads[:2], strict=True)]
        print(f"  {label:<26}{cells[0]:>17}{cells[1]:>17}{means[2]:>15.2f}", flush=True)


def scores(model, X, y, classes):
    """Of held-out rows: accuracy and log loss, or R2 and RMSE."""
    if classes:
        return model.score(X, y), log_loss(y, model.predict_proba(X))
    return model.score(X, y), root_mean_squared_error(y, model.predict(X))


def rows_of(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def progress(text):
    """One line that is written over, where someone looks on."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def plot_curves(pictures, path):
    """Losses without penalties, so that training and validation have one scale."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture of the training curves")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(pictures), figsize=(12, 4.2), layout="constrained")
    for ax, (title, networks) in zip(axes, pictures.items(), strict=True):
        TrainingCurveDisplay.from_estimator(networks, ax=ax, log_scale=True)
        ax.set_title(title)
    fig.savefig(path, dpi=120)
    print(f"\ntraining and validation losses: {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="quickstart.png", help="picture of the training curves")
    parser.add_argument("--n-jobs", type=int, default=2, help="threads, and processes of the grids")
    options = parser.parse_args()

    # Some trainings, ours and theirs, end at max_iter. They are compared as they are.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    cancer = classifiers(options.n_jobs)
    columns = ["mean radius", "mean texture", "mean perimeter", "mean area", "mean smoothness"]
    title = "breast cancer: 569 rows, 25 numbers, 5 categories, a tenth missing"
    compare(title, cancer, *raw_table(load_breast_cancer, columns))
    title = "\ndiabetes: 442 rows, 8 numbers, 2 categories, a tenth missing"
    compare(title, regressors(options.n_jobs), *raw_table(load_diabetes, ["age", "bp"]))

    X, y = load_digits(return_X_y=True)
    grids = searches(options.n_jobs)
    compare("\ndigits: 1797 rows, 64 numbers", grids, X.astype(np.float32), y)
    for label, search in grids.items():
        best = {name.rpartition("__")[2]: f"{v:.3g}" for name, v in search.best_params_.items()}
        print(f"  best of {label}: {', '.join(f'{k}={v}' for k, v in best.items())}")

    ensemble = cancer["skreg, TabularClassifier"].ensemble_
    folds = {f"fold {k}": network for k, network in enumerate(ensemble.estimators_[:3], start=1)}
    ours = next(iter(grids.values()))
    plain = Pipeline([("scale", StandardScaler()), ("mlp", MLPClassifier(**SETTINGS))]).fit(X, y)
    digits = {"best of the grid": ours.best_estimator_, "no dropout": plain}
    plot_curves({"breast cancer, networks of three folds": folds, "digits": digits}, options.out)


if __name__ == "__main__":
    main()
