"""Regularized networks, tuned in scikit-learn pipelines, beside scikit-learn's own MLP.

Run it from anywhere; it takes less than a minute on two cores::

    python examples/quickstart.py
    python examples/quickstart.py --out curves.png --n-jobs 4

On three data sets that come with scikit-learn, two classifications and one regression, a grid
search tunes the penalty, its strength, dropout and batch norm of a skreg network with early
stopping. scikit-learn's MLP knows one of these four, the strength ``alpha`` of its L2 penalty: it
gets as many candidates, all on ``alpha``, the same layers, batches and folds. Both are then scored
on the same held-out rows. Times are of the whole search: every fit of every fold and the final
refit, with worker processes that are already running. Each network stops early by its default
rule: skreg watches the validation loss, scikit-learn the accuracy, which ends a training sooner, so
that its fits have fewer epochs. The final refits show both: epochs, and time.
"""

import argparse
import time
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, ParameterGrid, train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.neural_network import MLPRegressor as SklearnMLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor

# name: (loader, skreg's estimator, scikit-learn's estimator)
PROBLEMS = {
    "digits": (load_digits, MLPClassifier, SklearnMLPClassifier),
    "breast_cancer": (load_breast_cancer, MLPClassifier, SklearnMLPClassifier),
    "diabetes": (load_diabetes, MLPRegressor, SklearnMLPRegressor),
}

# What both networks share.
SETTINGS = {
    "hidden_layer_sizes": (64, 64),
    "batch_size": 32,
    "max_iter": 100,
    "early_stopping": True,
    "validation_fraction": 0.2,
    "random_state": 0,
}

OUR_GRID = {
    "penalty": ["l1", "l2"],
    "alpha": [1e-4, 1e-3, 1e-2, 1e-1, 1],
    "dropout": [0.0, 0.3],
    "batch_norm": [False, True],
}
# The same number of candidates, over the same strengths: scikit-learn divides alpha by the batch
# size.
THEIR_GRID = {"alpha": 32 * np.geomspace(1e-4, 1, len(ParameterGrid(OUR_GRID)))}


def build(mlp):
    """A pipeline of a scaler and the network; for regression the target is standardized too."""
    pipeline = Pipeline([("scale", StandardScaler()), ("mlp", mlp(**SETTINGS))])
    if not hasattr(mlp, "predict_proba"):
        # Initial weights and learning rate suit targets of unit size. Diabetes' target, 25 to 346,
        # would take hundreds of epochs to reach, and the penalties would fight the long way there.
        return TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    return pipeline


def tune(mlp, grid, X, y, n_jobs):
    """A finished grid search over parameters of the network, and the seconds it took."""
    model = build(mlp)
    prefix = "mlp__" if isinstance(model, Pipeline) else "regressor__mlp__"
    search = GridSearchCV(model, {prefix + k: v for k, v in grid.items()}, cv=3, n_jobs=n_jobs)
    start = time.perf_counter()
    search.fit(X, y)
    return search, time.perf_counter() - start


def network_of(search):
    """The fitted network inside the best pipeline."""
    best = search.best_estimator_
    return getattr(best, "regressor_", best)["mlp"]


def report(label, search, seconds, X_test, y_test):
    """Two lines: scores with the time of the search, and the best parameters with their refit."""
    held_out = search.score(X_test, y_test)
    best = {name.rpartition("__")[2]: value for name, value in search.best_params_.items()}
    shown = ", ".join(f"{k}={v:.3g}" if k == "alpha" else f"{k}={v}" for k, v in best.items())
    refit = f"{network_of(search).n_iter_} epochs in {1e3 * search.refit_time_:.0f} ms"
    print(f"  {label:<12} held out {held_out:.3f}   cv {search.best_score_:.3f}   {seconds:5.1f} s")
    print(f"  {'':<12} best: {shown} ({refit})")


def compare(name, n_jobs):
    """Tune both networks on one data set; skreg's best network and both times."""
    load, ours, theirs = PROBLEMS[name]
    X, y = load(return_X_y=True)
    X = X.astype(np.float32)  # both networks compute in the precision of their input
    classes = y if hasattr(ours, "predict_proba") else None
    split = train_test_split(X, y, test_size=0.3, random_state=0, stratify=classes)
    X_train, X_test, y_train, y_test = split
    metric = "R2" if classes is None else "accuracy"
    print(f"{name}: {X.shape[1]} features, {len(X_train)} rows, {len(X_test)} held out, {metric}")

    our_search, our_time = tune(ours, OUR_GRID, X_train, y_train, n_jobs)
    report("skreg", our_search, our_time, X_test, y_test)
    their_search, their_time = tune(theirs, THEIR_GRID, X_train, y_train, n_jobs)
    report("scikit-learn", their_search, their_time, X_test, y_test)
    return network_of(our_search), our_time, their_time


def plot_curves(networks, path):
    """Training and validation loss of the best networks; without matplotlib a line of text."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture of the training curves")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(networks), figsize=(12, 3.6), layout="constrained")
    for ax, (name, network) in zip(axes, networks.items(), strict=True):
        epochs = range(1, network.n_iter_ + 1)
        ax.plot(epochs, network.loss_curve_, label="training, with penalty and dropout")
        ax.plot(epochs, network.validation_loss_curve_, label="validation")
        ax.axvline(network.best_iter_, color="grey", linestyle=":", label="weights kept")
        ax.set(title=name, xlabel="epoch", ylabel="loss", yscale="log")
    axes[0].legend()
    fig.savefig(path, dpi=120)
    print(f"training curves of the best skreg networks: {path}")


def start_workers(n_jobs):
    """Start the worker processes and let them import both libraries, outside the timing."""
    with Parallel(n_jobs=n_jobs) as parallel:
        parallel(delayed(build)(mlp) for _, *mlps in PROBLEMS.values() for mlp in mlps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="quickstart.png", help="picture of the training curves")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes of the grid searches")
    options = parser.parse_args()

    # Some candidates, ours and theirs, reach max_iter before early stopping ends them. In a search
    # that is no problem: they keep their best validated weights and are compared as they are.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    start_workers(options.n_jobs)

    networks, times = {}, []
    for name in PROBLEMS:
        networks[name], *seconds = compare(name, options.n_jobs)
        times.append(seconds)
    ours, theirs = np.sum(times, axis=0)
    print(
        f"{len(ParameterGrid(OUR_GRID))} candidates x 3 folds on each: "
        f"skreg {ours:.1f} s, scikit-learn {theirs:.1f} s ({theirs / ours:.1f} times as long)"
    )
    plot_curves(networks, options.out)


if __name__ == "__main__":
    main()
