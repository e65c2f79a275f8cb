"""Accuracy and R2 from the core, against scikit-learn's, epoch by epoch."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.metrics import accuracy_score, get_scorer, r2_score

from skreg import MLPClassifier, MLPRegressor
from skreg.network.core import make_data
from skreg.network.fitted import FittedNetwork
from skreg.network.network import Network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 200
TABLES = {
    "two classes": lambda: make_classification(N, 6, random_state=0, flip_y=0.2),
    "four classes": lambda: make_classification(
        N, 8, n_informative=5, n_classes=4, random_state=0, flip_y=0.2
    ),
    "labels": lambda: make_multilabel_classification(N, 6, n_classes=3, random_state=0),
    "one target": lambda: make_regression(N, 5, noise=9, random_state=0),
    "three targets": lambda: make_regression(N, 5, n_targets=3, noise=9, random_state=0),
}


def model_of(table, **params):
    cls = MLPRegressor if "target" in table else MLPClassifier
    defaults = {
        "hidden_layer_sizes": (9,), "early_stopping": True, "max_iter": 6, "n_iter_no_change": 99,
        "learning_rate_init": 0.03, "validation_fraction": 0.3, "random_state": 0,
    }  # fmt: skip
    return cls(**(defaults | params))


@pytest.mark.parametrize(
    "options", [{}, {"batch_norm": True}, {"weight_averaging": "ema"}], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("table", TABLES)
def test_scores_are_those_of_scikit_learn(table, dtype, weighted, options):
    """scoring=None, its name, and a scorer that the core does not know see the same numbers."""
    X, y = TABLES[table]()
    X = X.astype(dtype)
    y = y / np.std(y) if "target" in table else y
    weight = np.random.RandomState(1).uniform(0, 3, N) if weighted else None
    name = "r2" if "target" in table else "accuracy"
    known = get_scorer(name)

    def scorer(estimator, X, y, sample_weight=None):
        return known(estimator, X, y, sample_weight=sample_weight)

    train, val = np.arange(60, N), np.arange(60)
    params = {"sample_weight": None if weight is None else weight[train]}
    params |= {"X_val": X[val], "y_val": y[val]}
    params |= {"sample_weight_val": None if weight is None else weight[val]}
    scores = [
        model_of(table, scoring=scoring, **options).fit(X[train], y[train], **params)
        for scoring in (None, name, scorer)
    ]
    scores = [model.validation_scores_ for model in scores]
    assert scores[0] == scores[1] and len(set(scores[0])) > 1
    np.testing.assert_allclose(scores[0], scores[2], rtol=1e-4 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_no_prediction_in_python(scoring, monkeypatch):
    """The core's pass over the validation rows is all that an epoch needs."""
    X, y = TABLES["four classes"]()
    model = model_of("four classes", scoring=scoring)
    monkeypatch.setattr(FittedNetwork, "outputs", None)
    assert len(model.fit(X, y).validation_scores_) > 1
    with pytest.raises(TypeError, match="not callable"):
        model.set_params(scoring="balanced_accuracy").fit(X, y)


class Upside(MLPClassifier):
    """One that predicts in its own way."""

    def predict(self, X):
        """The other class."""
        return 1 - super().predict(X)


class Constant(MLPRegressor):
    """One that scores in its own way."""

    def score(self, X, y, sample_weight=None):
        """No matter what."""
        return 0.25


def test_subclasses_have_the_last_word():
    """predict and score of a subclass are asked."""
    X, y = TABLES["two classes"]()
    params = model_of("two classes").get_params()
    for scoring in (None, "accuracy"):
        upside = Upside(**params | {"scoring": scoring}).fit(X, y)
        ours = model_of("two classes", scoring=scoring).fit(X, y)
        np.testing.assert_allclose(np.add(upside.validation_scores_, ours.validation_scores_), 1)
    X, y = TABLES["one target"]()
    y /= y.std()
    params = model_of("one target", scoring=None).get_params()
    assert set(Constant(**params).fit(X, y).validation_scores_) == {0.25}
    assert set(Constant(**params | {"scoring": "r2"}).fit(X, y).validation_scores_) != {0.25}


def test_targets_that_do_not_vary():
    """R2 of a constant is 0, or 1 where it is met, as in scikit-learn; one class is always met."""
    X, y = TABLES["three targets"]()
    y = y / y.std()
    y[:, 1] = 2.0
    model = model_of("three targets", scoring=None, restore_best=False)
    model.fit(X[50:], y[50:], X_val=X[:50], y_val=y[:50])
    expected = r2_score(y[:50], model.predict(X[:50]))
    assert model.validation_scores_[-1] == pytest.approx(expected)
    one = model_of("two classes", scoring=None).fit(X, np.zeros(N))
    assert one.validation_scores_ == [1.0] * 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_and_weights(dtype):
    """More rows than the core takes at a time, in an order of their own, with weights."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(1500, 3).astype(dtype), rng.randint(0, 4, 1500)
    layers = [("dense", {"units": 4.0})]
    loss = "softmax_log_loss", {"smoothing": 0.0}
    network = Network(layers, loss, [], n_features=3, dtype=dtype, seed=0)
    network.attach()
    network.parameters[:] = rng.randn(len(network.parameters))
    data, rows = make_data(X, label=y), rng.permutation(1500)[:1234].astype(np.int32)
    weight, sums = rng.uniform(0, 2, len(rows)), np.full(1, 77.0)
    loss = network.evaluate_and_score(data, rows, ("accuracy", {}), "softmax", weight, sums)
    predicted = (X @ network.views("weight")[0] + network.views("bias")[0]).argmax(axis=1)
    expected = accuracy_score(y[rows], predicted[rows], sample_weight=weight)
    assert sums[0] / weight.sum() == pytest.approx(expected)
    assert loss == network.evaluate(data, rows)


def test_what_does_not_fit():
    """Errors of the core."""
    network = Network(
        [("dense", {"units": 2.0})], ("squared_error", {}), [], n_features=3, dtype=float, seed=0
    )
    network.attach()
    data = make_data(np.zeros((5, 3)), target=np.zeros((5, 2)))
    rows, sums = np.arange(5, dtype=np.int32), np.zeros(2)
    for score, link, weight, out, message in [
        ("nonsense", "identity", None, sums, "unknown score: nonsense"),
        ("squared_errors", "nonsense", None, sums, "unknown output activation: nonsense"),
        ("squared_errors", "identity", np.ones(4), sums, "one weight is needed for each row"),
        ("squared_errors", "identity", None, np.zeros(1), "sums has the wrong length"),
    ]:
        with pytest.raises(ValueError, match=message):
            network.evaluate_and_score(data, rows, (score, {}), link, weight, out)


@pytest.mark.parametrize("kind", ["int", "float", "str", "bool", "object", "list", "series"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_classifiers_score_is_the_accuracy(kind, weighted):
    pd = pytest.importorskip("pandas")
    X, y = make_classification(120, 6, n_informative=4, random_state=0)
    make = {
        "str": lambda y: np.array(["no", "yes"])[y],
        "bool": lambda y: y.astype(bool),
        "float": lambda y: y.astype(float),
        "object": lambda y: np.array(["no", "yes"], dtype=object)[y],
        "list": list,
        "series": pd.Series,
        "int": lambda y: y,
    }[kind]
    y = make(y)
    model = MLPClassifier((8,), max_iter=3, random_state=0).fit(X, y)
    weight = np.random.default_rng(0).random(120) if weighted else None
    expected = accuracy_score(y, model.predict(X), sample_weight=weight)
    score = model.score(X, y, weight)
    assert type(score) is float
    assert score == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, y[:-1])
