"""Random fits: whatever is passed, it works to the last bit or is refused by name.

    python tests/fuzz.py --seconds 60

A case is a pure function of the seed and its number: an estimator or augmenter, and steps (fit,
partial_fit, set_params, predict ...) with their data. `Draw` makes its choices, each under a name;
`--without` makes the named ones in the plainest way, which is how findings are made smaller. Every
case is played twice (`play`): with one thread, then with two and with a pickle round trip before
every step. `observe` holds what must be true of a step that worked, `check_refusal` of one that did
not. Cases run in a child process, so that a crash or a hang is a finding, too. A new parameter of
the networks that is no flag and no number in an interval needs a line in PARAMETERS, any new one of
an augmenter one in AUGMENTER_PARAMETERS.
"""

import argparse
import collections
import contextlib
import faulthandler
import inspect
import io
import itertools
import multiprocessing
import pickle
import random
import re
import secrets
import sys
import time
import traceback
import warnings
import zlib
from numbers import Integral

import numpy as np
import pandas as pd
import scipy.sparse as sp
from augmenters import COMPOSITE, IMAGE, MIXING, SIGNAL, TRANSFORMERS
from sklearn.exceptions import (
    ConvergenceWarning,
    DataConversionWarning,
    NotFittedError,
    UndefinedMetricWarning,
)
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval
from threadpoolctl import threadpool_limits

import skreg.augmentation.base
import skreg.network.core
from skreg import MLPClassifier, MLPRegressor, _core
from skreg.augmentation import Augmented, Augmenter, FeatureNoise
from skreg.network.architecture import ACTIVATIONS
from skreg.network.losses import REGRESSION
from skreg.regularization.techniques import CONSTRAINTS, TECHNIQUES
from skreg.training.schedules import SCHEDULES

BATCH = 500  # cases for each child process
HANG = 120  # seconds for one case
NAN, INF = float("nan"), float("inf")

# ------------------------------------------------------------------------------- values to draw


def half(estimator, X, y):
    """A scorer that likes every network alike."""
    return 0.5


def undefined(estimator, X, y):
    """A scorer that fails without an error."""
    return NAN


# Usual values, extreme ones that are allowed, and ones that are not.
FLAG = [True, False], [np.True_], ["yes", None]
SHARE = [0.1, 0.3, 0.5], [0, 1e-46, 1e-9, 0.99, 1 - 2**-53, np.float32(0.2)], [-0.1, 1, NAN, None]
SIZE = [0.01, 0.1, 1.0], [0, 5e-324, 1e-46, 1e-30, 1e30, 1e300], [-1, NAN, INF, "1"]
POSITIVE = [0.01, 0.1, 1.0], [1, *SIZE[1][1:]], [0, *SIZE[2]]
COUNT = [1, 2, 5, 10], [np.int64(3), 10**9, 2**31, 2**63, 10**30], [0, -1, 1.5, NAN]


def of_constraint(constraints):
    """Values for a parameter that is a flag or a number in an interval, or None."""
    interval = next((c for c in constraints if isinstance(c, Interval)), None)
    if constraints in (["boolean"], ["verbose"]):
        return FLAG
    if interval is None or interval.left not in (0, 1):
        return None
    if interval.type is Integral:
        return COUNT
    above_zero = POSITIVE if interval.closed in ("neither", "right") else SIZE
    return SHARE if interval.right == 1 else above_zero


FROM_CONSTRAINTS = {name: of_constraint(c) for name, c in CONSTRAINTS.items()}

# Those for which an interval says too little.
PARAMETERS = {
    **{name: values for name, values in FROM_CONSTRAINTS.items() if values},
    "loss": (list(REGRESSION), ["squared_error"], ["hinge"]),
    "hidden_layer_sizes": (
        [(), (8,), (5, 3), (6, 6, 6), 7, (9,) * 5],
        [(1,), (1, 1, 1), [4, 4], np.array([3]), (2,) * 9],
        [0, (3, 0), (-1,), (2.5,), "3", None],
    ),
    "activation": (list(ACTIVATIONS), ["relu"], ["step", ["tanh", "mish"], 1]),
    "solver": (["sgd", "lbfgs"], ["adam"], ["newton"]),
    "batch_size": ([5, 16, 50], [1, 2, *COUNT[1]], COUNT[2]),
    "learning_rate": (list(SCHEDULES), list(SCHEDULES), ["falling"]),
    "max_iter": ([1, 3, 8], [20, np.int64(2)], [0, -1, 2.0]),
    "random_state": ([0, 1, 42], [2**32 - 1, "instance"], [-1, 2**32, "x"]),
    "momentum": ([0.5, 0.9], [0, 1, 1 - 2**-53, 1e-46], [-0.1, 1.1, NAN]),
    "early_stopping": ([True], [True], ["yes"]),
    "validation_fraction": ([0.2, 0.5], [0, 1e-9, 0.01, 0.99], SHARE[2]),
    "n_iter_no_change": ([1, 2], [INF, *COUNT[1]], COUNT[2]),
    "penalty": (["l1", "elasticnet", None], ["l2"], ["l3", 1]),
    "l1_ratio": ([0.2, 0.8], [0, 1, 1e-46], [-1, 2]),
    "dropout": ([0.2, 0.5], [*SHARE[1], [0.5], [0.1, 0.0]], [*SHARE[2], [2.0]]),
    "batch_norm_momentum": ([0.1, 0.9], [1, 1e-46, 1e-9], [0, 1.5]),
    "scoring": ([None, "r2", "accuracy", half], [undefined], ["nonsense", 3]),
    "weight_init": (["he", "lecun", "orthogonal"], ["auto"], ["zeros"]),
    "time_limit": ([1e6], [1e-9, 1e300], [0, -1]),  # others would stop by chance
    "weight_averaging": (["ema", "swa"], [None], ["mean"]),
    "ema_decay": ([0.5, 0.9], [1e-46, 1 - 2**-53, 1e-9], [0, 1]),
    "dropout_kind": (["gaussian", "alpha", "connect"], ["standard"], ["spatial"]),
    "augmentation": (["augmenter"], ["augmenter"], [0.5]),
    "quantile": ([0.1, [0.1, 0.9]], [1e-46, [0.5], [0.5, 0.5], 1 - 2**-53], [0, [], [2]]),
    "class_weight": (["balanced"], [{0: 1, 1: 1e30}, {0: 0}, {1: 1e-46}], ["even", {0: -1}]),
}  # fmt: skip

# These are changed more often than others; the first three nearly always.
SHARES = {
    **{"hidden_layer_sizes": 0.8, "max_iter": 0.8, "random_state": 0.5, "solver": 0.4},
    **{"loss": 0.5, "early_stopping": 0.3, "activation": 0.3, "learning_rate_init": 0.3},
    **{"batch_norm": 0.2, "dropout": 0.2, "warm_start": 0.2, "verbose": 0.02},
}
PLAIN = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}

# What is always refused is drawn less often.
IN_FIT_ALONE = {"early_stopping", "weight_averaging", "warmup", "learning_rate", "solver"}
IN_EPOCHS_ALONE = {technique.name for technique in TECHNIQUES if technique.in_epochs}

RANGE = [(0.5, 1.0), (0.9, 1.1)], [(1, 1), (0.01, 1e30), (1e-4, 1.0), [0, 0]], [(2, 1), (NAN, 1), 1]
LENGTH = [0.1, 1.0, 3.0], [0, 1e-46, 1e9, 1e39, 1e300], [-1, NAN, INF]
AUGMENTER_PARAMETERS = {
    **dict.fromkeys(["std", "alpha"], SIZE),
    **dict.fromkeys(["max_angle", "max_shear", "max_delta", "max_shift"], LENGTH),
    **dict.fromkeys(["scale_range", "scale", "ratio", "contrast_range", "rate_range"], RANGE),
    **dict.fromkeys(["area", "max_share"], SHARE),
    **dict.fromkeys(["horizontal", "vertical"], FLAG),
    **dict.fromkeys(["n_points", "k_neighbors"], ([2, 3], [1, 100, np.int64(4)], [0, 1.5])),
    "sigma": ([0.5, 4.0], [1e-46, 100.0, 1e30], [0, NAN]),
    "max_sigma": ([0.5, 2.0], [0, 1e-46, 100.0, 1e30], [-1, NAN]),
    "p": ([0.3, 0.8], [0, 1, 1e-46], [-0.1, 1.1]),
    "random_state": ([0, 7], [2**32 - 1], ["x"]),
    "interpolation": (["nearest"], ["bilinear"], ["cubic"]),
    "fill": (["edge", "reflect", "wrap"], ["constant"], ["mirror"]),
    "fill_value": ([1.0, "mean", "median"], [1e30, 1e300, -0.0], [NAN, "x"]),
    "snr_db": ([10.0, (0, 20)], [INF, 1e300, -1e300, -1e3], [(2, 1), NAN]),
    "db_range": ([(-3, 3)], [(0, 0), (-1e300, 1e300), (1e3, 1e3)], [(2, 1), 3]),
    "noise": (["pink", np.ones((2, 5))], [np.zeros((1, 1)), np.full((1, 3), 1e300)], ["blue"]),
    "clip": ([(0, 1), None], [(0, 0), (-1e300, 1e300)], [(1, 0), 3]),
    "categorical_features": ([[0]], [[], None, [-1, 0]], [[99], ["a"], [0.5]]),
    "max_semitones": ([1.0, 5.0], [0, 24, 1e-46], [25, -1]),
    "window": ([8, 64], [12, 1000], [9, 7, 1.5]),
    "padding": ([1, 5], [0, 10**9, 2**62, 10**30], [-1, 1.5]),
    "weights": ([None], [[1, 0], [1e-300, 1e-300], [1e308, 1e308]], [[0, 0], [1], [-1, 2]]),
    "n_copies": ([1, 2], [0], [-1, 1.5]),
}  # fmt: skip
GIVEN = {"image_shape", "signal_shape", "augmenters", "estimator", "augmenter"}  # fit the data

SCALES = {
    "normal": lambda X, rng: X,
    "1e30": lambda X, rng: X * 1e30,
    "1e300": lambda X, rng: X * 1e300,
    "1e-30": lambda X, rng: X * 1e-30,
    "subnormal": lambda X, rng: X * 1e-310,
    "zeros": lambda X, rng: X * 0,
    "small integers": lambda X, rng: X.round(),
    "constant columns": lambda X, rng: np.where(np.arange(X.shape[1]) % 2, 0.1, X),
    "duplicate rows": lambda X, rng: X[np.arange(len(X)) // 3],
    "a huge row": lambda X, rng: X * np.where(np.arange(len(X)) == len(X) // 2, 1e30, 1)[:, None],
    "far from 0": lambda X, rng: X + 1e8,
    "columns of any size": lambda X, rng: X * 10.0 ** rng.integers(-30, 30, X.shape[1]),
    "mostly zeros": lambda X, rng: X * (rng.random(X.shape) < 0.1),
}
BROKEN = {
    "nan": lambda X, rng: np.where(rng.random(X.shape) < 0.1, NAN, X),
    "inf": lambda X, rng: np.where(rng.random(X.shape) < 0.1, INF, X),
    "a vector": lambda X, rng: X[:, 0],
    "no rows": lambda X, rng: X[:0],
    "another width": lambda X, rng: np.hstack([X, X]),
}


def unsorted(X):
    """The same matrix with indices in disorder, and each number as two halves."""
    X = sp.csr_matrix(X)
    rows = [np.arange(*ends)[::-1].repeat(2) for ends in itertools.pairwise(X.indptr)]
    order = np.concatenate([np.zeros(0, dtype=int), *rows])
    halves = X.data[order] / 2 if X.dtype.kind == "f" else X.data[order]
    return sp.csr_matrix((halves, X.indices[order], X.indptr * 2), X.shape)


def read_only(X):
    X.flags.writeable = False
    return X


FLAT_CONTAINERS = {
    "list": lambda X: X.tolist(),
    "DataFrame": lambda X: pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]),
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "coo": sp.coo_matrix,
    "unsorted": unsorted,
}
CONTAINERS = {
    "array": lambda X: X,
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=-1)[..., ::2],
    "reversed": lambda X: X[::-1].copy()[::-1],
    "read-only": read_only,
}
TARGET_CONTAINERS = {
    "array": lambda y: y,
    "list": lambda y: y.tolist(),
    "Series": lambda y: pd.DataFrame(y) if y.ndim == 2 else pd.Series(list(y)),
    "column": lambda y: y[:, None] if y.ndim == 1 else y,
    "read-only": read_only,
}
LABELS = {
    "binary": lambda rng, n: rng.integers(2, size=n),
    "three": lambda rng, n: np.arange(n) % 3,
    "strings": lambda rng, n: np.array(["no", "yes", "perhaps"])[np.arange(n) % 3],
    "many": lambda rng, n: rng.integers(12, size=n),
    "multilabel": lambda rng, n: rng.integers(2, size=(n, 3)),
    "lonely": lambda rng, n: (np.arange(n) == 0).astype(int),
    "one class": lambda rng, n: np.ones(n, dtype=int),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "floats": lambda rng, n: rng.integers(2, size=n) * 2.0 - 1,
}
NUMBERS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "several": lambda rng, n: rng.normal(size=(n, 3)),
    "counts": lambda rng, n: rng.poisson(2.0, n),
    "positive": lambda rng, n: rng.exponential(size=n),
    "zeros": lambda rng, n: np.zeros(n),
    "constant": lambda rng, n: np.full(n, 0.1),
    "1e30": lambda rng, n: rng.normal(size=n) * 1e30,
    "1e300": lambda rng, n: rng.normal(size=n) * 1e300,
    "1e-30": lambda rng, n: rng.normal(size=n) * 1e-30,
    "1e20 counts": lambda rng, n: rng.exponential(size=n) * 1e20,
}
BROKEN_TARGETS = {
    "nan": lambda rng, n: np.full(n, NAN),
    "too few": lambda rng, n: np.zeros(max(0, n - 1), dtype=int),
    "cube": lambda rng, n: np.zeros((n, 2, 2)),
    "words": lambda rng, n: np.array(["a", "b"], dtype=object)[np.arange(n) % 2],
    "halves": lambda rng, n: np.arange(n) / 2,
}
WEIGHTS = {
    "uniform": lambda rng, n: rng.random(n),
    "zeros and ones": lambda rng, n: (rng.random(n) < 0.5).astype(float),
    "zeros": lambda rng, n: np.zeros(n),
    "1e30": lambda rng, n: np.full(n, 1e30),
    "1e-30": lambda rng, n: np.full(n, 1e-30),
    "1e-46": lambda rng, n: np.full(n, 1e-46),
    "1e308": lambda rng, n: np.full(n, 1e308),
    "mixed": lambda rng, n: rng.choice([0, 1e-30, 1.0, 1e30], n),
    "one row": lambda rng, n: (np.arange(n) == n - 1) * 1.0,
    "integers": lambda rng, n: rng.integers(3, size=n),
    "every third": lambda rng, n: (np.arange(n) % 3 > 0) * 1.0,  # one of three classes has none
    "list": lambda rng, n: [1.0] * n,
}
BROKEN_WEIGHTS = {
    "negative": lambda rng, n: rng.normal(size=n),
    "nan": lambda rng, n: np.full(n, NAN),
    "too few": lambda rng, n: np.ones(max(0, n - 1)),
    "matrix": lambda rng, n: np.ones((n, 2)),
    "word": lambda rng, n: "balanced",
}
PARTIAL = [("partial_fit",), ("partial_fit",) * 3, ("fit", "partial_fit", "partial_fit")]
SEQUENCES = [
    *[("fit",), ("fit", "fit"), ("fit", "set", "fit"), ("fit", "warm", "fit"), *PARTIAL],
    *[("partial_fit", "set", "partial_fit"), ("fit", "spread"), ("fit", "compact")],
    *[("fit", "warm", "fit", "set", "fit"), ("partial_fit", "fit", "partial_fit", "compact")],
]
SHAPES = [(8, 6), (4, 4, 2), (1, 7), (5, 1), (1, 1), (3, 4)]

# ------------------------------------------------------------------------------------- a case


class Draw:
    """Choices by name, each with random numbers of its own, so that none depends on others."""

    def __init__(self, seed, number, without=()):
        self.seed, self.number, self.without = seed, number, set(without)
        self.made = {}  # names of choices that are not the plain ones, in order
        self.invalid = []  # names of values that are not allowed
        mood = self.random("mood")
        self.wild, self.faulty = mood.random() < 0.5, mood.random() < 0.15

    def random(self, name):
        return random.Random(f"{self.seed} {self.number} {name}")

    def numbers(self, name):
        """A generator of arrays."""
        return np.random.default_rng([self.seed, self.number, zlib.crc32(name.encode())])

    def chosen(self, name, share):
        """Whether to leave the plain way here."""
        if name in self.without or self.random(f"whether {name}").random() >= share:
            return False
        self.made[name] = None
        return True

    def pick(self, name, options, share, broken=()):
        """The first option, or with probability `share` another one."""
        plain, *others = options
        if not self.chosen(name, share):
            return plain
        rng = self.random(name)
        others = list(broken) if self.faulty and broken and rng.random() < 0.3 else others
        return rng.choice(others)

    def value(self, name, usual, extreme, invalid):
        rng = self.random(name)
        if self.faulty and rng.random() < 0.2:
            self.invalid.append(name)
            return rng.choice(invalid)
        return rng.choice(extreme if self.wild and rng.random() < 0.4 else usual)


class Case:
    """What is played: a subject, and steps of a label, a method and its arguments."""

    def __init__(self, seed, number, without=()):
        self.draw = draw = Draw(seed, number, without)
        self.learned, self.n_diverged = None, 0  # of the steps that have been played
        lot = draw.random("subject").random()
        self.large = lot >= 0.12 and draw.random("large").random() < 0.03
        self.shape = draw.random("shape").choice(SHAPES)
        self.n_features = 60 if self.large else int(np.prod(self.shape))
        if lot < 0.12:
            self.subject, self.labels = draw_augmenter(draw, self.shape, mixing=lot < 0.01), LABELS
            shaped = draw.chosen("shaped", 0.3)
            self.steps = [("0", m, self.data("0", shaped)) for m in ("fit_transform", "transform")]
            del self.steps[1][2]["y"]
            return
        classifies = draw.random("classifies").random() < 0.5
        sequence = draw.pick("sequence", SEQUENCES, 0.6)
        refused = IN_FIT_ALONE if "partial_fit" in sequence and not draw.faulty else set()
        cls = MLPClassifier if classifies else MLPRegressor
        self.subject = draw_mlp(draw, cls, self, refused)
        self.labels = LABELS if classifies else NUMBERS
        if lot < 0.2:
            self.subject = Augmented(self.subject, draw_augmenter(draw, self.shape, mixing=True))
            self.subject.set_params(**draw_changes(draw, Augmented, {}, AUGMENTER_PARAMETERS))
            sequence = [name for name in sequence if name not in ("partial_fit", "compact")]
        drawn = [self.step(str(i), name) for i, name in enumerate(sequence)]
        if classifies:
            declare_classes(drawn)
        drawn = drawn or [self.step("0", "fit")]
        kept = [s for s in drawn if f"step {s[0]}" not in draw.without]
        self.steps = kept or drawn[:1]
        draw.made |= {f"step {s[0]}": None for s in drawn[1:]}

    def step(self, at, name):
        """Label, method and arguments; drawn anew, as a sequence hands over other rows."""
        if name == "compact":
            return at, "compact", {}
        if name == "spread":
            draws = self.draw.random(f"{at}.n_draws").choice([2, 3, 1, 0, 2.5])
            std = {"return_std": True} if self.labels is NUMBERS else {}
            method = "predict" if std else "predict_proba"
            return at, method, {"X": self.data(at)["X"], "n_draws": draws, **std}
        if name in ("warm", "set"):
            return at, "set_params", self.changes(at, name)
        data = self.data(at)
        if name == "fit" and self.draw.chosen(f"{at}.X_val", 0.3 if self.stops_early else 0.02):
            other = self.data(f"{at}.val")
            data |= {f"{k}_val": v for k, v in other.items()}
        return at, name, data

    @property
    def stops_early(self):
        return getattr(self.subject, "early_stopping", False) is True

    def changes(self, at, name):
        """Parameters that are set between two fits."""
        if isinstance(self.subject, Augmented):
            return {"n_copies": 1}
        params = {"warm_start": True, "max_iter": 4} if name == "warm" else {}
        key = self.draw.random(f"{at}.key").choice(list(self.subject.get_params(deep=False)))
        if name == "set" and key != "augmentation":
            params[key] = as_value(self.draw.value(f"{at}.{key}", *PARAMETERS[key]))
        return params

    def data(self, at, shaped=False):
        """X, y and weights of one call."""
        draw = self.draw
        n = draw.pick(f"{at}.rows", [12, 1, 2, 3, 7, 40, 40, 150, 300, 600], 0.6)
        n = 1200 if self.large else n
        y = draw.pick("y", list(self.labels), 0.7)
        broken = draw.pick(f"{at}.y", [y, y], 0.05, BROKEN_TARGETS)
        y = {**self.labels, **BROKEN_TARGETS}[broken](draw.numbers(f"{at}.y"), n)
        if self.labels is NUMBERS and getattr(self.subject, "loss", None) == "poisson":
            y = y if draw.faulty else np.abs(y)
        y = TARGET_CONTAINERS[draw.pick(f"{at}.y in", list(TARGET_CONTAINERS), 0.2)](y)
        data = {"X": self.rows(at, n, shaped), "y": y}
        kind = draw.pick(f"{at}.sample_weight", [None, *WEIGHTS], 0.3, BROKEN_WEIGHTS)
        if kind is not None and not isinstance(self.subject, Augmenter):
            table = {**WEIGHTS, **BROKEN_WEIGHTS}
            data["sample_weight"] = table[kind](draw.numbers(f"{at}.weight"), n)
        return data

    def rows(self, at, n, shaped):
        """X in some container."""
        draw, rng = self.draw, self.draw.numbers(f"{at}.X")
        X = rng.normal(size=(n, self.n_features))
        scale = draw.pick(f"{at}.scale", list(SCALES), 0.6 if draw.wild else 0.2, BROKEN)
        containers = CONTAINERS if shaped else {**CONTAINERS, **FLAT_CONTAINERS}
        container = containers[draw.pick(f"{at}.X in", list(containers), 0.3)]
        dtype = draw.pick("dtype", [np.float64, np.float32, np.float32, np.int64], 0.5)
        dtype = draw.pick(f"{at}.dtype", [dtype, np.float64, np.float32], 0.05)
        with np.errstate(all="ignore"):
            X = {**SCALES, **BROKEN}[scale](X, rng)
            X = np.nan_to_num(X).clip(-1e15, 1e15) if dtype == np.int64 else X
            X = X.astype(dtype)
        if X.ndim == 1:
            return X
        return container(
            X.reshape(-1, *self.shape) if shaped and X.shape[1] == self.n_features else X
        )


def declare_classes(steps):
    """The first partial_fit of a classifier needs all labels that will come."""
    calls = [kwargs for _, method, kwargs in steps if method == "partial_fit"]
    if calls and steps[0][1] == "partial_fit":
        columns = [np.ravel(np.asarray(k["y"], dtype=object)) for k in calls]
        y = calls[0]["y"]
        multilabel = np.ndim(y) == 2 and np.shape(y)[1] > 1
        labels = range(np.shape(y)[1]) if multilabel else set(np.concatenate(columns))
        calls[0]["classes"] = list(labels)


def as_value(drawn):
    return np.random.RandomState(0) if isinstance(drawn, str) and drawn == "instance" else drawn


def draw_changes(draw, cls, plain, table, at="", share=0.08):
    """Values of some parameters of a constructor."""
    params = dict(plain)
    names = inspect.signature(cls).parameters.keys() - GIVEN
    unknown = names - table.keys()
    if unknown:
        sys.exit(f"{cls.__name__} has parameters that tests/fuzz.py does not know: {unknown}.")
    for name in sorted(names):
        if draw.chosen(at + name, SHARES.get(name, share)):
            params[name] = as_value(draw.value(at + name, *table[name]))
    return params


def draw_mlp(draw, cls, case, refused):
    params = draw_changes(draw, cls, PLAIN, PARAMETERS)
    if params.get("solver") == "lbfgs" and not draw.faulty:
        refused = refused | IN_EPOCHS_ALONE
    params = {name: value for name, value in params.items() if name not in refused}
    if params.get("augmentation") == "augmenter":
        params["augmentation"] = draw_augmenter(draw, case.shape)
    if case.large:
        params.update(hidden_layer_sizes=(128, 128), max_iter=2, batch_size=500)
    return cls(**params)


def draw_augmenter(draw, shape, *, mixing=False, at="augmenter", depth=0):
    """One that reads rows as pictures of this shape, as signals, or as they are."""
    pool = [c for c in TRANSFORMERS + mixing * 8 * MIXING if depth == 0 or c not in COMPOSITE]
    cls = FeatureNoise if at in draw.without else draw.random(at).choice(pool)
    plain = {}
    if cls in COMPOSITE:
        inner = (draw_augmenter(draw, shape, at=f"{at}.{i}", depth=1) for i in range(2))
        plain["augmenters"] = list(inner)
    elif cls in IMAGE:
        plain["image_shape"] = shape
    elif cls in SIGNAL:
        plain["signal_shape"] = (shape[0], int(np.prod(shape[1:])))
    plain["random_state"] = 0
    changes = draw_changes(draw, cls, plain, AUGMENTER_PARAMETERS, f"{at}.", share=0.3)
    draw.made[at] = None
    if at != "augmenter":  # the random state of the whole counts
        changes["random_state"] = None
    return cls(**changes)


# ------------------------------------------------------------------------------- the contract


class Finding(Exception):
    """A broken promise; the first argument says which, without the numbers of the case."""


def play(case, *, n_threads, pickled):
    """Take the steps, and return for each what there is to see, as bytes."""
    for module, name in (
        (skreg.network.core, "count_cpus"),
        (skreg.augmentation.base, "count_cpus"),
    ):
        setattr(module, name, lambda: _core.set_cpu_count(n_threads))
    trail = []
    for _, method, kwargs in case.steps:
        if pickled:
            case.subject = pickle.loads(pickle.dumps(case.subject))
        trail.append(take_step(case, method, kwargs))
    return trail


def take_step(case, method, kwargs):
    """What the step shows, after the checks of the contract."""
    before, passed = fingerprint(vars(case.subject)), fingerprint(kwargs)
    heard = []
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        warnings.showwarning = lambda *args: heard.append(hear(case, *args))
        try:
            result = getattr(case.subject, method)(**kwargs)
        except Exception as error:
            check_refusal(error, case.subject, method, before)
            seen = {"refused": type(error).__name__}
        else:
            seen = observe(case, method, kwargs, result)
    for promise in filter(None, heard):
        raise Finding(promise)
    if fingerprint(kwargs) != passed:
        raise Finding(f"{method} changed what the caller passed")
    return seen


# Messages of scikit-learn and of training itself, which speak of the data without its name.
ACCEPTED = re.compile(
    r"Solver produced non-finite|in both parts|inconsistent numbers of samples|"
    r"Found array with|Expected 2D array|Found empty input array|should be greater or equal|"
    r"[Ss]ample weights|[Cc]lassification metrics can't handle|[Tt]arget scores need|"
    r"Unknown label type|Input (contains|has)|[Mm]ultioutput|is not a valid scoring|"
    r"(continuous|multilabel.*) is not supported|"
    r"resulting train set will be empty|[Ss]parse data was passed|Wrong type of target|"
    r"mixes the targets|cannot be used to seed|train_size|test_size|n_samples|Only one class|"
    r"could not convert string|validation set|Mix of label input types"
)
ARGUMENTS = {
    *("X", "y", "sample_weight", "classes", "X_val", "y_val", "sample_weight_val"),
    *("n_draws", "return_std", "augmenters", "partial_fit"),
}


def names_a_parameter(message, subject):
    known = {name.split("__")[-1] for name in subject.get_params(deep=True)} | ARGUMENTS
    return bool(known & set(re.findall(r"\w+", message)))


def check_refusal(error, subject, method, before):
    """Errors have the right type, say what is wrong, and leave the estimator as it was."""
    kind, message, place = type(error).__name__, str(error), place_of(error)
    documented = isinstance(error, NotFittedError) and "not fitted yet" in message
    documented |= isinstance(error, AttributeError) and method == "partial_fit"
    if not isinstance(error, ValueError | TypeError) and not documented:
        raise Finding(f"{method} raises {kind} ({place})", message) from error
    named = documented or names_a_parameter(message, subject) or ACCEPTED.search(message)
    if not named:
        raise Finding(f"{method} raises {kind} without a name ({place})", message)
    if fingerprint(vars(subject)) != before:
        raise Finding(f"{method} failed and changed the estimator ({place})", message)


def place_of(error):
    """File and function that an error went through last, in the package if at all."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = [f for f in frames if "/skreg/" in f.filename or f is frames[0]][-1]
    return f"{frame.filename.split('/')[-1]}, {frame.name}"


ACCEPTED_WARNINGS = re.compile(
    r"valid feature names|number of unique classes|R\^2|diverged|Training stopped|lbfgs failed|"
    r"is far above that of a constant|has a standard deviation of|regression"
)


def hear(case, message, category, filename, *_):
    """What is wrong with a warning, or None."""
    text = str(message)
    case.n_diverged += "Training diverged" in text
    if category in (ConvergenceWarning, DataConversionWarning, UndefinedMetricWarning):
        return None
    if category is UserWarning:
        fits = names_a_parameter(text, case.subject) or ACCEPTED_WARNINGS.search(text)
        return None if fits else f"UserWarning: {text}"
    frames = [f for f, _ in traceback.walk_stack(None)]
    # scikit-learn's quick looks for infinite and for whole numbers.
    if any(f.f_code.co_name in ("_assert_all_finite", "type_of_target") for f in frames):
        return None
    inside = [f for f in frames if "/skreg/" in f.f_code.co_filename][:1]
    place = [f"{f.f_code.co_filename.split('/')[-1]}, {f.f_code.co_name}" for f in inside]
    return f"{category.__name__} in {', '.join(place) or filename}: {text}"


def fingerprint(value):
    """Bytes that two values share where they are equal, NaN and -0.0 included."""
    if isinstance(value, dict):
        free = ("random_state", "seconds")  # drawn from, and measured
        return tuple((k, fingerprint(v)) for k, v in value.items() if k not in free)
    if isinstance(value, np.ndarray):
        content = value.tobytes() if value.dtype != object else repr(value.tolist())
        return value.dtype.str, value.shape, content
    if sp.issparse(value):
        return fingerprint([value.tocoo().coords, value.data])
    if isinstance(value, pd.DataFrame | pd.Series):
        return fingerprint(value.to_numpy())
    if isinstance(value, list) and value and isinstance(value[0], list | float | int | str):
        return repr(value)
    if isinstance(value, list | tuple):
        return tuple(fingerprint(v) for v in value)
    return repr(value) if isinstance(value, np.generic | float | int | str | None) else "object"


def observe(case, method, kwargs, result):
    """All that a step which worked leaves to be seen."""
    subject = case.subject
    if method == "set_params":
        return {}
    if method in ("fit_transform", "transform"):
        return observe_variants(method, result, kwargs["X"])
    if method in ("predict", "predict_proba"):
        must_be_finite(method, result)
        return {"result": fingerprint(result)}
    if method == "compact":
        seen = observe_predictions(result, *case.learned)
        if seen != observe_predictions(subject, *case.learned):
            raise Finding("compact() predicts something else")
        return seen
    model = subject.estimator_ if isinstance(subject, Augmented) else subject
    seen = observe_training(model, case.n_diverged)
    weight = kwargs.get("sample_weight")
    case.learned = kwargs["X"], slice(None) if weight is None else np.asarray(weight) > 0
    return seen | observe_predictions(subject, *case.learned)


def observe_variants(method, result, X):
    given = np.asarray(X.toarray() if sp.issparse(X) else X)
    if result.shape != given.shape:
        raise Finding(f"{method} changes the shape")
    if not np.isfinite(result[np.isfinite(given)]).all():
        raise Finding(f"{method} is not finite")
    if method == "transform" and not np.array_equal(result, given, equal_nan=True):
        raise Finding("transform changes X")
    return {method: fingerprint(result)}


CURVES = ("loss_curve_", "lr_curve_", "validation_scores_", "validation_loss_curve_")


def observe_training(model, n_diverged):
    """Weights and curves, which are finite numbers but for the epochs that diverged."""
    for name in CURVES:
        curve = np.asarray(getattr(model, name, None) or [], dtype=float)
        if (~np.isfinite(curve)).sum() > n_diverged:
            raise Finding(f"{name} is not finite")
    if not n_diverged:
        must_be_finite("loss_", model.loss_)
    for name in ("coefs_", "intercepts_"):
        must_be_finite(name, np.concatenate([a.ravel() for a in getattr(model, name)]))
    return {name: fingerprint(value) for name, value in vars(model).items()}


def must_be_finite(name, values):
    if not np.isfinite(np.asarray(values, dtype=float)).all():
        raise Finding(f"{name} is not finite")


def observe_predictions(model, X, used):
    """Predictions of all rows, the same for a row alone."""
    X, seen = X.tocsr() if sp.issparse(X) else X, {}
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if not hasattr(model, method):
            continue
        out = getattr(model, method)(X)
        if out.dtype.kind == "f":
            must_be_finite(f"{method}(X)", out[used])
        for row in (len(out) // 2, len(out) - 1):
            alone = getattr(model, method)(_safe_indexing(X, [row]))
            if fingerprint(alone) != fingerprint(out[row : row + 1]):
                raise Finding(f"{method} of one row differs from that of all")
        seen[method] = fingerprint(out)
        if method == "predict_proba":
            check_probabilities(out, getattr(model, "estimator_", model)._multilabel)
    return seen


def check_probabilities(p, multilabel):
    if (p < 0).any() or (p > 1).any():
        raise Finding("a probability lies outside of [0, 1]")
    tolerance = 1e-5 if p.dtype == np.float32 else 1e-12
    if not multilabel and np.abs(p.astype(float).sum(axis=1) - 1).max() > tolerance:
        raise Finding("probabilities do not sum to 1")


def check_case(seed, number, without=()):
    """Play the case, and again in another way, which must show the same bits."""
    case = Case(seed, number, without)
    first = play(case, n_threads=1, pickled=False)
    invalid = [n for n in case.draw.invalid if not n.endswith("random_state")]
    wrong = [name for name in invalid if name.startswith("augmenter.")]
    if wrong and any(first) and not any("refused" in seen for seen in first):
        raise Finding(f"{type(case.subject).__name__} takes an augmenter that is not valid", wrong)
    if play(Case(seed, number, without), n_threads=2, pickled=True) == first:
        return first
    for name, threads, pickled in (("time", 1, False), ("number of threads", 2, False)):
        second = play(Case(seed, number, without), n_threads=threads, pickled=pickled)
        if second != first:
            raise Finding(f"another {name} gives other bits", difference(first, second))
    raise Finding("a pickle round trip gives other bits")


def difference(first, second):
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        names = [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
        if names:
            return f"step {i}: {sorted(names)}"
    return ""


def finding_of(seed, number, without=()):
    """What check_case finds, as (promise, detail), and what it shows where it finds nothing."""
    try:
        return None, check_case(seed, number, without)
    except Finding as finding:
        return [*finding.args, ""][:2], []
    except Exception as error:
        return [f"{type(error).__name__} in {place_of(error)}", traceback.format_exc()], []


# --------------------------------------------------------------------------------- processes


def smaller(case_names, still):
    """The names of choices without which the finding stays."""
    without = []
    for name in case_names:
        if still([*without, name]):
            without.append(name)
    return without


def run_cases(send, seed, numbers, deadline, known):
    """Check cases one after another; each is announced before it begins."""
    faulthandler.enable()
    with threadpool_limits(1, user_api="blas"):  # SciPy's sums in lbfgs
        for number in numbers:
            if time.time() > deadline:
                break
            send(("begin", number, None))
            found, trail = finding_of(seed, number)
            send(("end", number, [step.get("refused", "worked") for step in trail]))
            if found:
                without = minimal(seed, number, found[0]) if found[0] not in known else []
                known = {*known, found[0]}
                send(("found", number, [*found, without]))
    send(("over", 0, None))


def minimal(seed, number, promise):
    def still(without):
        found, _ = finding_of(seed, number, without)
        return found is not None and found[0] == promise

    return smaller(Case(seed, number).draw.made, still)


def crashes(seed, number, without):
    """Whether the case ends a process of its own."""
    process = multiprocessing.Process(target=finding_of, args=(seed, number, without))
    process.start()
    process.join(HANG)
    process.kill()
    process.join()
    return process.exitcode != 0


class Report:
    """Counts, and the findings by the promise that they break."""

    def __init__(self, seed):
        self.seed, self.start = seed, time.time()
        self.n_cases, self.steps = 0, collections.Counter()
        self.findings = collections.defaultdict(list)

    def take(self, kind, number, content):
        if kind == "end":
            self.n_cases += 1
            self.steps.update(content)
        if kind == "found":
            self.add(number, *content)

    def add(self, number, promise, detail, without):
        if promise not in self.findings:
            print(f"\n{promise}\n{detail}\n{command(self.seed, number, without)}")
            print(description(Case(self.seed, number, without)), flush=True)
        self.findings[promise].append(number)

    def show(self):
        """Print the sums; return the exit status."""
        seconds = time.time() - self.start
        print(f"\n{self.n_cases} cases in {seconds:.0f} s, each played twice. Steps of those kept:")
        for kind, n in self.steps.most_common():
            print(f"{n:8} {kind}")
        for promise, numbers in sorted(self.findings.items(), key=lambda item: -len(item[1])):
            print(f"{len(numbers):8} times: {promise}; cases {numbers[:9]}")
        print(f"{len(self.findings)} kinds of findings; seed {self.seed}")
        return int(bool(self.findings))


def command(seed, number, without):
    extra = f" --without '{','.join(without)}'" if without else ""
    return f"python tests/fuzz.py --in-process --seed {seed} --case {number}{extra}"


def description(case):
    """The case to paste into a report: its choices, subject, and steps with their data."""
    lines = [f"choices: {', '.join(case.draw.made)}", repr(case.subject)]
    for _, method, kwargs in case.steps:
        lines.append(f"  .{method}({', '.join(f'{k}={summary(v)}' for k, v in kwargs.items())})")
    return "\n".join(lines)


def summary(value):
    kind, shape = type(value).__name__, getattr(value, "shape", None)
    if not shape:
        return repr(value) if not isinstance(value, list) else f"list of {len(value)}"
    numbers = value.data if sp.issparse(value) else np.asarray(value)
    return f"<{kind} {shape} {numbers.dtype}: {np.array2string(numbers.ravel()[:3])}>"


def fuzz(report, numbers, deadline):
    """Cases in child processes, until all are done or time is over."""
    numbers = iter(numbers)
    batch = []
    while time.time() < deadline:
        batch = batch or list(itertools.islice(numbers, BATCH))
        if not batch:
            break
        batch = run_batch(report, batch, deadline)


def run_batch(report, batch, deadline):
    """Run a child; return the cases that it left because of the one that ended it."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    args = (sender.send, report.seed, batch, deadline, set(report.findings))
    child = multiprocessing.Process(target=run_cases, args=args)
    child.start()
    sender.close()
    number = batch[0]
    try:
        while receiver.poll(HANG):
            kind, number, content = receiver.recv()
            if kind == "over":
                child.join()
                return []
            report.take(kind, number, content)
    except EOFError:
        pass
    hangs = child.is_alive()
    child.kill()
    child.join()
    promise = "hangs" if hangs else f"ends the process ({child.exitcode})"
    names = [] if hangs else Case(report.seed, number).draw.made
    report.add(number, promise, "", smaller(names, lambda w: crashes(report.seed, number, w)))
    return batch[batch.index(number) + 1 :]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=INF)
    parser.add_argument("--fits", type=int, help="number of cases")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--case", type=int, help="run this case of the seed alone")
    parser.add_argument("--without", default="", help="choices to leave out, with commas between")
    parser.add_argument("--in-process", action="store_true", help="for debuggers and sanitizers")
    args = parser.parse_args()
    if args.seconds == INF and args.fits is None:
        args.seconds = 60
    print(f"seed {args.seed}", flush=True)
    report, deadline = Report(args.seed), time.time() + args.seconds
    numbers = itertools.count() if args.fits is None else range(args.fits)
    numbers = numbers if args.case is None else [args.case]
    if args.without:
        found, _ = finding_of(args.seed, args.case, args.without.split(","))
        if found:
            report.add(args.case, *found, args.without.split(","))
    elif args.in_process:
        run_cases(lambda message: report.take(*message), args.seed, numbers, deadline, set())
    else:
        multiprocessing.set_start_method("spawn")
        fuzz(report, numbers, deadline)
    sys.exit(report.show())


if __name__ == "__main__":
    main()
