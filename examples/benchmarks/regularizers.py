"""What does each regularizer cost in time?

Each one alone beside the plain network, in the same run: 20,000 rows x 100 features, hidden layers
(128, 128), batch 128, Adam, float32, one thread. The figure is the time of a training step, from a
long fit minus a fit of one epoch; the settings take turns, and the fastest of the rounds counts.

Run it on a quiet machine::

    python examples/benchmarks/regularizers.py --out regularizers.csv
"""

import os

# Before NumPy is loaded, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import time
import warnings

import numpy as np
from _common import machine_lines, markdown_table, write_csv
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier

ROWS, FEATURES, BATCH = 20_000, 100, 128
THREE = {"hidden_layer_sizes": (128, 128, 128)}  # residual links need them

SETTINGS = {
    "plain": {},
    "penalty='l2'": {"penalty": "l2", "alpha": 1e-4},
    "penalty='l1'": {"penalty": "l1", "alpha": 1e-5},
    "penalty='elasticnet'": {"penalty": "elasticnet", "alpha": 1e-5},
    "dropout=0.5": {"dropout": 0.5},
    "input_dropout=0.2": {"input_dropout": 0.2},
    "batch_norm=True": {"batch_norm": True},
    "layer_norm=True": {"layer_norm": True},
    "dropout_kind='gaussian'": {"dropout": 0.5, "dropout_kind": "gaussian"},
    "dropout_kind='alpha'": {"dropout": 0.1, "dropout_kind": "alpha"},
    "dropout_kind='connect'": {"dropout": 0.5, "dropout_kind": "connect"},
    "input_noise=0.1": {"input_noise": 0.1},
    "swap_noise=0.1": {"swap_noise": 0.1},
    "mixup=0.2": {"mixup": 0.2},
    "cutmix=0.2": {"cutmix": 0.2},
    "cutout=0.2": {"cutout": 0.2},
    "adversarial_epsilon=0.01": {"adversarial_epsilon": 0.01},
    "label_smoothing=0.1": {"label_smoothing": 0.1},
    "clip_norm=1": {"clip_norm": 1.0},
    "weight_decay=0.01": {"weight_decay": 0.01},
    "feature_alpha=1e-4": {"feature_alpha": 1e-4},
    "unit_alpha=1e-4": {"unit_alpha": 1e-4},
    "unit_alpha=1e-2": {"unit_alpha": 1e-2},
    "max_norm=2": {"max_norm": 2.0},
    "learning_rate='cosine'": {"learning_rate": "cosine", "warmup": 0.1},
    "weight_averaging='ema'": {"weight_averaging": "ema"},
    "weight_averaging='swa'": {"weight_averaging": "swa", "swa_start": 0.0},
    "activation='tanh'": {"activation": "tanh"},
    "activation='selu'": {"activation": "selu"},
    "activation='gelu'": {"activation": "gelu"},
    "activation='silu'": {"activation": "silu"},
    "activation='mish'": {"activation": "mish"},
    "three layers": THREE,
    "three layers, residual=True": {**THREE, "residual": True},
    "three layers, stochastic_depth=0.2": {**THREE, "residual": True, "stochastic_depth": 0.2},
}


def seconds(X, y, params, epochs):
    clf = MLPClassifier(
        batch_size=BATCH,
        max_iter=epochs,
        tol=0,
        n_iter_no_change=np.inf,
        random_state=0,
        **{"hidden_layer_sizes": (128, 128), "penalty": None, **params},
    )
    begin = time.perf_counter()
    clf.fit(X, y)
    return time.perf_counter() - begin


def measure(rounds, epochs):
    """Microseconds a step of each setting."""
    rng = np.random.RandomState(0)
    X = rng.randn(ROWS, FEATURES).astype(np.float32)
    y = rng.randint(2, size=ROWS)
    fits = {name: ([], []) for name in SETTINGS}
    for _ in range(rounds):
        for name, params in SETTINGS.items():
            for times, n in zip(fits[name], (1, 1 + epochs), strict=True):
                times.append(seconds(X, y, params, n))
    n_steps = epochs * -(-ROWS // BATCH)
    return {n: 1e6 * (min(long) - min(short)) / n_steps for n, (short, long) in fits.items()}


def plain(name):
    """The setting to compare with."""
    return "three layers" if name.startswith("three layers") else "plain"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", help="CSV file")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("\n".join(machine_lines()))
    steps = measure(args.rounds, args.epochs)
    records = [
        {
            "setting": name,
            "microseconds a step": round(step, 1),
            "more than plain, %": round(100 * (step / steps[plain(name)] - 1), 1),
        }
        for name, step in steps.items()
    ]
    print(markdown_table(list(records[0]), [list(r.values()) for r in records]))
    if args.out:
        write_csv(args.out, records)


if __name__ == "__main__":
    main()
