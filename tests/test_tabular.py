"""TabularClassifier and TabularRegressor: raw tables in, what scikit-learn asks of an estimator."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import MLPClassifier, MLPRegressor, TableEncoder, TabularClassifier, TabularRegressor
from skreg.callbacks import Checkpoint

FAST = {"hidden_layer_sizes": (16,), "max_iter": 40, "learning_rate_init": 0.01, "cv": 3}

# Short trainings, of networks that are not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore:.*networks reached max_iter")


def expected_failures(estimator):
    """Labels hide it; numbers show it."""
    reason = "rows of weight two and rows that come twice are drawn into other batches"
    name = "check_sample_weight_equivalence_on_dense_data"
    return {name: reason} if isinstance(estimator, TabularRegressor) else {}


@parametrize_with_checks(
    [TabularClassifier(**FAST, batch_size=5), TabularRegressor(**FAST, batch_size=5)],
    expected_failed_checks=expected_failures,
)
def test_common_checks(estimator, check):
    """Every one of scikit-learn's."""
    check(estimator)


def table(n=300, seed=0):
    """Numbers and categories, values missing, y in thousands."""
    rng = np.random.RandomState(seed)
    colour = np.array(["red", "green", "blue"])[rng.randint(3, size=n)]
    size, noise = rng.lognormal(size=n), rng.randn(n)
    y = 1000 * (3 * (colour == "red") + np.log(size) + 0.3 * rng.randn(n))
    X = pd.DataFrame({"colour": colour, "size": size, "noise": noise})
    X.loc[rng.rand(n) < 0.1, "size"] = np.nan
    X.loc[rng.rand(n) < 0.1, "colour"] = None
    return X, y


def test_a_raw_table():
    """Strings, missing values, y as it is; unknown categories later."""
    X, y = table()
    model = TabularRegressor(random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.6
    assert model.params_["hidden_layer_sizes"] == (96, 96) and model.params_["cv"] == 5
    unknown = X[200:].assign(colour="yellow")
    assert np.isfinite(model.predict(unknown)).all()
    assert list(model.feature_names_in_) == ["colour", "size", "noise"]
    labels = np.where(y > 1000, "high", "low")
    classifier = TabularClassifier(random_state=0).fit(X[:200], labels[:200])
    assert classifier.score(X[200:], labels[200:]) > 0.8
    assert classifier.oof_prediction_.shape == (200, 2)


def test_flat_parameters_reach_the_networks():
    """Each of them, and the encoder."""
    X, y = table()
    given = {
        "hidden_layer_sizes": (7,), "dropout": 0.3, "learning_rate_init": 0.004,
        "batch_size": 32, "weight_decay": 0.1, "max_iter": 5, "cv": 2,
    }  # fmt: skip
    for cls, own in ((TabularRegressor, {}), (TabularClassifier, {"label_smoothing": 0.1})):
        model = cls(**given, **own, encoder=TableEncoder(numeric="standard"), random_state=0)
        model.fit(X, y > 0 if own else y)
        for member in model.ensemble_.estimators_:
            for name, value in (given | own).items():
                assert name == "cv" or getattr(member, name) == value
        encoder = model.params_.pop("encoder")
        assert model.params_ == given | own | ({"class_weight": None} if own else {})
        assert encoder.numeric == "standard" and not hasattr(encoder, "encoders_")
        assert model.encoder_.numeric == "standard" and len(model.ensemble_.estimators_) == 2
    weighted = TabularClassifier(**FAST, class_weight={False: 1, True: 30}, random_state=0)
    plain = clone(weighted).set_params(class_weight=None)
    assert weighted.fit(X, y > 3000).predict(X).mean() > plain.fit(X, y > 3000).predict(X).mean()


@pytest.mark.parametrize(
    ("n_rows", "hidden", "batch", "cv"),
    [
        (100, (96, 96), 50, 5), (350, (96, 96), 64, 7), (9_999, (96, 96), 64, 8),
        (10_000, (128, 128), 64, 5), (10**6, (256, 256), 256, 5),
    ],
)  # fmt: skip
def test_parameters_by_the_rows(n_rows, hidden, batch, cv):
    params = TabularClassifier()._resolved(n_rows)
    assert (params["hidden_layer_sizes"], params["batch_size"], params["cv"]) == (hidden, batch, cv)


def test_an_estimator_as_it_is_given():
    """Its parameters can be tuned; flat ones beside it are an error."""
    X, y = table()
    network = MLPRegressor(hidden_layer_sizes=(5,), standardize_y=True, max_iter=20)
    model = TabularRegressor(estimator=network, cv=2, random_state=0)
    model.set_params(estimator__dropout=0.2).fit(X, y)
    assert model.ensemble_.estimators_[0].coefs_[0].shape[1] == 5
    assert model.ensemble_.estimators_[0].dropout == 0.2
    with pytest.raises(ValueError, match="dropout and estimator are both given"):
        TabularRegressor(estimator=network, dropout=0.1).fit(X, y)
    weighted = TabularClassifier(estimator=MLPClassifier(), class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight and estimator are both given"):
        weighted.fit(X, y > 0)
    assert model.params_["hidden_layer_sizes"] == (5,) and model.params_["max_iter"] == 20
    with pytest.raises(TypeError, match="estimator must be a MLPRegressor"):
        TabularRegressor(estimator=MLPClassifier()).fit(X, y)


def test_several_labels_and_targets():
    X, Y = make_multilabel_classification(150, 6, n_classes=3, random_state=0)
    model = TabularClassifier(**FAST, random_state=0).fit(X, Y)
    assert model.predict(X).shape == model.predict_proba(X).shape == Y.shape
    X, y = table()
    model = TabularRegressor(**FAST, random_state=0).fit(X, np.c_[y, -y])
    assert model.predict(X).shape == (300, 2)
    mean, std = TabularRegressor(**FAST, random_state=0).fit(X, y).predict(X, return_std=True)
    assert mean.shape == std.shape == (300,) and (std > 0).all()


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_any_number_of_threads(n_jobs):
    X, y = table()
    one = TabularRegressor(**FAST, random_state=0).fit(X, y)
    more = clone(one).set_params(n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), more.predict(X))


def test_weights_reach_encoder_and_networks():
    """Also past an encoder that takes none."""
    X, y = table()
    weight = np.where(X["size"] > 1, 10.0, 1.0)
    model = TabularRegressor(**FAST, random_state=0)
    weighted, plain = clone(model).fit(X, y, sample_weight=weight), clone(model).fit(X, y)
    assert not np.array_equal(weighted.encoder_.transform(X), plain.encoder_.transform(X))
    Z = np.random.RandomState(0).randn(300, 3)
    model.set_params(encoder=MinMaxScaler())
    weighted, plain = clone(model).fit(Z, y, sample_weight=weight), clone(model).fit(Z, y)
    np.testing.assert_array_equal(weighted.encoder_.transform(Z), plain.encoder_.transform(Z))
    assert not np.array_equal(weighted.predict(Z), plain.predict(Z))


def test_quantiles_are_scored_as_such():
    X, y = table()
    network = MLPRegressor("quantile", quantile=[0.1, 0.9], standardize_y=True, max_iter=60)
    model = TabularRegressor(estimator=network, cv=3, random_state=0).fit(X, y)
    assert 0 < model.score(X, y) < 1


def test_names_of_an_earlier_fit_are_gone():
    X, y = table()
    model = TabularRegressor(**FAST, random_state=0).fit(X, y)
    model.fit(np.random.RandomState(0).randn(300, 2), y)
    assert not hasattr(model, "feature_names_in_") and model.n_features_in_ == 2


@pytest.mark.parametrize("jumps", [False, True])
def test_the_size_of_codes_is_chosen(jumps, capsys):
    """With many rows, by a first network; the same for any number of threads."""
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (10_000, 2))
    y = np.sign(np.sin(40 * X[:, 0])) if jumps else X[:, 0] - X[:, 1]
    short = {"hidden_layer_sizes": (8,), "max_iter": 4, "cv": 2, "random_state": 0}
    model = TabularRegressor(**short, verbose=True, n_jobs=2).fit(X, y)
    assert model.encoder_.code_scale == model.params_["encoder"].code_scale == (1 if jumps else 0.1)
    assert "Validation losses" in capsys.readouterr().out
    alone = TabularRegressor(**short).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
    few = TabularRegressor(**short).fit(X[:9999], y[:9999])
    assert few.encoder_.code_scale == 0.1
    given = TabularRegressor(**short, encoder=TableEncoder()).fit(X, y)
    assert given.encoder_.code_scale == 0.1
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        alone.fit(X, y[:100])
    with pytest.raises(ValueError, match="requires y to be passed"):
        alone.fit(X, None)


def test_a_choice_leaves_no_checkpoint_and_takes_its_time(tmp_path):
    """It is made anew by a fit that goes on; under a limit it has a quarter of the time."""
    rng = np.random.RandomState(0)
    X, y = rng.uniform(-1, 1, (10_000, 2)), rng.randint(2, size=10_000)
    model = TabularClassifier(hidden_layer_sizes=(4,), max_iter=2, cv=2, random_state=0)
    model.set_callbacks(Checkpoint(tmp_path, keep=True)).fit(X, y, sample_weight=y + 0.5)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.warns(UserWarning, match="2 of 2 networks were stopped after 1 to 1 epochs"):
        clone(model).set_callbacks().set_params(time_limit=1e-3).fit(X, y)
