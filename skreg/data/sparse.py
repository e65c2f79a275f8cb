"""Sparse rows that are read in Python.

The core checks the indices of the user's arrays in the copies that it makes (`data.hpp`), for
another thread may write into them. SciPy does not, and reads where it is told.
"""


def checked_copy(X):
    """A copy of a CSR or CSC matrix, as CSR, with all indices in range."""
    X = X.copy()
    try:
        X.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"X is no valid sparse matrix: {error}") from error
    return X.tocsr()
