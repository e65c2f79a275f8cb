"""Data frames with columns of categories: to numbers and back.

Nothing here imports pandas: a frame knows its own classes.
"""

import numpy as np


def is_frame(X):
    """Whether X is a pandas data frame."""
    return hasattr(X, "iloc") and hasattr(X, "dtypes") and hasattr(X, "columns")


def category_columns(X):
    """Positions of the columns with the data type "category"; none where X is no data frame."""
    if not is_frame(X):
        return []
    return [j for j, dtype in enumerate(X.dtypes) if str(dtype) == "category"]


def encoded(X):
    """A frame with the codes of the categories in their place, NaN where they are missing."""
    columns = category_columns(X)
    if not columns:
        return X
    series = [X.iloc[:, j] for j in range(X.shape[1])]
    for j in columns:
        codes = series[j].cat.codes.astype(np.float64)
        series[j] = codes.where(codes >= 0)
    return type(X)(dict(zip(X.columns, series, strict=True)), index=X.index)


def rows_like(X, rows, values):
    """Rows of X with other values, in the container of X.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
    rows : ndarray of shape (n_rows,)
        The rows whose index, and whose types of categories, the result has.
    values : ndarray of shape (n_rows, n_features)
        The values, codes for categories.
    """
    if not is_frame(X):
        return values
    categories = category_columns(X)
    columns = {}
    for j, name in enumerate(X.columns):
        columns[name] = values[:, j]
        if j in categories:
            codes = np.where(np.isnan(values[:, j]), -1, values[:, j]).astype(np.int64)
            columns[name] = type(X.iloc[:, j].array).from_codes(codes, dtype=X.dtypes.iloc[j])
    return type(X)(columns, index=X.index[rows])


def joined(X, rows, values):
    """X itself with more rows below, see rows_like; float where X holds integers."""
    if not is_frame(X):
        return np.concatenate([np.asarray(X, dtype=values.dtype), values])
    everything = np.concatenate([np.asarray(encoded(X), dtype=values.dtype), values])
    return rows_like(X, np.concatenate([np.arange(len(X)), rows]), everything)
