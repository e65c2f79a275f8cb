"""Encoding: tables as arrays, by our encoder or another one, and what to do where that fails."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skreg.preprocessing import TableEncoder
from skreg.preprocessing.columns import NUMBER, is_frame, reader

LOOKS_AT_Y = (
    "The encoder needs y. It is fitted once, on all rows, before these are divided into folds, so "
    "each network would find in X what is to be predicted of the rows that it is validated on. Put "
    "it in front, as make_pipeline(encoder, model). There scikit-learn's TargetEncoder encodes a "
    "training row by the targets of others; with encoders that do not, early stopping, oof_score_ "
    "and importances flatter the model."
)
LEAVES_MISSING = (
    "The encoder leaves missing values in {columns}, which a network cannot take. Let a "
    "TableEncoder follow it, encoder=make_pipeline(encoder, TableEncoder()), which marks them and "
    "brings all numbers to one scale, or a SimpleImputer."
)


def is_auto(value):
    return isinstance(value, str) and value == "auto"


def encoders_for(encoder, n_rows):
    """From which the encoder is chosen, unfitted."""
    if not is_auto(encoder):
        return [clone(encoder)]
    sizes = (0.1, 1.0) if n_rows >= 10_000 else (0.1,)
    return [TableEncoder(code_scale=size) for size in sizes]


def fitted_table(encoder, X, y, sample_weight):
    """Fit an encoder to X, and what it makes of it."""
    takes = has_fit_parameter(encoder, "sample_weight")
    weights = {"sample_weight": sample_weight} if takes else {}
    try:
        encoder.fit(X, **weights)
    except Exception as error:
        if type(encoder) is TableEncoder or not _fits_with(y, encoder, X, weights):
            raise
        raise ValueError(LOOKS_AT_Y) from error
    return encoded(encoder, X)


def _fits_with(y, encoder, X, weights):
    """Whether y is what an encoder has missed."""
    try:
        clone(encoder).fit(X, y, **weights)
    except Exception:
        return False
    return True


def encoded(encoder, X):
    """What a fitted encoder makes of X, without missing values."""
    Z = encoder.transform(X)
    if type(encoder) is not TableEncoder and len(missing := _with_missing(Z)):
        names = list(Z.columns) if is_frame(Z) else range(Z.shape[1])
        columns = ", ".join(f"column {names[j]!r}" for j in missing[:5])
        more = f" and {len(missing) - 5} more" * (len(missing) > 5)
        raise ValueError(LEAVES_MISSING.format(columns=columns + more))
    return Z


def _with_missing(Z):
    """Indices of the columns with missing numbers; what else may be wrong is told later."""
    if sp.issparse(Z):
        return np.flatnonzero(np.isnan(np.asarray(Z.sum(axis=0)).ravel()))
    if not is_frame(Z):
        of_floats = getattr(Z, "ndim", 0) == 2 and Z.dtype.kind == "f"
        return np.flatnonzero(np.isnan(Z).any(axis=0)) if of_floats else []
    columns = reader(Z)
    numbers = [j for j in range(Z.shape[1]) if columns.kind(j) == NUMBER]
    return [j for j in numbers if np.isnan(columns.numbers(j)).any()]
