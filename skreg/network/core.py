"""What the compiled core does with arrays: rows by reference, and predictions.

The only module that imports the core (but for that of the augmentation, which shares nothing else
with it).
"""

import math
import os
import time

import joblib
import numpy as np
import scipy.sparse as sp

from skreg import _core

if not hasattr(_core, "Trainer32"):  # the folder of C++ sources, found as a namespace package
    raise ImportError(
        "skreg's compiled core is not built in this source tree. Build and install the package "
        "with `pip install .` (or `pip install --no-build-isolation -e .` to work on it), and "
        "import it from outside of the source tree, or with the editable install."
    )

# A part of the core by name, with its options.
Spec = tuple[str, dict[str, float | list[float]]]

MAX_ROWS = np.iinfo(np.int32).max
BLOCK_ROWS = 512  # rows that the core predicts at a time


Stop = _core.Stop  # ends the epochs of other threads as Ctrl-C ends those of the main one


def count_cpus():
    """Tell the core what the affinity of this process, its control group and others leave it, now.

    Threads of OpenMP wait for each other by spinning: where one of them shares its processor with
    another program, all of them lose many times what they gain.
    """
    _core.set_cpu_count(max(1, min(joblib.cpu_count(), _idle_cpus())))


_looked = [-math.inf, math.inf]  # when, and what was found


def _idle_cpus():
    """Processors that no other process uses; known for a tenth of a second, and on Linux alone."""
    now = time.monotonic()
    if now - _looked[0] > 0.1:
        _looked[:] = now, os.cpu_count() - _running_elsewhere()
    return _looked[1]


def _running_elsewhere():
    """Threads of other processes that run or wait for a processor, or -inf if nobody knows."""
    try:
        with open("/proc/loadavg") as file:
            running = int(file.read().split()[3].partition("/")[0])
        return running - sum(map(_runs, os.listdir("/proc/self/task")))
    except (OSError, ValueError, IndexError):
        return -math.inf


def _runs(task):
    """Whether a thread of this process runs or wants to."""
    try:
        with open(f"/proc/self/task/{task}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "R"
    except OSError:  # it has ended
        return False


def _cast(values, dtype, name):
    if values is None:
        return None
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(values, dtype=dtype)
    if not np.isfinite(cast).all():
        raise ValueError(
            f"{name} holds numbers too large for {dtype}, in which training goes because X has "
            f"this type. Scale {name}, or pass X in float64."
        )
    return cast


def make_data(X, *, target=None, label=None, weight=None):
    """Hand arrays to the core by reference.

    Parameters
    ----------
    X : C-ordered ndarray or sparse matrix of shape (n_rows, n_features)
        float32 or float64; decides the number type of the core.
    target : ndarray of shape (n_rows, n_outputs), optional
    label : ndarray of shape (n_rows,), optional
        Index of the class, for the softmax loss.
    weight : ndarray of shape (n_rows,), optional
    """
    if X.shape[0] > MAX_ROWS:
        raise ValueError(f"X has {X.shape[0]} rows; at most {MAX_ROWS} are supported.")
    dtype = X.dtype
    arrays = {
        "target": _cast(target, dtype, "y"),
        "label": None if label is None else np.ascontiguousarray(label, dtype=np.int32),
        "weight": _cast(weight, dtype, "sample_weight"),
    }
    core = _core.Data32 if dtype == np.float32 else _core.Data64
    if not sp.issparse(X):
        return core.dense(np.ascontiguousarray(X), **arrays)
    X = X.tocsr()
    return core.sparse(
        X.indptr.astype(np.int64, copy=False),
        X.indices.astype(np.int32, copy=False),
        np.ascontiguousarray(X.data),
        X.shape[1],
        **arrays,
    )


def predict(X, layers, parameters, link):
    """Outputs of a network without batch norm, of shape (n_rows, n_outputs), in the type of X.

    `parameters` are weights, biases, then scales and shifts of layer norms; `link` is the output
    activation: identity, logistic, softmax or exp.
    """
    out = np.empty((X.shape[0], int(layers[-1][1]["units"])), dtype=X.dtype)
    if X.shape[0] > BLOCK_ROWS:  # less stays on one thread
        count_cpus()
    _core.predict(make_data(X), layers, as_arrays(parameters, X.dtype), link, out)
    return out


def sample(X, layers, parameters, link, *, seed, n_draws):
    """Mean and standard deviation of `n_draws` outputs with the dropout of `layers` on."""
    mean = np.empty((X.shape[0], int(layers[-1][1]["units"])), dtype=X.dtype)
    deviation = np.empty_like(mean)
    arrays = as_arrays(parameters, X.dtype)
    count_cpus()
    _core.sample(make_data(X), layers, arrays, link, seed, n_draws, mean, deviation)
    return mean, deviation


def as_arrays(parameters, dtype):
    return [np.ascontiguousarray(p, dtype=dtype) for p in parameters]


def make_trainer(layers, loss, parts, *, n_features, dtype, seed):
    """The core's trainer, whose arrays are attached later."""
    count_cpus()
    trainer = _core.Trainer32 if dtype == np.float32 else _core.Trainer64
    return trainer(n_features, layers, loss, parts, seed)


def instruction_set():
    """Name of the one that the core uses."""
    return _core.instruction_set()


def count_moments(optimizer):
    """How many vectors of moments an optimizer (by name) keeps."""
    return _core.count_moments(optimizer)
