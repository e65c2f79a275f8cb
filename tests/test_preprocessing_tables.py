"""TableEncoder and every kind of table; names, output, copies; its place in pipelines."""

import doctest
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skreg
from skreg import MLPClassifier
from skreg.preprocessing import TableEncoder, table

pd = pytest.importorskip("pandas")

MODES = ["robust", "standard", "quantile", "piecewise_linear"]


@pytest.fixture
def frame(mixed_table):
    """Numbers, strings, categories and booleans, with missing values; a copy."""
    return mixed_table.copy()


def as_arrow(frame):
    pytest.importorskip("pyarrow")
    return frame.astype({"grade": object}).convert_dtypes(dtype_backend="pyarrow")


def as_dictionary(frame):
    pa = pytest.importorskip("pyarrow")
    return frame.astype({"grade": pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))})


def as_polars(frame):
    pl = pytest.importorskip("polars")
    return pl.DataFrame({name: [None if pd.isna(v) else v for v in frame[name]] for name in frame})


def as_enum(frame):
    X, pl = as_polars(frame), pytest.importorskip("polars")
    return X.cast({"grade": pl.Enum(["x", "c", "a", "b"]), "town": pl.Categorical})


def as_nan(frame):
    X, pl = as_polars(frame), pytest.importorskip("polars")
    return X.with_columns(pl.col("income").fill_null(float("nan")))


KINDS = {
    "nullable": lambda frame: frame.convert_dtypes(),
    "objects": lambda frame: frame.astype({"grade": object, "town": object}),
    "array": lambda frame: frame.astype(object).to_numpy(),
    "arrow": as_arrow, "dictionary": as_dictionary,
    "polars": as_polars, "enum": as_enum, "nan": as_nan,
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_container_is_the_same(frame, kind, mode):
    """The result does not depend on who holds the table, in fit or in transform."""
    X = KINDS[kind](frame)
    expected = TableEncoder(numeric=mode).fit(frame)
    encoder = TableEncoder(numeric=mode).fit(X)
    assert_array_equal(encoder.transform(X), expected.transform(frame))
    if kind != "array":
        assert_array_equal(encoder.get_feature_names_out(), expected.get_feature_names_out())
        assert_array_equal(expected.transform(X), expected.transform(frame))


def test_decimals_and_numbers_as_categories():
    """Arrow's and polars' decimals are numbers; integers may be marked, with missing values."""
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    values = [1.5, None, 2.25, 4.0]
    expected = TableEncoder().fit_transform(np.array([1.5, np.nan, 2.25, 4])[:, None])
    decimal = pd.DataFrame({"a": pd.Series(values).astype(pd.ArrowDtype(pa.decimal128(6, 2)))})
    assert_array_equal(TableEncoder().fit_transform(decimal), expected)
    decimal = pl.DataFrame({"a": values}).cast(pl.Decimal(6, 2))
    assert_array_equal(TableEncoder().fit_transform(decimal), expected)
    marked = TableEncoder(categorical_features=[0], min_frequency=1)
    codes = [3, None, 1, 3]
    for X in (
        pl.DataFrame({"a": codes}),
        pl.DataFrame({"a": codes}).cast(pl.Float32),
        pd.DataFrame({"a": codes}, dtype="Int64"),
        pd.DataFrame({"a": codes}),
        np.array(codes, dtype=float)[:, None],
        np.array(codes, dtype=object)[:, None],
    ):
        assert_array_equal(marked.fit_transform(X), [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_booleans_and_columns_of_nothing():
    """Missing booleans are missing; a column without a value is missing everywhere."""
    pl = pytest.importorskip("polars")
    flags, nothing = [True, None, False, True], [None] * 4
    expected = [[0, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1]]
    encoder = TableEncoder(min_frequency=1)
    for X in (
        pl.DataFrame({"a": flags, "b": nothing}),
        pd.DataFrame({"a": flags, "b": nothing}),
        pd.DataFrame({"a": flags, "b": nothing}).astype({"a": "boolean"}),
    ):
        assert_array_equal(encoder.fit_transform(X), expected)


def test_lists_of_both_kinds():
    """As OneHotEncoder reads them: numbers beside strings stay numbers."""
    rows = [[1, "a"], [2, "b"], [4, "a"], [None, "b"]]
    encoder = TableEncoder(numeric="standard", min_frequency=1).fit(rows)
    names = ["x0", "x0_missing", "x1_a", "x1_b"]
    assert encoder.get_feature_names_out().tolist() == names
    strings = TableEncoder(min_frequency=1).fit(np.array([["1", "a"], ["2", "b"]]))
    assert strings.is_categorical_.all()


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, ">f8"])
def test_arrays_of_numbers_have_no_categories(dtype):
    X = np.random.RandomState(0).randint(0, 2, (30, 3)).astype(dtype)
    encoder = TableEncoder().fit(X)
    assert not encoder.is_categorical_.any()
    expected = TableEncoder().fit_transform(X.astype(float))
    assert_array_equal(encoder.transform(np.asfortranarray(X)), expected)
    assert_array_equal(TableEncoder().fit_transform(np.repeat(X, 2, axis=0)[::2]), expected)


def table_of(days):
    return pd.DataFrame({"n": range(4), "day": days})


def arrow_dates(kind):
    return lambda days: table_of(days).astype({"day": f"{kind}[pyarrow]"})


DATES = {
    "pandas": table_of,
    "zone": lambda days: table_of(days.tz_localize("UTC")),
    "delta": lambda days: table_of(days - days[0]),
    "period": lambda days: table_of(days.to_period("M")),
    "objects": lambda days: table_of(days.date).astype(object),
    "array": lambda days: table_of(days).astype(object).to_numpy(),
    "polars": lambda days: pytest.importorskip("polars").DataFrame({"n": 1, "day": days.date}),
    "arrow date": arrow_dates("date32[day]"),
    "arrow time": arrow_dates("timestamp[us]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_refused(kind):
    if "arrow" in kind:
        pytest.importorskip("pyarrow")
    X = DATES[kind](pd.date_range("2026-01-01", periods=4))
    name = "x1" if kind == "array" else "day"
    with pytest.raises(ValueError, match=rf"Column '{name}' holds dates.*DatetimeEncoder"):
        TableEncoder().fit(X)


def test_dates_are_refused_later_too():
    """Where a number or a category was; unless they are said to be categories."""
    days = pd.DataFrame({"a": pd.date_range("2026-01-01", periods=3)})
    for X in (pd.DataFrame({"a": [1, 2, 3]}), pd.DataFrame({"a": ["u", "v", "w"]})):
        with pytest.raises(ValueError, match=r"Column 'a' holds dates"):
            TableEncoder().fit(X).transform(days)
    marked = TableEncoder(categorical_features=["a"], min_frequency=1)
    assert_array_equal(marked.fit_transform(days), np.eye(3))


def test_what_is_no_table():
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"Column 'a' holds neither"):
        TableEncoder().fit(pl.DataFrame({"a": [[1, 2], [3]]}))
    pa = pytest.importorskip("pyarrow")
    lists = pd.Series([[1, 2], [3]], dtype=pd.ArrowDtype(pa.list_(pa.int8())))
    with pytest.raises(ValueError, match=r"Column 'a' holds neither"):
        TableEncoder().fit(pd.DataFrame({"a": lists}))
    with pytest.raises(TypeError, match=r"Sparse data was passed"):
        TableEncoder().fit(sparse.eye(3, format="csr"))
    for empty in (pd.DataFrame({"a": []}), pd.DataFrame(index=range(3)), pl.DataFrame()):
        with pytest.raises(ValueError, match=r"minimum of 1 is required by TableEncoder"):
            TableEncoder().fit(empty)


# ------------------------------------------------------------------------- the contract


def test_feature_names_are_checked(frame):
    encoder = TableEncoder().fit(frame)
    assert encoder.n_features_in_ == 5
    assert_array_equal(encoder.feature_names_in_, frame.columns)
    for other in (frame[frame.columns[::-1]], frame.drop(columns="age")):
        with pytest.raises(ValueError, match=r"feature names should match"):
            encoder.transform(other)
    with pytest.raises(ValueError, match=r"input_features is not equal"):
        encoder.get_feature_names_out(["a", "b", "c", "d", "e"])


def test_names_of_columns():
    X = pd.DataFrame({"a": ["b_c", "b_c"], "a_b": ["c", "c"], "n": [1.0, 2.0]})
    X = pd.concat([X, X.assign(n=3.0)])
    encoder = TableEncoder(min_frequency=1, numeric="piecewise_linear", n_bins=2).fit(X)
    names = ["a_b_c", "a_b_c_2", "n", "n_bin1", "n_bin2"]
    assert encoder.get_feature_names_out().tolist() == names
    assert table.distinct(["a", "a", "a_2", "a"]).tolist() == ["a", "a_3", "a_2", "a_4"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(frame, library):
    module = pytest.importorskip(library)
    plain = TableEncoder().fit(frame)
    found = clone(plain).set_output(transform=library).fit_transform(frame)
    assert isinstance(found, module.DataFrame)
    assert_array_equal(found.to_numpy(), plain.transform(frame))
    assert list(found.columns) == plain.get_feature_names_out().tolist()


@pytest.mark.parametrize("mode", MODES)
def test_pickle_clone_and_dtype(frame, mode):
    encoder = TableEncoder(numeric=mode).fit(frame)
    again = pickle.loads(pickle.dumps(encoder))
    Z = encoder.transform(frame)
    assert Z.dtype == np.float32 and Z.flags.c_contiguous
    assert_array_equal(again.transform(frame), Z)
    assert len(pickle.dumps(encoder)) < 60_000  # scales and categories, no rows
    assert clone(encoder).get_params() == encoder.get_params()
    wide = TableEncoder(numeric=mode, dtype="float64").fit_transform(frame)
    assert_array_equal(wide.astype(np.float32), Z)


def test_a_fit_that_fails_leaves_no_trace(frame):
    encoder = TableEncoder().fit(frame)
    before = encoder.transform(frame)
    with pytest.raises(ValueError, match=r"infinity"):
        encoder.fit(np.array([[1.0], [np.inf]]))
    assert_array_equal(encoder.transform(frame), before)


def test_inputs_stay(frame):
    before = frame.copy()
    TableEncoder(numeric="quantile").fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_rows_do_not_depend_on_each_other():
    """More rows than a chunk; one row alone is the same."""
    X = np.random.RandomState(9).normal(size=(40_000, 2))
    for mode in MODES:
        encoder = TableEncoder(numeric=mode).fit(X)
        Z = encoder.transform(X)
        rows = [0, 16_383, 16_384, 39_999]
        assert_array_equal(encoder.transform(X[rows]), Z[rows])


def test_in_a_search(frame):
    y = (frame["age"] > 50).to_numpy()
    mlp = MLPClassifier((4,), max_iter=300, random_state=0, solver="lbfgs", tol=1e-2)
    grid = {"tableencoder__numeric": MODES}
    search = GridSearchCV(make_pipeline(TableEncoder(), mlp), grid, cv=2).fit(frame, y)
    assert search.score(frame, y) > 0.95


def test_in_the_place_of_other_encoders(frame):
    """Of skrub's TableVectorizer, and within a ColumnTransformer."""
    skrub = pytest.importorskip("skrub")
    y = (frame["age"] > 50).to_numpy()
    mlp = MLPClassifier((4,), max_iter=300, random_state=0, solver="lbfgs", tol=1e-2)
    within = make_column_transformer((TableEncoder(), ["age", "town"]), remainder="drop")
    for step in (TableEncoder(), within, skrub.TableVectorizer()):
        pipe = make_pipeline(step, skreg.TableEncoder(), mlp)
        assert pipe.fit(frame, y).score(frame, y) > 0.9


def test_the_example_of_the_docstring():
    assert doctest.testmod(table).failed == 0
