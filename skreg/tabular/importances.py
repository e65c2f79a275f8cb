"""Importances of input columns: how much worse rows are predicted with one of them shuffled."""

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, _num_features, _num_samples

from skreg.data.validation import take_rows
from skreg.preprocessing import TableEncoder
from skreg.preprocessing.columns import is_polars
from skreg.tabular.encoding import encoded


def permutation_importances(
    encoder, ensemble, X, y, *, scoring, n_repeats, random_state, sample_weight
):
    """For each column of X the score as it is minus those with the column shuffled.

    Parameters
    ----------
    encoder : transformer
    ensemble : FoldEnsemble
        Fitted on what the encoder makes of X.
    X, y, sample_weight : the rows of the fit
    scoring : str, callable or None
    n_repeats : int
    random_state : RandomState

    Returns
    -------
    result : Bunch
        As of :func:`sklearn.inspection.permutation_importance`.
    """
    check_consistent_length(X, y)
    Z = ensemble._checked(encoded(encoder, X))
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, Z)
    scorer = check_scoring(ensemble, scoring=scoring)

    def score(Z):
        said, rows = ensemble._saying_of_held_out(Z)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight[rows]}
        if len(rows) < Z.shape[0]:  # for what it is worth: predictions do not depend on them
            Z = Z[rows]
        return scorer(said, Z, take_rows(y, rows), **weights)

    as_it_is = score(Z)
    shuffled = tables(encoder, ensemble, X, Z)
    importances = np.empty((_num_features(X), n_repeats))
    for column, of_column in enumerate(importances):
        orders = (random_state.permutation(_num_samples(X)) for _ in range(n_repeats))
        for repeat, table in enumerate(shuffled(column, orders)):
            of_column[repeat] = as_it_is - score(table)
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
    )


def tables(encoder, ensemble, X, Z):
    """A callable (column, orders) that yields X encoded with its column in each of the orders."""

    def anew(column, orders):
        for order in orders:
            yield ensemble._checked(encoded(encoder, with_column(X, column, order)))

    if type(encoder) is not TableEncoder:  # it may mix columns
        return anew
    blocks, Z = encoder._blocks(), np.array(Z)

    def in_place(column, orders):
        block = Z[:, blocks[column]]
        before = block.copy()
        for order in orders:
            block[...] = before[order]
            yield Z
        block[...] = before

    return in_place


def with_column(X, column, order):
    """X with the values of one column in another order; all else, its types above all, stays."""
    if hasattr(X, "isetitem"):
        X = X.copy(deep=False)
        X.isetitem(column, X.iloc[:, column].array.take(order))
        return X
    if is_polars(X):
        return X.with_columns(X.to_series(column)[order])
    if sp.issparse(X):
        return _with_sparse_column(X, column, order)
    if isinstance(X, np.ndarray):
        X = X.copy()
        X[:, column] = X[order, column]
        return X
    if isinstance(X, list | tuple):
        values = [X[i][column] for i in order]
        pairs = zip(X, values, strict=True)
        return [[*row[:column], value, *row[column + 1 :]] for row, value in pairs]
    raise TypeError(
        f"Columns of a {type(X).__name__} cannot be shuffled, which an encoder other than a "
        "TableEncoder needs. Pass a data frame of pandas or polars, or an array."
    )


def _with_sparse_column(X, column, order):
    by_columns = X.tocsc(copy=True)
    entries = slice(*by_columns.indptr[column : column + 2])
    rows = np.argsort(order)[by_columns.indices[entries]]  # to where each value goes
    ascending = np.argsort(rows, kind="stable")
    by_columns.indices[entries] = rows[ascending]
    by_columns.data[entries] = by_columns.data[entries][ascending]
    return by_columns.asformat(X.format)
