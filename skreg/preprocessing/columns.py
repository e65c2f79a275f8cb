"""Tables of every kind, read column by column.

A reader knows `n_rows`, what a column holds by its type (`kind(j)`), its numbers in float64 with
NaN for what is missing (`numbers(j)`), and its values as codes of levels (`levels(j)`), -1 for
what is missing. Nothing here imports pandas or polars: a frame knows its own classes.
"""

import datetime
import sys
from decimal import Decimal
from numbers import Real

import numpy as np

NUMBER, CATEGORY, DATE, OTHER = "number", "category", "date", "other"

TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
MISSING = (type(None), "NAType", "NaTType")


def is_frame(X):
    """Whether X is a data frame that is read by its own types."""
    return is_polars(X) or (hasattr(X, "iloc") and hasattr(X, "dtypes") and hasattr(X, "columns"))


def is_polars(X):
    return type(X).__module__.startswith("polars") and hasattr(X, "get_columns")


def reader(X):
    """The columns of a frame, or of an array that is checked."""
    if is_polars(X):
        return PolarsColumns(X)
    return PandasColumns(X) if is_frame(X) else ArrayColumns(X)


class ArrayColumns:
    """Columns of an array of shape (n_rows, n_columns): one type, or an object each."""

    def __init__(self, X):
        self.X, self.n_rows = X, X.shape[0]

    def kind(self, j):
        if self.X.dtype.kind == "O":
            return kind_of_objects(self.X[:, j])
        return NUMBER if self.X.dtype.kind == "b" else kind_of_letter(self.X.dtype.kind)

    def numbers(self, j):
        return floats(self.X[:, j])

    def levels(self, j):
        column = self.X[:, j]
        return levels_of_objects(column) if column.dtype.kind == "O" else levels_of_array(column)


class PandasColumns:
    """Columns of a pandas data frame, with types of NumPy, nullable ones, and Arrow's."""

    def __init__(self, X):
        self.X, self.n_rows = X, X.shape[0]

    def kind(self, j):
        dtype = self.X.dtypes.iloc[j]
        made_of = getattr(dtype, "type", object)
        if str(dtype).startswith("period") or is_class(made_of, TIMES):
            return DATE
        if is_class(made_of, Decimal):
            return NUMBER
        if is_class(made_of, (list, dict)):  # Arrow's lists and structures
            return OTHER
        if dtype == np.dtype(object) and date_objects(self.X.iloc[:, j].to_numpy()):
            return DATE
        return kind_of_letter(dtype.kind)

    def numbers(self, j):
        column = self.X.iloc[:, j]
        if isinstance(column.dtype, np.dtype):
            return floats(column.to_numpy())
        if column.dtype.kind in "biuf":
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        return floats(np.asarray(column, dtype=object))

    def levels(self, j):
        column = self.X.iloc[:, j]
        if hasattr(column, "cat"):
            return column.cat.codes.to_numpy(), list(column.cat.categories)
        try:
            codes, levels = column.factorize()
        except TypeError:  # values without a hash
            return levels_of_objects(np.asarray(column, dtype=object))
        return codes, list(levels)


class PolarsColumns:
    """Columns of a polars data frame."""

    def __init__(self, X):
        self.X, self.n_rows, self.polars = X, X.shape[0], sys.modules["polars"]

    def kind(self, j):
        dtype = self.X.dtypes[j]
        if dtype.is_temporal():
            return DATE
        if dtype.is_nested() or dtype == self.polars.Binary:
            return OTHER
        if dtype == self.polars.Object:
            return kind_of_objects(self.X.to_series(j).to_numpy())
        return NUMBER if dtype.is_numeric() else CATEGORY

    def numbers(self, j):
        column, dtype = self.X.to_series(j), self.X.dtypes[j]
        if dtype.is_decimal() or dtype == self.polars.Boolean:
            column = column.cast(self.polars.Float64)
        return floats(column.to_numpy())

    def levels(self, j):
        column, dtype = self.X.to_series(j), self.X.dtypes[j]
        if dtype == self.polars.Object:
            return levels_of_objects(column.to_numpy())
        codes = column
        if dtype == self.polars.String:
            codes = column.cast(self.polars.Categorical)
        if dtype in (self.polars.Boolean, self.polars.Null):
            codes = column.cast(self.polars.Int8)
        if dtype.is_float():
            codes = column.fill_nan(None)
        codes = codes.to_physical()
        missing = codes.is_null().to_numpy()
        return levels_of_codes(codes.fill_null(strategy="zero").to_numpy(), missing, column)


def kind_of_letter(letter):
    """What a column holds whose type has this letter in NumPy."""
    if letter in "iuf":
        return NUMBER
    return DATE if letter in "mM" else OTHER if letter == "c" else CATEGORY


def kind_of_objects(values):
    """Numbers where there is nothing else, and categories otherwise."""
    types = {kind for kind in set(map(type, values)) if not is_missing_type(kind)}
    if any(is_class(kind, TIMES) for kind in types):
        return DATE
    numbers = all(is_class(kind, (Real, Decimal)) and kind is not bool for kind in types)
    return NUMBER if numbers else CATEGORY


def date_objects(values):
    """Whether the first known value is a date or a time."""
    first = next((v for v in values if not is_missing(v)), None)
    return isinstance(first, TIMES)


def is_class(kind, known):
    return isinstance(kind, type) and issubclass(kind, known)


def is_missing_type(kind):
    return kind in MISSING or kind.__name__ in MISSING


def is_missing(value):
    """None, NaN, and the missing values of pandas."""
    return is_missing_type(type(value)) or (isinstance(value, Real) and value != value)


def floats(values):
    """Values as float64, NaN where they are missing; the values themselves if they are that."""
    if values.dtype.kind == "O":
        missing = np.fromiter(map(is_missing, values), dtype=bool, count=len(values))
        values = np.where(missing, np.nan, values)
    return values.astype(np.float64, copy=False)


def levels_of_array(values):
    """Codes of the values of an array of one type."""
    if values.dtype.kind != "f":
        levels, codes = np.unique(values, return_inverse=True)
        return codes, levels.tolist()
    missing = np.isnan(values)
    return levels_of_codes(np.where(missing, 0, values), missing, values)


def levels_of_codes(numbers, missing, values):
    """Codes of values that are equal where their numbers are."""
    _, first, codes = np.unique(numbers, return_index=True, return_inverse=True)
    codes[missing] = -1
    return codes, [values[int(i)] for i in first]


def levels_of_objects(values):
    """Codes of objects; what has no hash is known by how it prints."""
    known, codes = {}, np.empty(len(values), dtype=np.intp)
    for i, value in enumerate(values):
        try:
            codes[i] = -1 if is_missing(value) else known.setdefault(value, len(known))
        except TypeError:
            codes[i] = known.setdefault(repr(value), len(known))
    return codes, list(known)
