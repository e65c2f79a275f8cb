"""Permutation importances: those of encoding each shuffled column anew, for every kind of table."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score, log_loss, make_scorer
from sklearn.model_selection import KFold
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from skreg import MLPRegressor, TableEncoder, TabularClassifier, TabularRegressor
from skreg.tabular.importances import with_column

FAST = {"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.02, "cv": 3}

# Short trainings, of networks that are not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore:.*networks reached max_iter")


def table(n=200, seed=0):
    """Numbers and categories with missing values, and labels that two columns know."""
    rng = np.random.RandomState(seed)
    colour = rng.choice(["red", "green", "blue"], n)
    size, noise = rng.lognormal(size=n), rng.randn(n)
    y = np.where(3 * (colour == "red") + np.log(size) + 0.3 * rng.randn(n) > 1, "high", "low")
    X = pd.DataFrame({"colour": colour, "size": size, "noise": noise, "few": rng.rand(n) < 0.3})
    X.loc[rng.rand(n) < 0.1, "size"] = np.nan
    X.loc[rng.rand(n) < 0.1, "colour"] = None
    return X, y


def by_hand(model, X, y, score, n_repeats=2):
    """Of a frame, each shuffled column encoded; with the seed 0."""

    def score_of(X):
        predicted, known = model.ensemble_.predict_held_out(model.encoder_.transform(X))
        return score(y[known], predicted[known])

    rng, as_it_is = np.random.RandomState(0), score_of(X)
    importances = np.empty((X.shape[1], n_repeats))
    for j, column in enumerate(X):
        for repeat in range(n_repeats):
            order = rng.permutation(len(X))
            shuffled = X.assign(**{column: X[column].array[order]})
            importances[j, repeat] = as_it_is - score_of(shuffled)
    return importances


@pytest.mark.parametrize("numeric", ["piecewise_linear", "standard", "robust", "quantile"])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_shuffled_codes_are_codes_of_shuffled_columns(numeric, output):
    """Bit for bit; the table stays as it was."""
    X, y = table()
    encoder = TableEncoder(numeric=numeric).set_output(transform=output)
    model = TabularClassifier(**FAST, encoder=encoder, random_state=0).fit(X, y)
    before = X.copy()
    result = model.permutation_importances(X, y, n_repeats=2, random_state=0)
    pd.testing.assert_frame_equal(X, before)
    np.testing.assert_array_equal(result.importances, by_hand(model, X, y, accuracy_score))
    np.testing.assert_array_equal(result.importances_mean, result.importances.mean(axis=1))
    np.testing.assert_array_equal(result.importances_std, result.importances.std(axis=1))
    colour, size, noise, few = result.importances_mean
    assert min(colour, size) > 0.1 > 2 * max(abs(noise), abs(few))


def test_our_encoder_encodes_once(monkeypatch):
    X, y = table()
    model = TabularClassifier(**FAST, random_state=0).fit(X, y)
    calls, transform = [], TableEncoder.transform
    monkeypatch.setattr(
        TableEncoder, "transform", lambda self, X: calls.append(0) or transform(self, X)
    )
    model.permutation_importances(X, y)
    assert len(calls) == 1


def test_an_encoder_of_ones_own_is_asked_each_time():
    """It may mix the columns, also where it is derived from ours."""

    class Mixing(TableEncoder):
        def transform(self, X):
            Z = super().transform(X)
            return Z * Z[:, :1]

    X, y = table()
    model = TabularClassifier(**FAST, encoder=Mixing(), random_state=0).fit(X, y)
    result = model.permutation_importances(X, y, n_repeats=2, random_state=0)
    np.testing.assert_array_equal(result.importances, by_hand(model, X, y, accuracy_score))


def containers(X):
    """The same table in each of them."""
    pl = pytest.importorskip("polars")
    objects = X.astype(object).where(X.notna(), None)
    return [X, pl.from_pandas(X), objects.to_numpy(), objects.to_numpy().tolist()]


def test_any_encoder_and_any_table():
    """Ours encodes once, and others anew, to the same importances."""
    X, y = table()
    columns = make_column_transformer(
        (OneHotEncoder(), [0, 3]), (TableEncoder(categorical_features=None), [1, 2])
    )
    for encoder in (columns, "auto"):
        model = TabularClassifier(**FAST, encoder=encoder, random_state=0)
        results = [
            model.fit(each, y).permutation_importances(each, y, n_repeats=2, random_state=0)
            for each in containers(X)
        ]
        for result in results[1:]:
            np.testing.assert_array_equal(result.importances, results[0].importances)


def test_types_of_columns_stay():
    """Categories, nullable numbers, Arrow's strings, dates; the index, and what is passed."""
    pl = pytest.importorskip("polars")
    X = pd.DataFrame(
        {
            "category": pd.Categorical(["a", "b", None, "a"], categories=["b", "a"]),
            "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
            "text": pd.array(["x", None, "y", "z"], dtype="string"),
            "date": pd.to_datetime(["2026-01-01", None, "2026-01-03", "2026-01-04"]),
        },
        index=[7, 5, 5, 1],
    )
    order, before = np.array([2, 0, 3, 1]), X.copy()
    for j, name in enumerate(X):
        shuffled = with_column(X, j, order)
        expected = X.assign(**{name: X[name].array[order]})
        pd.testing.assert_frame_equal(shuffled, expected)
        pd.testing.assert_frame_equal(X, before)
        frame = pl.from_pandas(X)
        shuffled = with_column(frame, j, order)
        assert shuffled.schema == frame.schema and shuffled.columns == frame.columns
        assert shuffled[name].to_list() == [frame[name].to_list()[i] for i in order]
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
    assert with_column(twice, 1, [1, 0]).to_numpy().tolist() == [[1, 4], [3, 2]]


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array", "csr_matrix"])
def test_sparse_tables(kind):
    """As the dense ones, for encoders that take them."""
    X, y = make_classification(150, 6, random_state=0)
    X[X < 0.3] = 0
    model = TabularClassifier(**FAST, encoder=MaxAbsScaler(), random_state=0).fit(X, y)
    expected = model.permutation_importances(X, y, n_repeats=2, random_state=0)
    sparse = getattr(sp, kind)(X)
    found = model.permutation_importances(sparse, y, n_repeats=2, random_state=0)
    np.testing.assert_allclose(found.importances, expected.importances, atol=1e-12)
    order = np.random.RandomState(0).permutation(150)
    shuffled = with_column(sparse, 2, order)
    assert type(shuffled) is type(sparse)
    np.testing.assert_array_equal(shuffled.toarray(), with_column(X, 2, order))
    np.testing.assert_array_equal(sparse.toarray(), X)


def test_what_cannot_be_shuffled():
    """Is refused where it would have to be; our encoder takes it."""

    class Wrapped:
        """An array that knows no more than this."""

        def __init__(self, X):
            self.X, self.shape = X, X.shape

        def __len__(self):
            return len(self.X)

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.X, dtype)

    X, y = make_classification(100, 5, random_state=0)
    model = TabularClassifier(**FAST, encoder=StandardScaler(), random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="Columns of a Wrapped cannot be shuffled"):
        model.permutation_importances(Wrapped(X), y)
    model.set_params(encoder="auto").fit(X, y)
    results = [model.permutation_importances(T, y, random_state=0) for T in (X, Wrapped(X))]
    np.testing.assert_array_equal(results[0].importances, results[1].importances)


def test_scoring():
    """Names and functions; probabilities are those of held-out rows."""
    X, y = table()
    model = TabularClassifier(**FAST, random_state=0).fit(X, y)
    options = {"n_repeats": 2, "random_state": 0}
    loss = model.permutation_importances(X, y, scoring="neg_log_loss", **options).importances
    for scoring in (
        make_scorer(log_loss, response_method="predict_proba", greater_is_better=False),
        lambda model, X, y: -log_loss(y, model.predict_proba(X)),
    ):
        found = model.permutation_importances(X, y, scoring=scoring, **options).importances
        np.testing.assert_array_equal(found, loss)
    Z, rng = model.encoder_.transform(X), np.random.RandomState(0)
    Z[:, model.encoder_._blocks()[0]] = Z[rng.permutation(len(X)), model.encoder_._blocks()[0]]
    p = np.zeros((len(X), 2))
    for member, rows in zip(model.ensemble_.estimators_, model.ensemble_._held_out, strict=True):
        logits = member._outputs(Z[rows], "identity")[:, 0] / model.ensemble_.temperature_
        p[rows, 1] = 1 / (1 + np.exp(-logits))
        p[rows, 0] = 1 - p[rows, 1]
    expected = log_loss(y, p) - log_loss(y, model.oof_prediction_)
    assert loss[0, 0] == pytest.approx(expected, rel=1e-4)


def test_rows_that_count():
    """A weight of 0 is a row that does not count; what no member has held out does not either."""
    X, y = table()
    model = TabularClassifier(**FAST, random_state=0).fit(X, y)
    weight = np.arange(len(y)) % 3
    found = model.permutation_importances(X, y, n_repeats=2, random_state=0, sample_weight=weight)
    counted = np.repeat(np.arange(len(y)), weight)

    def score(y, predicted):
        return accuracy_score(y[counted], predicted[counted])

    np.testing.assert_allclose(found.importances, by_hand(model, X, y, score), atol=1e-12)
    halves = list(KFold(2).split(X))[:1]
    model.set_params(cv=halves).fit(X, y)
    found = model.permutation_importances(X, y, n_repeats=2, random_state=0)
    np.testing.assert_array_equal(found.importances, by_hand(model, X, y, accuracy_score))


def test_quantiles_are_scored_as_such():
    X, _ = table()
    y = 1000 * X["noise"].to_numpy()
    network = MLPRegressor("quantile", quantile=[0.1, 0.9], standardize_y=True, max_iter=40)
    model = TabularRegressor(estimator=network, cv=3, random_state=0).fit(X, y)
    result = model.permutation_importances(X, y, n_repeats=1, random_state=0)
    assert result.importances.shape == (4, 1)
    assert result.importances_mean[2] > 0.1 > np.abs(result.importances_mean[[0, 1, 3]]).max()


def test_what_is_passed_is_checked():
    X, y = table()
    model = TabularClassifier(**FAST, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="'n_repeats' parameter"):
        model.permutation_importances(X, y, n_repeats=0)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.permutation_importances(X, y[1:])
    with pytest.raises(ValueError, match="X must hold the 200 rows of fit, got 199"):
        model.permutation_importances(X[1:], y[1:])
