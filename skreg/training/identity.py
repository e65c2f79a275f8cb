"""What must be the same for a training to go on to the same bits, as text."""

import functools
import hashlib
import types
from importlib.metadata import version
from platform import machine

import numpy as np
import scipy.sparse as sp

from skreg.network.core import instruction_set

# Change nothing of the epochs that are made, or not of those before.
FREE = ("verbose", "time_limit")


def identity_of(plan, rows, before):
    """Names and values: class, parameters, data, the fit before, version, processor.

    Parameters
    ----------
    plan : Plan
    rows : TrainingRows
        With the validation set that was passed, if any.
    before : EarlierFit or None
    """
    estimator = plan.estimator
    skipped = FREE if plan.plans_epochs else (*FREE, "max_iter")
    params = {n: v for n, v in estimator.get_params(deep=False).items() if n not in skipped}
    given = rows.validation
    earlier = () if before is None else (before.coefs, before.intercepts, before.memory)
    return {
        "class": _name(type(estimator)),
        "parameters": described(params),
        "X": fingerprint(rows.X),
        "y": fingerprint(rows.y),
        "weights": fingerprint(rows.weight),
        "validation set": fingerprint(given and (*given.checked, given.sample_weight)),
        "earlier fit": fingerprint(earlier),
        "skreg": version("skreg"),
        "instruction set": f"{machine()} {instruction_set()}",
    }


def described(value):
    """A text that is the same for the same values, in any process."""
    if isinstance(value, (np.random.RandomState, np.random.Generator, type(None))):
        return "None" if value is None else "random state"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return fingerprint(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{described(k)}: {described(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(described, value)) + "]"
    if isinstance(value, (set, frozenset)):  # whose order is another one in each process
        return "{" + ", ".join(sorted(map(described, value))) + "}"
    if hasattr(value, "get_params") and not isinstance(value, type):
        return f"{_name(type(value))}({described(value.get_params(deep=False))})"
    return _described_callable(value) if callable(value) else repr(value)


def _described_callable(value):
    """By what it does: lambdas have one name, and so have all scorers of `make_scorer`."""
    if isinstance(value, functools.partial):
        return f"partial({described([value.func, value.args, value.keywords])})"
    if isinstance(value, types.FunctionType) and "<" in value.__qualname__:  # of no module
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        inside = [_name(each) if callable(each) else each for each in cells]  # may be itself
        content = [_described_code(value.__code__), value.__defaults__, inside]
    else:
        content = {} if hasattr(value, "__qualname__") else getattr(value, "__dict__", {})
    return f"{_name(value)}({described(content)})"


def _described_code(code):
    nested = [_described_code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts]
    return described([code.co_code.hex(), code.co_names, nested])


def _name(thing):
    return f"{thing.__module__}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def fingerprint(value):
    """Type, shape and hash of arrays, sparse matrices, and lists and dicts of them."""
    hashed = hashlib.blake2b(digest_size=16)

    def feed(value):
        if sp.issparse(value):
            value = (value.shape, value.indptr, value.indices, value.data)
        if isinstance(value, dict):
            value = [item for pair in sorted(value.items()) for item in pair]
        if isinstance(value, np.ndarray) and value.dtype.hasobject:  # its bytes are addresses
            value = [value.shape, *value.ravel()]
        if isinstance(value, np.ndarray):
            hashed.update(f"{value.dtype} {value.shape}".encode())
            hashed.update(np.ascontiguousarray(value).data)
        elif isinstance(value, (list, tuple)):
            hashed.update(f"{len(value)}".encode())
            for item in value:
                feed(item)
        else:
            hashed.update(repr(value).encode())

    feed(value)
    return hashed.hexdigest()


def differences(saved, now):
    """What differs between two identities, as a text; empty where nothing does."""
    names = [name for name in now if saved.get(name) != now[name]]
    return ", ".join(f"{name} (then {saved.get(name)}, now {now[name]})" for name in names)
