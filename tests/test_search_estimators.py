"""What a search may be around: pipelines, Augmented, tabular models, all kinds of targets."""

import numpy as np
import pytest
from searches import (
    MARKS,
    NET,
    SPACE,
    Spy,
    contest_of,
    make_classes,
    make_mixed,
    make_numbers,
    prefixed,
    quick,
)
from sklearn.base import clone
from sklearn.datasets import (
    make_multilabel_classification,
)
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    MLPClassifier,
    MLPRegressor,
    TableEncoder,
    TabularClassifier,
    TabularRegressor,
)
from skreg.augmentation import Augmented, FeatureNoise, MixUp
from skreg.ensemble import (
    WeightedEnsembleClassifier,
)

pytestmark = MARKS


@pytest.fixture(scope="module")
def classes():
    return make_classes()


@pytest.fixture(scope="module")
def numbers():
    return make_numbers()


@pytest.fixture(scope="module")
def mixed():
    return make_mixed()


def test_pipelines_are_fitted_on_training_rows(classes):
    """The scaler of a fold has seen its training rows; one is fitted for all candidates."""
    X, y = classes
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    search = quick(pipe, prefixed(SPACE, "mlpclassifier")).fit(X, y)
    contest = contest_of(clone(search), X, y)
    best = search.best_estimator_
    for (train, _), member in zip(contest.trials.folds.splits, best.estimators_, strict=True):
        assert isinstance(member, Pipeline)
        np.testing.assert_allclose(member[0].mean_, X[train].mean(axis=0))
    fronts = contest.trials.folds.tables.fronts
    assert len({front.key for front in fronts}) == 1
    assert search.score(X, y) > 0.5


def test_steps_before_the_network_can_be_searched(classes):
    X, y = classes
    pipe = make_pipeline(StandardScaler(), PCA(), MLPClassifier(**NET))
    space = {"pca__n_components": [2, 6], "mlpclassifier__dropout": [0.0, 0.2]}
    search = quick(pipe, space, n_candidates=4, final="ensemble").fit(X, y)
    shapes = set()
    for ensemble in search.best_estimator_.estimators_:
        shapes |= {member[-1].coefs_[0].shape[0] for member in ensemble.estimators_}
    assert shapes <= {2, 6}
    retrained = quick(pipe, space, n_candidates=4, final="retrain").fit(X, y).best_estimator_
    assert retrained[1].n_components_ == retrained[2].coefs_[0].shape[0]


def test_steps_are_fitted_once_a_fold_and_setting(classes):
    X, y = classes
    Spy.seen.clear()
    pipe = make_pipeline(Spy(), MLPClassifier(**NET))
    quick(pipe, prefixed(SPACE, "mlpclassifier"), refit=False).fit(X, y)
    assert [n for n, _ in Spy.seen] == [160] * 3
    Spy.seen.clear()
    space = {"spy__with_mean": [True, False], "mlpclassifier__dropout": [0.0, 0.1]}
    quick(pipe, space, n_candidates=4, refit=False).fit(X, y)
    assert len(Spy.seen) == 6


@pytest.mark.parametrize("mixing", [False, True])
def test_augmented(classes, mixing):
    """Variants of training rows are trained on, and never held out."""
    X, y = classes
    augmenter = MixUp(random_state=0) if mixing else FeatureNoise(0.1, random_state=0)
    model = make_pipeline(StandardScaler(), Augmented(MLPClassifier(**NET), augmenter, n_copies=2))
    space = {"augmented__n_copies": [1, 2], "augmented__estimator__dropout": [0.0, 0.2]}
    search = quick(model, space, n_candidates=4).fit(X, y)
    contest = contest_of(quick(model, space, n_candidates=4), X, y)
    trainer = contest.trials.folds.trainers[contest.last[0], 0]
    assert len(trainer.rows.train) > 160 and len(trainer.rows.validation.rows) == 80
    held_out = contest.trials.folds.splits[0][1]
    scaler = search.best_estimator_.estimators_[0][0]
    np.testing.assert_allclose(
        trainer.rows.X[trainer.rows.validation.rows], scaler.transform(X[held_out])
    )
    assert search.score(X, y) > 0.5
    inner = MLPClassifier(**NET, augmentation=FeatureNoise(0.1))
    space = {"augmentation": [None, FeatureNoise(0.2)], "dropout": [0.0, 0.2]}
    assert quick(inner, space, n_candidates=4).fit(X, y).score(X, y) > 0.5


@pytest.mark.parametrize("final", ["folds", "ensemble", "retrain"])
def test_tabular(mixed, final):
    X, y = mixed
    model = TabularClassifier(max_iter=24, hidden_layer_sizes=(8,), batch_size=32)
    space = {"dropout": [0.0, 0.1, 0.2], "learning_rate_init": [0.005, 0.02]}
    search = quick(model, space, final=final).fit(X, y)
    kinds = {
        "folds": TabularClassifier,
        "ensemble": WeightedEnsembleClassifier,
        "retrain": Pipeline,
    }
    assert type(search.best_estimator_) is kinds[final]
    assert search.score(X, y) > 0.8 and list(search.classes_) == ["no", "yes"]
    assert list(search.feature_names_in_) == ["age", "town"]
    assert set(search.predict(X)) <= {"no", "yes"}
    if final == "folds":
        best = search.best_estimator_
        assert len(best.ensemble_.estimators_) == 3  # the search's folds, not its own
        assert {name: best.params_[name] for name in space} == search.best_params_
        assert best.oof_prediction_.shape == (240, 2)


def test_tabular_encoders_and_estimators(mixed):
    """The encoder is one more parameter; a network inside is reached by its names."""
    X, y = mixed
    model = TabularClassifier(estimator=MLPClassifier(**NET))
    encoders = [TableEncoder(numeric="standard"), TableEncoder(numeric="quantile")]
    space = {"encoder": encoders, "estimator__dropout": [0.0, 0.2]}
    search = quick(model, space, n_candidates=4).fit(X, y)
    best = search.best_estimator_
    assert best.encoder_.numeric == search.best_params_["encoder"].numeric
    assert best.params_["encoder"].numeric == best.encoder_.numeric
    assert search.score(X, y) > 0.6


def test_tabular_regression(mixed):
    X, _ = mixed
    y = X["age"].fillna(50) / 10 + (X["town"] == "a")
    model = TabularRegressor(max_iter=24, hidden_layer_sizes=(8,), batch_size=32)
    for final in ("folds", "ensemble"):
        search = quick(model, {"dropout": [0.0, 0.1]}, n_candidates=2, final=final).fit(X, y)
        assert search.score(X, y) > 0.5


@pytest.mark.parametrize("final", ["folds", "ensemble", "retrain"])
def test_several_quantiles(numbers, final):
    X, y = numbers
    model = MLPRegressor(**NET, loss="quantile", quantile=[0.1, 0.5, 0.9], standardize_y=True)
    search = quick(make_pipeline(StandardScaler(), model), prefixed(SPACE, "mlpregressor"),
                   final=final).fit(X, y)  # fmt: skip
    assert search.predict(X).shape == (200, 3)
    assert 0 < search.score(X, y) < 1 and np.isfinite(search.best_score_)


def test_several_targets_and_labels(numbers):
    X, y = numbers
    both = np.stack([y, -y], axis=1)
    for final in ("folds", "ensemble"):
        model = MLPRegressor(**NET, standardize_y=True)
        assert quick(model, final=final).fit(X, both).predict(X).shape == (200, 2)
    X, Y = make_multilabel_classification(150, 6, n_classes=3, random_state=0)
    search = quick(final="ensemble").fit(X, Y)
    assert search.predict(X).shape == (150, 3) and search.score(X, Y) > 0.3


def test_other_estimators_are_refused(classes):
    with pytest.raises(TypeError, match=r"must be a MLPClassifier, or a Pipeline .* got PCA"):
        quick(PCA(), {"n_components": [1, 2]}, scoring="accuracy").fit(*classes)
    with pytest.raises(ValueError, match="does not train in epochs"):
        quick(MLPClassifier(solver="lbfgs")).fit(*classes)
