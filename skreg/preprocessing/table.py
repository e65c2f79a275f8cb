"""TableEncoder: from data frames and arrays to the array that a network is trained on."""

from collections import Counter
from functools import partial
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, Options, RealNotInt, StrOptions
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from skreg.common import all_or_nothing, warn
from skreg.preprocessing.categories import Categories
from skreg.preprocessing.columns import CATEGORY, DATE, OTHER, is_frame, reader
from skreg.preprocessing.numeric import SCALINGS, Numbers, auto_bins

MOST_BYTES = 2**31  # of the codes, with bins by themselves


class TableEncoder(TransformerMixin, BaseEstimator):
    r"""Encode a table of numbers and categories as a dense array for a network.

    Numbers come to a common scale on which outliers are bounded, categories become columns of
    zeros and ones, and missing values the middle, with a column that marks them. The columns of
    the result stand in the order of those of X.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns are categories.

        - "from_dtype": those of strings, objects, booleans and categories in a data frame; in an
          array all columns if it holds strings, none if it holds numbers, and if it holds objects
          the columns that do not consist of numbers
        - names, indices or a boolean mask of columns
        - None: none
    numeric : {"piecewise_linear", "standard", "robust", "quantile"}, default="piecewise_linear"
        How numbers are scaled.

        - "piecewise_linear": the standard score z, bounded as :math:`z / \sqrt{1 + (z/10)^2}`, and
          beside it for the edges :math:`b_0 < \dots < b_T` of bins the codes
          :math:`s\,\big(\mathrm{clip}\big((x - b_{t-1}) / (b_t - b_{t-1}), 0, 1\big) - m_t\big)`,
          :math:`t = 1, \dots, T`, where :math:`m_t` makes their mean 0 [1]_. Their size s is
          `code_scale`.
        - "standard": z = (x - mean) / standard deviation, unbounded
        - "robust": :math:`z / \sqrt{1 + (z/3)^2}` with
          :math:`z = (x - \mathrm{median}) / (q_{75} - q_{25})`, which is near z in the middle and
          within ±3. Where the quartiles are equal, those of the numbers that differ from the median
          are taken; where these are equal too, the range is the unit.
        - "quantile": the quantile of the standard normal distribution at the rank of x, within
          ±5.2, as of :class:`~sklearn.preprocessing.QuantileTransformer` with all rows and up to
          1000 quantiles. Ties have the middle of their ranks, also at the ends.
    n_bins : int or "auto", default="auto"
        The number of bins T of each column for "piecewise_linear", at least 2. Bins hold about as
        many rows each; a value that alone would fill a bin is an edge, and the others are divided
        into the bins that are left, so that a column of zeros keeps its tail. With T + 1 values or
        fewer all of them are edges. "auto" is `clip(n // 250, 8, 32)` with n the number of training
        rows where the column is known: 8 up to 2,000 rows, 32 from 8,000 on; fewer where the codes
        of all columns would take more than 2 GiB.
    code_scale : float, default=0.1
        The size s of the codes for "piecewise_linear", in (0, inf): 0.1 is for smooth relations and
        up to some thousand rows, 1 for what jumps within a column, where rows are many.
    min_frequency : int, float or None, default=3
        A category in fewer rows is rare: an int is a number of rows, a float in (0, 1) a share.
    max_categories : int or None, default=100
        The largest number of columns for the categories of one column. The rare ones, and the
        least frequent ones that are too many, have one column together.
    missing_indicator : bool, default=True
        Whether a column marks the missing values of each column that has any in the training rows.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Number type of the result.

    Attributes
    ----------
    is_categorical_ : ndarray of bool of shape (n_features,)
        Which columns are categories.
    categories_ : list of length n_features
        For each column its categories, sorted, or None where it holds numbers.
    encoders_ : list of length n_features
        What is known of each column.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X has names that are strings.

    Raises
    ------
    ValueError
        If a column holds dates, infinite numbers, or texts where numbers are expected; the message
        names it.

    Warns
    -----
    UserWarning
        If a column has more than 100 categories and more than 40 % of its values are distinct.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Other encodings of other columns.

    Notes
    -----
    A missing number is 0 in all columns but the one that marks it. A column that is constant in
    the training rows stays as 0, so that no names depend on it. Where no value is known, all are 0.

    A category that is not known from the training rows counts as a rare one. Where there are none,
    it is 0 in all columns, as a missing value is where the training rows have none. Missing values
    are never pooled. Two categories have two columns, so that an unknown one differs from both.

    With `sample_weight` a weight of 2 is a row that comes twice, and a weight of 0 one that does
    not exist: in medians, quantiles, moments, frequencies of categories and numbers of bins.
    Quantiles are those of numpy.quantile: with the numbers sorted and repeated as often as their
    weights say, the mean between the places h and h + 1, where h = share * (n - 1) and n is the sum
    of the weights; for fractions of rows [2]_. Where the weights sum to less than Kish's number of
    rows :math:`(\sum s)^2 / \sum s^2`, they are scaled to it.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko (2022). On embeddings for numerical features in
       tabular deep learning. Advances in Neural Information Processing Systems 35. Their codes are
       neither centered nor scaled, and the first and last are not clipped; here the value beside
       them says what lies beyond the edges.
    .. [2] Akinshin, A. (2023). Weighted quantile estimators. arXiv:2304.07265.

    Examples
    --------
    >>> import pandas as pd
    >>> from skreg.preprocessing import TableEncoder
    >>> X = pd.DataFrame({"age": [20, 30, None, 40], "town": ["Bonn", "Rome", "Rome", "Bonn"]})
    >>> encoder = TableEncoder(numeric="robust", min_frequency=1).fit(X)
    >>> encoder.get_feature_names_out().tolist()
    ['age', 'age_missing', 'town_Bonn', 'town_Rome']
    >>> encoder.transform(X).round(2)
    array([[-0.95,  0.  ,  1.  ,  0.  ],
           [ 0.  ,  0.  ,  0.  ,  1.  ],
           [ 0.  ,  1.  ,  0.  ,  1.  ],
           [ 0.95,  0.  ,  1.  ,  0.  ]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "numeric": [StrOptions(set(SCALINGS))],
        "n_bins": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left")],
        "code_scale": [Interval(Real, 0, None, closed="neither")],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "missing_indicator": ["boolean"],
        "dtype": [Options(type, {np.float32, np.float64}), StrOptions({"float32", "float64"})],
    }

    def __init__(
        self,
        *,
        categorical_features="from_dtype",
        numeric="piecewise_linear",
        n_bins="auto",
        code_scale=0.1,
        min_frequency=3,
        max_categories=100,
        missing_indicator=True,
        dtype=np.float32,
    ):
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.n_bins = n_bins
        self.code_scale = code_scale
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.missing_indicator = missing_indicator
        self.dtype = dtype

    def fit(self, X, y=None, sample_weight=None):
        """Learn scales and categories.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            A frame of pandas or polars, or an array of numbers, strings or objects.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, not negative.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        with all_or_nothing(self):
            columns = self._columns(X, reset=True)
            weight = row_weights(sample_weight, columns.n_rows)
            self.is_categorical_ = self._marked(columns)
            self._check_kinds(columns)
            fitted = [self._fit_column(columns, j, weight) for j in range(self.n_features_in_)]
            self.encoders_, self.categories_ = fitted, [encoder.categories for encoder in fitted]
        return self

    def transform(self, X):
        """Encode the rows of X.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The columns of the fit in their order.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out)
            The encoded rows, without missing values; a data frame with `set_output`.
        """
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        self._check_kinds(columns)
        blocks = self._blocks()
        out = np.zeros((columns.n_rows, blocks[-1].stop), dtype=self.dtype)
        for j, (encoder, block) in enumerate(zip(self.encoders_, blocks, strict=True)):
            part = out[:, block]
            if self.is_categorical_[j]:
                encoder.write(*columns.levels(j), part)
            else:
                encoder.write(self._numbers(columns, j), part)
        return out

    def _blocks(self):
        """For each column of X those of the result that depend on it, and on nothing else."""
        ends = np.cumsum([encoder.width for encoder in self.encoders_]).tolist()
        return [slice(*pair) for pair in pairwise([0, *ends])]

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the result.

        A number has the name of its column, with "_bin1" and so on for its codes; a category
        the name of the column and its own; then "_infrequent_sklearn" and "_missing". A name that
        is there already gets a number.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), optional
            Names of the columns, which must be those of the fit if that had any.

        Returns
        -------
        names : ndarray of str objects of shape (n_features_out,)
            In the order of the columns that `transform` returns.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        pairs = zip(self.encoders_, names, strict=True)
        return distinct([full for encoder, name in pairs for full in encoder.names(name)])

    # ------------------------------------------------------------------------- columns

    def _columns(self, X, *, reset):
        """X, checked, column by column."""
        if is_frame(X):
            if 0 in X.shape:
                raise ValueError(
                    f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) (shape="
                    f"{X.shape}) while a minimum of 1 is required by {type(self).__name__}."
                )
            validate_data(self, X, reset=reset, skip_check_array=True)
            return reader(X)
        checks = {"ensure_all_finite": False, "reset": reset}
        checked = validate_data(self, X, dtype=None, **checks)
        if checked.dtype.kind in "US" and not hasattr(X, "dtype"):
            checked = validate_data(self, X, dtype=object, **checks)  # lists of both kinds
        return reader(checked)

    def _fit_column(self, columns, j, weight):
        """What is known of column j; rows of weight 0 do not exist."""
        missing = self.missing_indicator
        rows = slice(None) if weight is None or weight.all() else weight > 0
        weight = weight if weight is None else weight[rows]
        if not self.is_categorical_[j]:
            x = self._numbers(columns, j)[rows]
            try:
                n_bins = self._auto_bins(columns) if self.n_bins == "auto" else self.n_bins
                codes = {"n_bins": n_bins, "scale": self.code_scale}
                return Numbers(x, weight, self.numeric, missing, **codes)
            except ValueError as error:
                raise ValueError(f"Column {self._name(j)!r} {error}. Scale it.") from error
        codes, levels = columns.levels(j)
        limits = self.min_frequency, self.max_categories
        encoder = Categories(codes[rows], levels, weight, *limits, missing)
        if encoder.is_text:
            self._warn_of_text(j, len(encoder.categories), columns.n_rows)
        return encoder

    def _auto_bins(self, columns):
        """The number of bins of a column, by its number of known rows."""
        of_one_bin = columns.n_rows * np.sum(~self.is_categorical_) * np.dtype(self.dtype).itemsize
        return partial(auto_bins, most=MOST_BYTES // of_one_bin)

    def _warn_of_text(self, j, n_categories, n_rows):
        warn(
            f"Column {self._name(j)!r} has {n_categories} categories in {n_rows} rows: it looks "
            "like free text or an identifier, of which one-hot columns say little. Drop it, or "
            "encode it before, with skrub's StringEncoder or TableVectorizer, or with "
            "scikit-learn's TargetEncoder."
        )

    def _numbers(self, columns, j):
        """Column j as float64, NaN where it is missing."""
        try:
            x = columns.numbers(j)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {self._name(j)!r} is not numeric: {error}. Add it to "
                'categorical_features, or use categorical_features="from_dtype".'
            ) from error
        if np.isinf(x).any():
            raise ValueError(
                f"Column {self._name(j)!r} holds infinity. Replace infinite numbers by NaN if they "
                "are missing, or by the largest number that makes sense."
            )
        return x

    def _name(self, j):
        return _check_feature_names_in(self, None)[j]

    # ------------------------------------------------------------------------- kinds

    def _marked(self, columns):
        """The mask of categories."""
        if isinstance(self.categorical_features, str):
            kinds = [columns.kind(j) for j in range(self.n_features_in_)]
            return np.array([kind == CATEGORY for kind in kinds])
        return self._given_mask()

    def _check_kinds(self, columns):
        """Refuse what has no code; dates may be categories where that is said."""
        said = not isinstance(self.categorical_features, str)
        for j, is_category in enumerate(self.is_categorical_):
            kind = columns.kind(j)
            if kind == DATE and not (said and is_category):
                raise ValueError(
                    f"Column {self._name(j)!r} holds dates or times, which have no scale of their "
                    "own. Make numbers of them, with skrub's TableVectorizer or DatetimeEncoder, "
                    "or drop the column."
                )
            if kind == OTHER:
                raise ValueError(
                    f"Column {self._name(j)!r} holds neither numbers nor categories, but complex "
                    "numbers, lists, structures or bytes. Make columns of it, or drop it."
                )

    def _given_mask(self):
        """The mask that indices, names or a mask in `categorical_features` stand for."""
        given = np.asarray([] if self.categorical_features is None else self.categorical_features)
        n = self.n_features_in_
        mask = np.zeros(n, dtype=bool)
        if given.size == 0:
            return mask
        if given.dtype.kind == "b" and given.shape == (n,):
            return given.copy()
        if given.dtype.kind in "iu" and given.min() >= -n and given.max() < n:
            mask[given] = True
            return mask
        names = getattr(self, "feature_names_in_", np.array([], dtype=object))
        if given.dtype.kind in "UO" and np.isin(given.astype(object), names).all():
            return np.isin(names, given.astype(object))
        raise ValueError(
            f"categorical_features={self.categorical_features!r} fits none of: indices of the "
            f"{n} columns, a mask of this length, names of columns of a data frame X."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []  # the parameter dtype says it
        return tags


def row_weights(sample_weight, n_rows):
    """Weights in float64, or None."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, np.empty((n_rows, 0)), dtype=np.float64)
    if weight.min() < 0 or not weight.any():
        raise ValueError("sample_weight must not be negative, nor 0 for all rows.")
    return weight


def distinct(names):
    """Names of which none comes twice."""
    used, counts = set(names), Counter()
    for i, name in enumerate(names):
        counts[name] += 1
        if counts[name] == 1:
            continue
        while (new := f"{name}_{counts[name]}") in used:
            counts[name] += 1
        names[i] = new
        used.add(new)
    return np.array(names, dtype=object)
