"""Sparse rows that are read in Python.

The core checks the indices of the user's arrays in the copies that it makes (`data.hpp`), for
another thread may write into them. SciPy does not, and reads where it is told.
"""

import numpy as np
import scipy.sparse as sp


def checked_rows(X, rows):
    """A copy of some rows of a CSR matrix, with all indices in range."""
    begin, end = X.indptr[rows].astype(np.int64), X.indptr[rows + 1].astype(np.int64)
    if (begin < 0).any() or (end < begin).any() or (end > len(X.data)).any():
        raise ValueError("X is no valid sparse matrix: a row of X is out of range")
    indptr = np.concatenate([[0], np.cumsum(end - begin)])
    at = np.repeat(begin - indptr[:-1], end - begin) + np.arange(indptr[-1])
    part = sp.csr_array((X.data[at], X.indices[at], indptr), shape=(len(rows), X.shape[1]))
    return checked_copy(part)


def checked_copy(X):
    """A copy of a CSR or CSC matrix, as CSR, with all indices in range."""
    X = X.copy()
    try:
        X.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"X is no valid sparse matrix: {error}") from error
    return X.tocsr()
