"""Encoders of others: skrub's, those that leave missing values, and those that need y."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)

from skreg import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableEncoder,
    TabularClassifier,
    TabularRegressor,
)

NET = {"hidden_layer_sizes": (16,), "max_iter": 40, "learning_rate_init": 0.01, "batch_size": 32}
FAST = {**NET, "cv": 3, "random_state": 0}

# Short trainings, of networks that are not the subject here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*networks reached max_iter"),
    pytest.mark.filterwarnings("ignore:.*Maximum iterations"),
]
FRAMES = pytest.mark.parametrize("library", ["pandas", "polars"])


def dated(n=300, seed=0):
    """Numbers with holes, categories, dates, and free texts; y follows the dates and the texts."""
    rng = np.random.RandomState(seed)
    day = rng.randint(0, 1000, n)
    colour = rng.choice(["red", "blue"], n)
    cloth = rng.choice(["wool", "silk"], n)
    text = [f"{i} {cloth[i]} {colour[i]}" for i in range(n)]
    X = pd.DataFrame(
        {
            "size": np.where(rng.rand(n) < 0.1, np.nan, rng.randn(n)),
            "town": rng.choice(["Rome", "Bonn", "Oslo"], n),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"),
            "text": text,
        }
    )
    y = day / 300 + 2.0 * (colour == "red") + 0.1 * rng.randn(n)
    return X, y


def of_library(X, library):
    return X if library == "pandas" else pytest.importorskip("polars").from_pandas(X)


# ------------------------------------------------------------------------------------ skrub


@FRAMES
@pytest.mark.parametrize("low_cardinality", [None, "passthrough"])
def test_table_vectorizer_in_front(library, low_cardinality):
    """Of a model on tables: what is missing, and categories, are left to our encoder."""
    skrub = pytest.importorskip("skrub")
    options = {} if low_cardinality is None else {"low_cardinality": low_cardinality}
    X, y = dated()
    X = of_library(X, library)
    regressor = make_pipeline(skrub.TableVectorizer(**options), TabularRegressor(**FAST))
    assert regressor.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.7
    labels = np.where(y > 2, "late", "early")
    classifier = make_pipeline(skrub.TableVectorizer(**options), TabularClassifier(**FAST))
    assert classifier.fit(X[:200], labels[:200]).score(X[200:], labels[200:]) > 0.75


@FRAMES
def test_table_vectorizer_as_the_encoder(library):
    """With a TableEncoder behind it; the columns that are asked for are those of the table."""
    skrub = pytest.importorskip("skrub")
    X, y = dated()
    X = of_library(X, library)
    encoder = make_pipeline(skrub.TableVectorizer(), TableEncoder())
    model = TabularRegressor(**FAST, encoder=encoder).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.7
    assert isinstance(model.feature_names_in_, np.ndarray)
    assert list(model.feature_names_in_) == list(X.columns)
    result = model.permutation_importances(X[:200], y[:200], n_repeats=2, random_state=0)
    size, town, when, text = result.importances_mean
    assert min(when, text) > 0.2 > 2 * max(abs(size), abs(town))


@FRAMES
def test_table_vectorizer_before_networks(library):
    """In a pipeline, its numbers scaled; ensembles know the names of its columns."""
    skrub = pytest.importorskip("skrub")
    X, y = dated()
    X = of_library(X, library)
    for network in (
        MLPRegressor(**NET, standardize_y=True, random_state=0),
        FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), cv=3, random_state=0),
    ):
        for scaled in ([TableEncoder()], [SimpleImputer(), StandardScaler()]):
            model = make_pipeline(skrub.TableVectorizer(), *scaled, network)
            assert model.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.6
    labels, whole = y > 2, X.drop("size") if library == "polars" else X.drop(columns="size")
    for network in (
        MLPClassifier(**NET, random_state=0),
        FoldEnsembleClassifier(MLPClassifier(**NET), cv=3, random_state=0),
    ):
        model = make_pipeline(skrub.TableVectorizer(datetime="drop"), network)
        model.fit(whole[:200], labels[:200]).predict_proba(whole[200:])
        assert model[-1].feature_names_in_[0].startswith("town")


@FRAMES
def test_table_vectorizer_alone_leaves_holes(library):
    skrub = pytest.importorskip("skrub")
    X, y = dated()
    model = TabularRegressor(**FAST, encoder=skrub.TableVectorizer())
    with pytest.raises(ValueError, match=r"missing values in column 'size', .*TableEncoder\(\)"):
        model.fit(of_library(X, library), y)


# --------------------------------------------------------------------------- missing values


@pytest.mark.parametrize("make", ["default", "pandas", "polars", "sparse"])
def test_holes_that_an_encoder_leaves_are_told(make):
    """In fit and in predict, of the column, with what to do; that does help."""
    X = np.random.RandomState(0).randn(100, 3)
    holes = X.copy()
    holes[::7, 1] = np.nan
    if make == "polars":
        pytest.importorskip("polars")
    if make == "sparse":
        encoder = make_pipeline(FunctionTransformer(sp.csr_array), MaxAbsScaler())
    else:
        encoder = StandardScaler().set_output(transform=make)
    model = TabularRegressor(**FAST, encoder=encoder)
    named = "'x1'" if make in ("pandas", "polars") else "1"
    message = f"missing values in column {named}, .*make_pipeline.*SimpleImputer"
    with pytest.raises(ValueError, match=message):
        model.fit(holes, X[:, 0])
    assert not hasattr(model, "encoder_")
    model.fit(X, X[:, 0])
    for call in (model.predict, lambda X: model.score(X, X[:, 0])):
        with pytest.raises(ValueError, match=message):
            call(holes)
    for more in (TableEncoder(), SimpleImputer()):
        whole = make_pipeline(StandardScaler(), more)
        assert np.isfinite(model.set_params(encoder=whole).fit(holes, X[:, 0]).predict(holes)).all()


def test_many_holes_are_not_listed_all():
    X = np.full((50, 9), np.nan)
    X[:, :2] = np.random.RandomState(0).randn(50, 2)
    with pytest.raises(ValueError, match="column 6 and 2 more, which"):
        TabularRegressor(**FAST, encoder=FunctionTransformer()).fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda X: np.where(X > 0, np.inf, X), "infinity"),
        (lambda X: np.where(X > 0, "a", "b"), "could not convert string|must hold numbers"),
        (lambda X: X[:, 0], "2D array, got 1D array"),
    ],
)
def test_other_things_that_an_encoder_makes(made, message):
    """Are told as those of any X."""
    X = np.random.RandomState(0).randn(50, 2)
    with pytest.raises(ValueError, match=message):
        TabularRegressor(**FAST, encoder=FunctionTransformer(made)).fit(X, X[:, 0])


# ------------------------------------------------------------------------- encoders with y


def numbers_and_towns():
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"town": rng.choice(["Rome", "Bonn", "Oslo"], 90), "size": rng.randn(90)})
    return X, np.where(X["town"] == "Rome", "a", "b")


@pytest.mark.parametrize(
    ("encoder", "columns"),
    [
        (TargetEncoder(), ["town"]),
        (make_pipeline(TargetEncoder(), StandardScaler()), ["town"]),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), TargetEncoder()), ["town"]),
        (make_column_transformer((TargetEncoder(), ["town"]), (StandardScaler(), ["size"])), None),
        (SelectKBest(k=1), ["size"]),
        (LinearDiscriminantAnalysis(), ["size"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_encoder_that_needs_y_is_told(encoder, columns):
    """With the reason, and where it belongs."""
    X, y = numbers_and_towns()
    X = X if columns is None else X[columns]
    with pytest.raises(ValueError, match=r"needs y.*fitted once.*make_pipeline\(encoder, model\)"):
        TabularClassifier(**FAST, encoder=encoder).fit(X, y)
    make_pipeline(encoder, TabularClassifier(**FAST)).fit(X, y).predict(X)


def test_other_errors_of_an_encoder_stay():
    """Those that y does not mend, and those of ours."""
    X, y = numbers_and_towns()
    with pytest.raises(ValueError, match=r"could not convert string to float: '(Rome|Bonn|Oslo)'"):
        TabularClassifier(**FAST, encoder=StandardScaler()).fit(X, y)
    calls = []

    class Refusing(FunctionTransformer):
        def fit(self, X, y=None):
            calls.append(y)
            raise RuntimeError("no license")

    with pytest.raises(RuntimeError, match="no license"):
        TabularClassifier(**FAST, encoder=Refusing()).fit(X, y)
    assert len(calls) == 2
    with pytest.raises(ValueError, match="'when' holds dates"):
        TabularClassifier(**FAST).fit(X.assign(when=pd.Timestamp("2026-01-01")), y)


def test_encoders_see_no_y():
    """Whatever they would do with it."""
    X, y = numbers_and_towns()
    seen = []

    class Curious(OneHotEncoder):
        def fit(self, X, y=None):
            seen.append(y)
            return super().fit(X)

    TabularClassifier(**FAST, encoder=Curious(sparse_output=False)).fit(X[["town"]], y)
    assert seen == [None]
