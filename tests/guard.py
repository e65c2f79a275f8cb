"""Guard of a rebuilding: the same fits with two versions of skreg, compared number by number.

    python tests/guard.py record FILE.npz      # fit all with the skreg that is importable
    python tests/guard.py compare FILE.npz     # fit again, and say which fits differ and in what
    python tests/guard.py commits BASE [HEAD]  # build both commits and do the two; without HEAD
                                               # the second one is the installed skreg

The exit status is 1 where anything differs. Numbers hold on one machine only, so none are stored
in the repository. Runs against older commits too: public names only, and a fit whose parameters
the older skreg lacks is "not there". A new parameter of the networks needs a fit below: without one
the script fails. pytest does not collect this file.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy comes: sums in BLAS keep their order

import argparse
import contextlib
import inspect
import io
import itertools
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
import scipy.sparse as sp
import sklearn
from sklearn.base import is_classifier
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import scale
from sklearn.utils._param_validation import InvalidParameterError
from test_effects import NEW

import skreg
import skreg.augmentation

REPOSITORY = Path(__file__).parent.parent
NETWORKS = ("MLPClassifier", "MLPRegressor")
REFUSAL, NOT_THERE = "refused", "not there"


class Made(NamedTuple):
    """An object that is made when its fit begins, as an older skreg may lack its class."""

    cls: str
    params: dict


class Case(NamedTuple):
    """One fit: what is made, what is done with it, on which data in which form."""

    name: str
    made: Made
    run: Callable  # (object, X, y) -> dict of arrays
    data: str
    form: str = ""  # words of "float32", "csr", "csc"


class NotThereError(Exception):
    """This skreg does not know a class or a parameter."""


# ------------------------------------------------------------------------------------ data
CLASSES = {"n_informative": 6, "flip_y": 0.1, "random_state": 0}
NUMBERS = {"noise": 20.0, "random_state": 0}
DATA = {
    "binary": lambda: make_classification(160, 12, **CLASSES),
    "multiclass": lambda: make_classification(160, 12, n_classes=3, **CLASSES),
    "multilabel": lambda: make_multilabel_classification(160, 12, n_classes=4, random_state=0),
    "shapes": lambda: make_classification(80, 48, **CLASSES),  # read as 8 x 6
    "large": lambda: make_classification(2000, 60, **CLASSES),
    "numbers": lambda: make_regression(160, 12, **NUMBERS),
    "counts": lambda: make_regression(160, 12, **NUMBERS),
    "outputs": lambda: make_regression(160, 12, n_targets=3, **NUMBERS),
    "large-numbers": lambda: make_regression(2000, 60, **NUMBERS),
}


def load(name, form):
    """X in the wanted form, and y: labels, in one case strings, or numbers around 0, or counts."""
    X, y = DATA[name]()
    X = scale(X).astype("float32" if "float32" in form else "float64")
    y = scale(y) if y.dtype.kind == "f" else y
    y = np.rint(np.exp(y)) if name == "counts" else y
    y = np.array(["one", "two", "three"])[y] if name == "multiclass" else y
    for sparse in {"csr", "csc"} & set(form.split("-")):
        X = sp.csr_array(np.where(abs(X) < 0.7, 0, X)).asformat(sparse)
    return X, y


# ------------------------------------------------------------------------------------ runs
def weights(y):
    """Sample weights, one of them 0."""
    return np.r_[0.0, np.random.RandomState(1).uniform(0.5, 2, len(y) - 1)]


def plain(model, X, y):
    """One fit."""
    return fitted(model.fit(X, y), X)


def weighted(model, X, y):
    """One fit with weights of the rows."""
    return fitted(model.fit(X, y, sample_weight=weights(y)), X)


def validated(model, X, y):
    """One fit with a validation set and its weights."""
    options = {"X_val": X[120:], "y_val": y[120:], "sample_weight_val": weights(y[120:])}
    return fitted(model.fit(X[:120], y[:120], **options), X)


def again(model, X, y):
    """A fit, and another one of more epochs that starts where it ended."""
    before = fitted(model.fit(X, y), X)
    after = fitted(model.set_params(max_iter=7).fit(X, y), X)
    return {**{f"before {name}": a for name, a in before.items()}, **after}


def in_parts(model, X, y):
    """Twelve partial fits, a quarter of the rows each."""
    known = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
    for k in range(12):
        rows, options = np.arange(k % 4, len(y), 4), {"sample_weight": weights(y[k % 4 :: 4])}
        if is_classifier(model) and k == 0:
            options["classes"] = known
        model.partial_fit(X[rows], y[rows], **options)
    return fitted(model, X)


def fitted(model, X):
    """What a fitted network holds and says."""
    arrays = {}
    for name in ("coefs_", "intercepts_"):
        arrays |= {f"{name}{i}": a for i, a in enumerate(getattr(model, name))}
    for name in ("loss_curve_", "lr_curve_", "validation_loss_curve_", "validation_scores_",
                 "loss_", "best_loss_", "n_iter_", "t_", "best_iter_", "best_validation_score_",
                 "noise_std_"):  # fmt: skip
        value = getattr(model, name, None)
        arrays |= {} if value is None else {name: value}
    return arrays | answers(model, X[:12])


def answers(model, X):
    """Predictions for a few rows, by each method that the network has the parts for."""
    arrays, draws = {"predict": model.predict(X)}, np.any(model.dropout) or model.input_dropout
    if is_classifier(model):
        arrays["predict_proba"] = model.predict_proba(X)
        arrays["predict_log_proba"] = model.predict_log_proba(X)
    if draws and is_classifier(model):
        arrays["proba of draws"] = model.predict_proba(X, n_draws=5)
    elif draws:
        arrays["mean of draws"] = model.predict(X, n_draws=5)
    if draws and model.early_stopping and not is_classifier(model):
        arrays["mean"], arrays["std"] = model.predict(X, return_std=True, n_draws=5)
    if model.unit_alpha:
        arrays["compact"] = model.compact().predict(X)
        arrays["compact sizes"] = model.compact().hidden_layer_sizes
    return arrays


def variants(augmenter, X, y):
    """Variants of the rows: of all in float64, and of one in two in float32."""
    first = augmenter.fit_transform(X, y)
    augmenter.set_params(p=0.5)
    return {"float64": first, "float32": augmenter.fit_transform(X.astype(np.float32), y)}


def resampled(sampler, X, y):
    """Rows and targets of a sampler."""
    new_X, new_y = sampler.fit_resample(X, y)
    return {"X": new_X, "y": new_y}


def around(model, X, y):
    """Predictions of Augmented."""
    return {"predict": model.fit(X, y).predict(X)}


# ---------------------------------------------------------------------------------- tables
COMMON = {"hidden_layer_sizes": (12, 8), "max_iter": 4, "batch_size": 32, "random_state": 0,
          "learning_rate_init": 0.01}  # fmt: skip
SGD, LBFGS = {"solver": "sgd"}, {"solver": "lbfgs", "max_iter": 15}
SOLVERS, PENALTIES = {"adam": {}, "sgd": SGD, "lbfgs": LBFGS}, ("l1", "l2", "elasticnet")
STOPPING = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 12,
            "n_iter_no_change": 3}  # fmt: skip
NORM, EMA, SWA = {"batch_norm": True}, {"weight_averaging": "ema"}, {"weight_averaging": "swa"}
DEEP = {"hidden_layer_sizes": (10,) * 6, "residual": True, "stochastic_depth": 0.4}
LARGE = {"hidden_layer_sizes": (128, 128), "max_iter": 2, "batch_size": 500}  # for two threads
ROWS = {"input_noise": 0.1, "swap_noise": 0.1, "mixup": 0.2, "cutmix": 0.2, "cutout": 0.1,
        "adversarial_epsilon": 0.1}  # fmt: skip
QUANTILES = {"loss": "quantile", "quantile": [0.9, 0.1, 0.5]}
FRESH = {"augmentation": Made("FeatureNoise", {"std": 0.3})}
SEED = {"random_state": 0}

LOSSES = {  # data, parameters
    "binary": ("binary", {}), "multiclass": ("multiclass", {}), "multilabel": ("multilabel", {}),
    "squared_error": ("outputs", {}), "poisson": ("counts", {"loss": "poisson"}),
    "absolute_error": ("numbers", {"loss": "absolute_error"}),
    "huber": ("numbers", {"loss": "huber", "delta": 0.5}),
    "quantile": ("outputs", {"loss": "quantile", "quantile": 0.8}),
    "quantiles": ("numbers", QUANTILES),
}  # fmt: skip
BOTH = {  # run, what all have, and what each has; for both networks, the classifier in float32
    "fit": (plain, {}, {
        "plain": {}, "defaults": {"batch_size": "auto", "learning_rate_init": 0.001},
        "no-penalty": {"penalty": None}, "seed": {"random_state": 5},
        "one-layer": {"hidden_layer_sizes": 9}, "linear": {"hidden_layer_sizes": ()},
        "no-progress": {"tol": 0.1, "n_iter_no_change": 2, "max_iter": 30},
        "no-shuffle": {"shuffle": False, "batch_size": 50},
        "verbose": {"verbose": True, "max_iter": 2},
        "momentum": {**SGD, "momentum": 0.5, "nesterovs_momentum": False},
        "moments": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.01},
        "max-fun": {**LBFGS, "max_fun": 5},
        "dropout": {"dropout": 0.3}, "dropouts": {"dropout": [0.0, 0.4]},
        "input-dropout": {"input_dropout": 0.2}, "batch-norm": NORM,
        "norm-options": {**NORM, "batch_norm_momentum": 0.3, "batch_norm_epsilon": 0.1},
        "layer-norm": {"layer_norm": True}, "clip-norm": {"clip_norm": 0.05},
        "weight-decay": {"weight_decay": 0.5}, "max-norm": {"max_norm": 0.5},
        "feature-alpha": {"feature_alpha": 0.05},
        "feature-alpha-sgd": {**SGD, "feature_alpha": 0.05, "learning_rate": "invscaling"},
        "unit-alpha": {"unit_alpha": 0.1, "max_iter": 20},
        "time-limit": {"time_limit": 1e-9},  # over after the first batch, on any machine
        "ema": {**EMA, "ema_decay": 0.9}, "ema-norm": {**EMA, **NORM},
        "swa": {**SWA, "swa_start": 0.25}, "swa-l1": {**SWA, "penalty": "l1", "alpha": 0.02},
        **{name: {name: strength} for name, strength in ROWS.items()},
        "all-row-changes": {**ROWS, "dropout": 0.2}, "deep": DEEP,
        "deep-no-skips": {**DEEP, "stochastic_depth": 0.0, "activation": "tanh"},
        "deep-batch-norm": {**DEEP, **NORM, "dropout": 0.1},
        "deep-layer-norm": {**DEEP, "layer_norm": True, "max_norm": 1.0},
        "everything": {**NORM, **EMA, **STOPPING, "dropout": 0.2, "penalty": "elasticnet",
                       "l1_ratio": 0.5, "clip_norm": 1.0, "max_norm": 1.0, "warmup": 0.2,
                       "learning_rate": "cosine"},
    }),
    "stopping": (plain, STOPPING, {
        "loss": {}, "score": {"scoring": None}, "last": {"restore_best": False}, "norm": NORM,
        "plateau": {"learning_rate": "plateau"}, "swa": {**SWA, "swa_start": 0.5},
    }),
    "given": (validated, STOPPING, {
        "loss": {}, "dropout": {"dropout": 0.3},
        "callable": {"scoring": lambda estimator, X, y: estimator.score(X, y)},
    }),
    "parts": (in_parts, {}, {
        "adam": {}, "sgd": SGD, "l1": {"penalty": "l1", "alpha": 0.01, **SGD}, "augmented": FRESH,
        "invscaling": {**SGD, "learning_rate": "invscaling", "power_t": 0.3},
        "adaptive": {**SGD, "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 2},
        "plateau": {"learning_rate": "plateau", "tol": 10.0, "n_iter_no_change": 4},
        "rows": ROWS, "norm": {**NORM, "dropout": 0.2}, "layer-norm": {"layer_norm": True},
    }),
    "warm": (again, {"warm_start": True}, {
        "adam": {"dropout": 0.2}, "sgd": {**SGD, "learning_rate": "adaptive"}, "lbfgs": LBFGS,
        "stopping": STOPPING, "norm": {**NORM, "mixup": 0.2}, "ema": EMA, "augmented": FRESH,
        "cosine": {"learning_rate": "cosine"},
    }),
}  # fmt: skip
SPECIAL = {  # parameters, run, data, form
    "accuracy": ({**STOPPING, "scoring": "accuracy"},),
    "log-loss": ({**STOPPING, "scoring": "neg_log_loss"}, weighted, "multiclass"),
    "class-weight": ({"class_weight": {"two": 3.0}}, weighted, "multiclass"),
    "balanced": ({**STOPPING, "class_weight": "balanced"},),
    "balanced-lbfgs": ({**LBFGS, "class_weight": "balanced"},),
    "smoothing": ({"label_smoothing": 0.2}, plain, "multiclass"),
    "smoothing-binary": ({**STOPPING, "label_smoothing": 0.2}, validated),
    "smoothing-multilabel": ({"label_smoothing": 0.2, "mixup": 0.3}, plain, "multilabel"),
    "weighted-multilabel": (NORM, weighted, "multilabel"),
    "weighted-lbfgs": (LBFGS, weighted, "outputs"),
    "bandwidth": ({"mixup": 1.0, "mixup_bandwidth": 0.5}, plain, "numbers"),
    "bandwidth-outputs": ({"mixup": 1.0, "mixup_bandwidth": 1.0}, weighted, "outputs"),
    "std": ({**STOPPING, "dropout": 0.2, "input_dropout": 0.1}, validated, "outputs"),
    "std-poisson": ({**STOPPING, "dropout": 0.2, "loss": "poisson"}, plain, "counts"),
    "quantiles-score": ({**QUANTILES, **STOPPING, "scoring": None}, plain, "numbers"),
    "parts-multilabel": ({"dropout": 0.2}, in_parts, "multilabel"),
    "parts-outputs": ({"dropout": 0.2}, in_parts, "outputs"),
    "sparse-dropout": ({"input_dropout": 0.3}, plain, "outputs", "csr"),
    "sparse-noise": ({"input_noise": 0.1, "swap_noise": 0.1}, plain, "binary", "csr"),
    "sparse-mixup": ({"mixup": 0.5, "cutout": 0.1}, weighted, "outputs", "csc-float32"),
    "sparse-cutmix": ({"cutmix": 0.2, "adversarial_epsilon": 0.1}, plain, "multiclass", "csr"),
    "sparse-augmentation": (FRESH, plain, "binary", "csr"),
    "large-norm": ({**LARGE, **NORM}, plain, "large-numbers"),
    "large-dropout": ({**LARGE, "dropout": 0.2}, plain, "large", "float32"),
    "large-sparse": ({**LARGE, "penalty": "l1"}, plain, "large", "csr-float32"),
}
CHOICES = {  # parameter: its values, and other parameters
    "activation": (("identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
                    "silu", "mish", "softplus"), {}),
    "learning_rate": (("invscaling", "adaptive", "plateau", "cosine", "cosine_restarts",
                       "one_cycle", "flat_cosine"), {"max_iter": 12, "n_iter_no_change": 2,
                       "tol": 0.2, **SGD}),
    "weight_init": (("he", "lecun", "orthogonal"), {}),
    "dropout_kind": (("standard", "gaussian", "alpha", "connect"),
                     {"dropout": 0.1, "activation": "selu"}),
}  # fmt: skip
AUGMENTERS = {  # parameters other than the default ones, and the shape
    "AddNoise": {"noise": "pink"}, "PitchShift": {"window": 8}, "TimeShift": {"max_shift": 0.4},
    "ElasticDeformation": {"sigma": 2.0}, "GaussianNoise": {"clip": (-1, 1)},
    "RandomAffine": {"max_shear": 0.1}, "RandomFlip": {"vertical": True},
    "RandomResizedCrop": {"interpolation": "nearest"}, "RandomRotation": {"fill": "edge"},
    "FeatureMask": {"p": 0.3}, "SwapNoise": {"categorical_features": [3, 4]},
    "OneOf": {"weights": [1, 3]},
}  # fmt: skip
MIXERS = ("MixUp", "CutMix")  # of targets as well: for samplers
SHAPED = {"image_shape": (8, 6), "signal_shape": (8, 6), "augmenters": [
    Made("RandomShift", {"image_shape": (8, 6)}), Made("FeatureNoise", {})]}  # fmt: skip
AROUND = {  # data, estimator, augmenter
    "logistic": ("binary", LogisticRegression(), Made("SwapNoise", SEED)),
    "ridge": ("outputs", Ridge(), Made("MixUp", SEED)),
    "mlp": ("binary", Made("MLPClassifier", COMMON | STOPPING), Made("FeatureNoise", SEED)),
}
REFUSED = {  # the same
    "alpha": ({"alpha": -1.0},), "sizes": ({"hidden_layer_sizes": (3, 0)},),
    "solver": ({"solver": "newton"},), "activations": ({"activation": ["relu"]},),
    "activation": ({"activation": ["relu", "sine"]},), "dropouts": ({"dropout": [0.1]},),
    "dropout": ({"dropout": [0.1, 1.0]},), "decay": ({"weight_decay": 200.0},),
    "momentum-l1": ({**SGD, "momentum": 1.0, "penalty": "l1"},),
    "lbfgs-dropout": ({**LBFGS, "dropout": 0.1},), "lbfgs-mixup": ({**LBFGS, "mixup": 0.1},),
    "two-norms": ({**NORM, "layer_norm": True},), "norm-of-one": ({**NORM, "batch_size": 1},),
    "narrow-norm": ({"layer_norm": True, "hidden_layer_sizes": (4, 1)},),
    "mixup-of-one": ({"mixup": 0.1, "batch_size": 1},), "validation-set": ({}, validated),
    "mixing-augmentation": ({"augmentation": Made("MixUp", {})},),
    "parts-lbfgs": (LBFGS, in_parts), "parts-ema": (EMA, in_parts),
    "parts-stopping": (STOPPING, in_parts), "class-weight": ({"class_weight": {0: -1.0}},),
    "parts-cosine": ({"learning_rate": "cosine"}, in_parts),
    "split": ({**STOPPING, "validation_fraction": 0.005},),
    "diverges": ({**SGD, "learning_rate_init": 1e200, "activation": "identity"},),
    "poisson": ({"loss": "poisson"}, plain, "numbers"), "quantiles": (QUANTILES, plain, "outputs"),
    "quantile": ({"loss": "quantile", "quantile": [0.5, 1.0]}, plain, "numbers"),
}  # fmt: skip


def network(name, params, run=plain, data="binary", form=""):
    """A fit of the network that the data is for."""
    cls = NETWORKS[data in ("numbers", "outputs", "counts", "large-numbers")]
    return Case(f"{cls[3:].lower()}-{name}", Made(cls, COMMON | params), run, data, form)


def network_cases():
    """All fits of networks."""
    for solver, params in SOLVERS.items():
        for (loss, (data, more)), penalty in itertools.product(LOSSES.items(), PENALTIES):
            options = {**params, **more, "penalty": penalty, "alpha": 0.01}
            yield network(f"{solver}-{loss}-{penalty}", options, plain, data)
        for form in ("csr", "csr-float32", "csc-float32", "float32"):
            yield network(f"{solver}-{form}", params, plain, "multiclass", form)
            yield network(f"{solver}-{form}", params, weighted, "numbers", form)
    for group, (run, common, table) in BOTH.items():
        for name, params in table.items():
            yield network(f"{group}-{name}", common | params, run, "binary", "float32")
            yield network(f"{group}-{name}", common | params, run, "numbers")
    for group, (values, params) in CHOICES.items():
        for value in values:
            yield network(f"{group}-{value}", {**params, group: value}, plain, "numbers")
            yield network(f"{group}-{value}", {**params, group: value}, weighted, "multiclass")
    for name in ("RandomRotation", "TimeMask", "RandomShift", "FeatureMask", "Compose", "OneOf"):
        params = {"augmentation": augmenter(name)}
        yield network(f"augmentation-{name}", params, weighted, "shapes", "float32")
    for loss in sorted(skreg.MLPRegressor._parameter_constraints["loss"][0].options):
        yield network(f"loss-{loss}", {"loss": loss}, plain, "counts")
    for name, effect in NEW.items():  # so that a new parameter has a fit
        for data in ("binary", "numbers"):
            params = effect.on | {"max_iter": 4}
            if data == "numbers" and "scoring" in params:
                params |= {"scoring": "r2"}
            case = network(f"effect-{name}", params, plain, data)
            if name in inspect.signature(getattr(skreg, case.made.cls)).parameters:
                yield case
    for name, arguments in SPECIAL.items():
        yield network(name, *arguments)
    for name, arguments in REFUSED.items():
        yield network(f"{REFUSAL}-{name}", *arguments)


def augmenter(name, **params):
    """An augmenter that can read the rows of `shapes`."""
    cls = getattr(skreg.augmentation, name, None)
    known = inspect.signature(cls).parameters if cls else {}
    shape = {key: value for key, value in SHAPED.items() if key in known}
    return Made(name, shape | AUGMENTERS.get(name, {}) | params)


def augmenter_cases():
    """Augmenters alone or with a sampler, and Augmented."""
    for name in skreg.augmentation.__all__:
        cls = getattr(skreg.augmentation, name)
        if not issubclass(cls, skreg.augmentation.Augmenter) or inspect.isabstract(cls):
            continue
        made, run = augmenter(name, **SEED), variants
        if name in MIXERS:
            made, run = Made("AugmentationSampler", {"augmenter": made}), resampled
        yield Case(f"variants-{name}", made, run, "shapes")
    for name, (data, estimator, inner) in AROUND.items():
        made = Made("Augmented", {"estimator": estimator, "augmenter": inner, "n_copies": 2})
        yield Case(f"augmented-{name}", made, around, data)


def check_complete(cases):
    """Each parameter of the networks has a fit with a value that is not the default."""
    for cls in NETWORKS:
        fits = [c.made.params for c in cases if c.made.cls == cls and REFUSAL not in c.name]
        for name, parameter in inspect.signature(getattr(skreg, cls)).parameters.items():
            default = repr(parameter.default)
            if all(repr(params.get(name, parameter.default)) == default for params in fits):
                sys.exit(f"guard.py has no fit with {cls}({name}=...). Add one to its tables.")


# ------------------------------------------------------------------------------- recording
def build(thing):
    """The object that is described, with all that it holds."""
    if isinstance(thing, list):
        return [build(part) for part in thing]
    if not isinstance(thing, Made):
        return thing
    cls = getattr(skreg, thing.cls, None) or getattr(skreg.augmentation, thing.cls, None)
    if cls is None:
        raise NotThereError(thing.cls)
    unknown = set(thing.params) - set(inspect.signature(cls).parameters)
    if unknown:
        raise NotThereError(f"{thing.cls}({', '.join(sorted(unknown))})")
    return cls(**{name: build(value) for name, value in thing.params.items()})


def observe(case):
    """The arrays of one fit: numbers, or what it raised, and what it warned of and printed."""
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            arrays = case.run(build(case.made), *load(case.data, case.form))
        except NotThereError as error:
            return {NOT_THERE: np.array(str(error))}
        except Exception as error:
            if isinstance(error, InvalidParameterError) and REFUSAL not in case.name:
                return {NOT_THERE: np.array(said(error))}  # a value that came later
            arrays = {"error": said(error)}
    texts = [said(w.message) for w in caught]
    arrays |= {"printed": printed.getvalue(), "warnings": np.array(texts, dtype=str)}
    return {name: np.asarray(value) for name, value in arrays.items()}


def said(error):
    """Category and text; names in braces in one order, as sets have none."""
    text = f"{type(error).__name__}: {error}"
    return re.sub(r"{(.*?)}", lambda m: f"{{{', '.join(sorted(m[1].split(', ')))}}}", text)


def observe_all():
    """Arrays of all fits, by fit and by name."""
    cases, begin = [*network_cases(), *augmenter_cases()], time.perf_counter()
    check_complete(cases)
    versions = " ".join(m.__version__ for m in (np, scipy, sklearn))
    found = {"about": {"versions": np.array(versions)}}
    found |= {case.name: observe(case) for case in cases}
    assert len(found) == len(cases) + 1, "two fits have the same name"
    print(f"{len(cases)} fits in {time.perf_counter() - begin:.1f} s by {skreg.__file__}")
    for fit, arrays in found.items():
        for name in {NOT_THERE, *([] if REFUSAL in fit else ["error"])} & set(arrays):
            print(f"{fit}: {name}: {arrays[name]}")
        if REFUSAL in fit and "error" not in arrays:
            print(f"{fit}: nothing was refused")
    return found


def n_wrong(found):
    """Fits that raised, and refusals that did not."""
    raised = {fit: "error" in arrays for fit, arrays in found.items() if NOT_THERE not in arrays}
    return sum(raises != (REFUSAL in fit) for fit, raises in raised.items())


def record(file):
    """Fit all, and write what was observed."""
    found = observe_all()
    np.savez(file, **{f"{fit}/{name}": a for fit in found for name, a in found[fit].items()})


# ------------------------------------------------------------------------------- comparing
def compare(file):
    """Fit all again; the number of differences from the file, which are printed."""
    before, n_differences = {}, 0
    with np.load(file) as arrays:
        for key in arrays:
            fit, name = key.split("/")
            before.setdefault(fit, {})[name] = arrays[key]
    now = observe_all()
    for fit in before | now:
        for line in differences(before.get(fit, {NOT_THERE: ""}), now.get(fit, {NOT_THERE: ""})):
            n_differences += 1
            print(f"{fit}: {line}")
    print(f"{n_differences} differences in {len(before | now)} fits")
    return n_differences + n_wrong(now)


def differences(before, now):
    """At most two lines: the first array that differs, and the warnings."""
    if NOT_THERE in before:
        return  # a new one, or one that neither knows
    if NOT_THERE in now:
        yield "no longer there"
        return
    names = [name for name in before | now if name != "warnings"]
    changes = ((name, change(before.get(name), now.get(name))) for name in names)
    yield from [f"{name}: {text}" for name, text in changes if text][:1]
    if text := change(before.get("warnings"), now.get("warnings")):
        yield f"warnings differ: {text}"


def change(a, b):
    """How two arrays differ, or None."""
    if a is None or b is None:
        return None if a is b else "only now" if a is None else "no longer there"
    if "U" in (a.dtype.kind, b.dtype.kind):
        return None if np.array_equal(a, b) else f"{a} -> {b}"
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return f"{a.dtype} {a.shape} -> {b.dtype} {b.shape}"
    if np.array_equal(a, b, equal_nan=True):
        return None
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)):
        return "other numbers are finite"
    a, b = a[finite].astype(float), b[finite].astype(float)
    return f"differ by {abs(a - b).max() / abs(a).max():.1e} of the largest number"


# --------------------------------------------------------------------------------- commits
def install(commit, folder):
    """The place of skreg as of a commit, built in a folder."""
    git = ["git", "-C", REPOSITORY, "rev-parse", "--verify", f"{commit}^{{commit}}"]
    found = subprocess.check_output(git, text=True).strip()
    source, target = folder / "source", folder / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    for command in (
        ["git", "clone", "--quiet", "--no-checkout", REPOSITORY, source],
        ["git", "-C", source, "checkout", "--quiet", found],
        [*pip, source],
    ):
        subprocess.run(command, check=True)
    return str(target)


def run_with(target, *arguments):
    """Exit status of this script with skreg from the target, or with the installed one."""
    command = [sys.executable, __file__, *arguments]
    if target is None:
        return subprocess.run(command).returncode
    command.insert(1, "-S")  # without what an editable install hooks in
    paths = {"PYTHONPATH": os.pathsep.join([target, *sys.path[1:]])}
    return subprocess.run(command, env=os.environ | paths).returncode


def compare_commits(base, head):
    """Build the commits, record with the first and compare with the second."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "base.npz"))
        older = install(base, Path(folder, "older"))
        newer = install(head, Path(folder, "newer")) if head else None
        return run_with(older, "record", file) or run_with(newer, "compare", file)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["record", "compare", "commits"])
    parser.add_argument("what", help="file to write or read, or the older commit")
    parser.add_argument("head", nargs="?", help="the newer commit")
    args = parser.parse_args()
    if args.action == "commits":
        return compare_commits(args.what, args.head)
    return record(args.what) if args.action == "record" else compare(args.what)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
