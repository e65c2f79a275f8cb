"""Splits: which rows each member of an ensemble holds out."""

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import check_classification_targets, type_of_target


def splits_of(cv, n_repeats, labels, n_rows, random_state, *, weight=None, arguments=None):
    """A list of (train, held_out), indices of rows.

    Parameters
    ----------
    cv : int, splitter, or iterable of splits
        A number of folds is at most that of the rows of the largest class.
    n_repeats : int
        How often rows are divided anew, for a number of folds.
    labels : ndarray of shape (n_rows,) or None
        Classes, which each fold holds in proportion.
    n_rows : int
    random_state : RandomState
    weight : ndarray of shape (n_rows,), optional
        Rows without weight are no rows: a number of folds does not hold them out.
    arguments : dict, optional
        X, y and metadata for the `split` of a splitter.
    """
    if not isinstance(cv, (int, np.integer)):
        splits = check_cv(cv).split(**arguments)
        found = [tuple(_indices(part, n_rows) for part in split) for split in splits]
        if not found or any(not len(part) for split in found for part in split):
            raise ValueError(
                f"cv={cv!r} must give splits with rows to train on and rows to hold out."
            )
        return found
    counted = np.arange(n_rows) if weight is None else np.flatnonzero(weight)
    n_counted, labels = len(counted), None if labels is None else labels[counted]
    if labels is None and n_counted < 2:
        raise ValueError(f"cv={cv} folds need at least two rows, got n_samples={n_counted}.")
    largest = n_counted if labels is None else int(np.bincount(labels).max())
    n_folds = min(int(cv), largest)
    if n_folds < 2:
        raise ValueError(
            f"cv={cv} folds need at least two rows of a class, but with n_samples={n_counted} each "
            "is alone in its class."
        )
    splits = []
    for _ in range(n_repeats):
        fold = np.full(n_rows, -1)
        fold[counted] = _folds(n_folds, labels, n_counted, random_state)
        splits += [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
    return splits


def strata_of(y):
    """Labels from 0 on that folds hold in proportion, or None for several labels a row."""
    check_classification_targets(y)
    if type_of_target(y).startswith("multilabel"):
        return None
    return np.unique(np.asarray(y), return_inverse=True)[1].ravel()


def check_split_metadata(cv, params):
    """Errors for metadata that a number of folds, or a list of splits, has no use for."""
    passed = sorted(name for name, value in params.items() if value is not None)
    if passed and not hasattr(cv, "split"):
        raise TypeError(
            f"fit got {', '.join(passed)}, for which cv has no use. Pass a splitter, such as "
            "GroupKFold, as cv."
        )


def _indices(part, n_rows):
    """Of rows; a mask names them by its place."""
    part = np.asarray(part)
    if part.dtype == bool and len(part) == n_rows:
        return np.flatnonzero(part)
    if part.dtype.kind not in "iu":
        raise ValueError(
            f"cv must hold indices of rows, or masks of all {n_rows} rows, got {part.dtype} of "
            f"length {len(part)}."
        )
    return part


def _folds(n_folds, labels, n_rows, random_state):
    """The fold of each row, dealt out class by class; -1 for rows that are alone, which train."""
    rows = random_state.permutation(n_rows)
    fold = np.empty(n_rows, int)
    if labels is None:
        fold[rows] = np.arange(n_rows) % n_folds
        return fold
    rows = rows[np.argsort(labels[rows], kind="stable")]
    alone = np.bincount(labels)[labels] == 1
    dealt = rows[~alone[rows]]
    fold[dealt] = np.arange(len(dealt)) % n_folds
    fold[alone] = -1
    return fold
