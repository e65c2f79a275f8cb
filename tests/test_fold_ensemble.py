"""Ensembles over folds: members, calibration, and what scikit-learn asks of an estimator."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import fit_quietly
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TabularClassifier,
)
from skreg.ensemble.folds import Folds
from skreg.ensemble.splits import splits_of
from skreg.ensemble.temperature import fit_temperature

NET = {"hidden_layer_sizes": (8,), "max_iter": 40, "learning_rate_init": 0.01}
# Short trainings, of networks that are not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore:.*networks reached max_iter")


@parametrize_with_checks(
    [
        FoldEnsembleClassifier(MLPClassifier(**NET), cv=3),
        FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), cv=3),
    ]
)
def test_common_checks(estimator, check):
    """Every one of scikit-learn's, also that weight two is two rows, in the splits given."""
    check(estimator)


@pytest.fixture(scope="module")
def classes():
    X, y = make_classification(300, 8, n_informative=5, n_classes=3, flip_y=0.1, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def numbers():
    X, y = make_regression(200, 5, noise=20, random_state=0)
    return X, 1000 + y


def test_members_validate_on_their_folds(classes):
    """Each is the network that is fitted on the other rows; predictions are the mean."""
    X, y = classes
    model = FoldEnsembleClassifier(MLPClassifier(**NET), calibration=None, random_state=0)
    model.fit(X, y)
    assert len(model.estimators_) == 5 and list(model.classes_) == ["a", "b", "c"]
    expected = np.mean([member.predict_proba(X) for member in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
    assert model.temperature_ == 1
    held_out = np.zeros((len(y), 3))
    rng = np.random.RandomState(0)
    for k, (train, rows) in enumerate(
        splits_of(5, 1, np.unique(y, return_inverse=True)[1], len(y), rng)
    ):
        assert len(rows) == 60 and not set(train) & set(rows)
        held_out[rows] = model.estimators_[k].predict_proba(X[rows])
    np.testing.assert_allclose(model.oof_prediction_, held_out, rtol=1e-6)


def test_the_ensemble_is_better_than_its_members(classes):
    """On rows that none has seen."""
    X, y = classes
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0).fit(X[:200], y[:200])
    members = [log_loss(y[200:], m.predict_proba(X[200:])) for m in model.estimators_]
    assert log_loss(y[200:], model.predict_proba(X[200:])) < np.mean(members)
    assert -model.oof_score_ == pytest.approx(
        log_loss(y[200:], model.predict_proba(X[200:])), rel=0.4
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_temperature_is_the_best_one(weighted):
    """Of logits that are three times too certain, it is three."""
    rng = np.random.RandomState(0)
    logits = rng.randn(4000, 4)
    y = np.array([rng.choice(4, p=p) for p in softmax(logits, axis=1)])
    weight = rng.randint(0, 3, 4000) if weighted else None
    assert fit_temperature(3 * logits, y, weight, "softmax") == pytest.approx(3, rel=0.1)
    t = fit_temperature(3 * logits, y, weight, "softmax")
    losses = [
        log_loss(y, softmax(3 * logits / (t * f), axis=1), sample_weight=weight)
        for f in (0.97, 1, 1.03)
    ]
    assert np.argmin(losses) == 1
    if weighted:
        repeated = np.repeat(np.arange(4000), weight)
        again = fit_temperature(3 * logits[repeated], y[repeated], None, "softmax")
        assert t == pytest.approx(again, rel=1e-6)


def test_calibration_helps_smoothed_labels(classes):
    """Whose networks are less certain than they are right."""
    X, y = classes
    network = MLPClassifier(**NET, label_smoothing=0.3)
    loss = {}
    for calibration in ("temperature", None):
        model = FoldEnsembleClassifier(network, calibration=calibration, random_state=0)
        model.fit(X[:200], y[:200])
        loss[calibration] = log_loss(y[200:], model.predict_proba(X[200:]))
    assert loss["temperature"] < loss[None]


@pytest.mark.parametrize("n_jobs", [2, 5])
def test_any_number_of_threads(classes, n_jobs):
    """To the same bits."""
    one = FoldEnsembleClassifier(MLPClassifier(**NET, dropout=0.2), random_state=0).fit(*classes)
    more = clone(one).set_params(n_jobs=n_jobs).fit(*classes)
    np.testing.assert_array_equal(one.predict_proba(classes[0]), more.predict_proba(classes[0]))
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(one.predict_proba(classes[0]), again.predict_proba(classes[0]))


def test_rare_classes():
    """Folds are at most the rows of the largest class; what is alone trains in all members."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(31, 3), np.r_[np.repeat([0, 1, 2], 10), 3]
    model = FoldEnsembleClassifier(MLPClassifier(**NET), cv=20, random_state=0).fit(X, y)
    assert len(model.estimators_) == 10
    assert all(list(member.classes_) == [0, 1, 2, 3] for member in model.estimators_)
    missing = np.isnan(model.oof_prediction_).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(missing), [30])
    with pytest.raises(ValueError, match="alone in its class"):
        FoldEnsembleClassifier().fit(X[:4], np.arange(4))


def test_folds_hold_classes_in_proportion():
    """And sizes differ by one row at most; repeats divide anew."""
    labels = np.repeat([0, 1, 2], [50, 33, 7])
    splits = splits_of(4, 2, labels, 90, np.random.RandomState(0))
    assert len(splits) == 8
    for _, held_out in splits:
        assert len(held_out) in (22, 23)
        counts = np.bincount(labels[held_out], minlength=3)
        assert np.abs(counts - np.array([50, 33, 7]) / 4).max() < 1
    assert not np.array_equal(splits[0][1], splits[4][1])
    for repeat in (splits[:4], splits[4:]):
        assert sorted(np.concatenate([held_out for _, held_out in repeat])) == list(range(90))


def test_rows_without_weight_are_not_held_out():
    """Few rows with a weight among many without: each fold has some, whatever the seed."""
    labels, weight = np.arange(600) % 2, np.zeros(600)
    weight[:8] = 1
    for seed in range(20):
        for strata in (labels, None):
            splits = splits_of(4, 1, strata, 600, np.random.RandomState(seed), weight=weight)
            assert sorted(np.concatenate([held_out for _, held_out in splits])) == list(range(8))
            assert all(len(held_out) == 2 and len(train) == 598 for train, held_out in splits)
    X = np.random.RandomState(0).randn(600, 3)
    model = FoldEnsembleClassifier(MLPClassifier(**NET), cv=4, random_state=1)
    assert np.isnan(model.fit(X, labels, weight).oof_prediction_[8:]).all()


def test_multilabel():
    X, Y = make_multilabel_classification(200, 6, n_classes=3, random_state=0)
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0).fit(X, Y)
    assert model.predict(X).shape == model.predict_proba(X).shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    assert model.score(X, Y) > 0.3
    assert model.temperature_ != 1


@pytest.mark.parametrize("cls", [FoldEnsembleClassifier, TabularClassifier])
def test_one_class_is_certain(classes, cls):
    """One column, as of scikit-learn's forests; rows that none has held out stay unknown."""
    X = classes[0]
    halves = list(KFold(2).split(X))[:1]
    parts = NET if cls is TabularClassifier else {"estimator": MLPClassifier(**NET)}
    model = cls(**parts, cv=halves, random_state=0).fit(X, np.full(len(X), "only"))
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    assert set(model.predict(X)) == {"only"} and list(model.classes_) == ["only"]
    expected = np.r_[np.ones(150), np.full(150, np.nan)][:, None]
    np.testing.assert_array_equal(model.oof_prediction_, expected)
    ensemble = getattr(model, "ensemble_", model)
    Z = model.encoder_.transform(X) if cls is TabularClassifier else X
    predicted, known = ensemble.predict_held_out(Z)
    np.testing.assert_array_equal(known, np.arange(300) < 150)
    assert set(predicted) == {"only"}


def test_regression(numbers):
    """The mean, its spread, and predictions of held-out rows in units of y."""
    X, y = numbers
    network = MLPRegressor(**NET | {"max_iter": 150}, standardize_y=True, dropout=0.1)
    model = FoldEnsembleRegressor(network, cv=4, n_repeats=2, random_state=0).fit(X, y)
    assert len(model.estimators_) == 8
    members = np.array([member.predict(X) for member in model.estimators_])
    np.testing.assert_allclose(model.predict(X), members.mean(axis=0), rtol=1e-10)
    assert r2_score(y, model.oof_prediction_) > 0.5
    assert -model.oof_score_ == pytest.approx(
        np.mean((model.oof_prediction_ - y) ** 2) / 2, rel=0.5
    )
    mean, std = model.predict(X, return_std=True, n_draws=20)
    each = [m.predict(X, return_std=True, n_draws=20) for m in model.estimators_]
    variance = np.mean([s**2 for _, s in each], axis=0) + np.var([m for m, _ in each], axis=0)
    np.testing.assert_allclose(std, np.sqrt(variance), rtol=1e-6)
    np.testing.assert_allclose(mean, np.mean([m for m, _ in each], axis=0), rtol=1e-6)


def test_quantiles_and_several_targets(numbers):
    X, y = numbers
    network = MLPRegressor("quantile", quantile=[0.1, 0.9], **NET, standardize_y=True)
    model = FoldEnsembleRegressor(network, random_state=0).fit(X, y)
    low, high = model.predict(X).T
    assert (low < high).mean() > 0.9 and model.oof_prediction_.shape == (200, 2)
    assert 0 < model.score(X, y) < 1
    two = FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), random_state=0)
    assert two.fit(X, np.c_[y, -y]).predict(X).shape == (200, 2)


def test_splitters_and_groups(classes):
    """Splits, splitters, and groups by routing; nowhere else."""
    X, y = classes
    groups = np.repeat(np.arange(30), 10)
    model = FoldEnsembleClassifier(MLPClassifier(**NET), cv=GroupKFold(3), random_state=0)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(cv=GroupKFold(3).set_split_request(groups=True))
        routed.fit(X, y, groups=groups)
    direct = clone(model).set_params(cv=list(GroupKFold(3).split(X, y, groups))).fit(X, y)
    np.testing.assert_array_equal(routed.predict_proba(X), direct.predict_proba(X))
    same = clone(model).set_params(cv=KFold(3)).fit(X, y)
    assert len(same.estimators_) == 3
    with pytest.warns(UserWarning, match="n_repeats has an effect with a number of folds"):
        repeated = clone(same).set_params(n_repeats=4).fit(X, y)
    np.testing.assert_array_equal(repeated.predict_proba(X), same.predict_proba(X))
    for cv in (3, None, list(KFold(3).split(X))):
        with pytest.raises(TypeError, match="fit got groups, for which cv has no use"):
            clone(model).set_params(cv=cv).fit(X, y, groups=groups)


def test_masks_are_rows(classes):
    """As scikit-learn's splits may be; other things are refused."""
    X, y = classes
    mask = np.arange(300) < 150
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0)
    by_mask = clone(model).set_params(cv=[(mask, ~mask), (~mask, mask)]).fit(X, y)
    rows = np.flatnonzero(mask), np.flatnonzero(~mask)
    by_index = clone(model).set_params(cv=[rows, rows[::-1]]).fit(X, y)
    np.testing.assert_array_equal(by_mask.oof_prediction_, by_index.oof_prediction_)
    for cv, message in (
        ([(mask[:9], ~mask)], "got bool of length 9"),
        ([(rows[0] + 0.5, rows[1])], "got float64"),
        ([(rows[0], [])], "got float64|rows to hold out"),
        ([], "rows to train on"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(model).set_params(cv=cv).fit(X, y)


def test_held_out_rows_of_a_frame(classes):
    """Whatever fit takes; and only the rows of fit."""
    X, y = classes
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(8)])
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0).fit(frame, y)
    predicted, known = model.predict_held_out(frame)
    assert known.all()
    np.testing.assert_array_equal(predicted, model.classes_[model.oof_prediction_.argmax(axis=1)])
    with pytest.raises(ValueError, match="X must hold the 300 rows of fit, got 299"):
        model.predict_held_out(frame[1:])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_members_know_the_names_of_a_frame(numbers, library):
    """They predict on frames without a warning, as the ensemble does, and refuse other columns."""
    frames = pytest.importorskip(library)
    X, y = numbers
    frame = frames.DataFrame({f"x{j}": X[:, j] for j in range(5)})
    model = FoldEnsembleRegressor(MLPRegressor(**NET, dropout=0.1, standardize_y=True), cv=3)
    model.fit(frame, y)
    for member in model.estimators_:
        np.testing.assert_array_equal(member.feature_names_in_, model.feature_names_in_)
        member.predict(frame)
    model.predict(frame), model.predict_held_out(frame), model.score(frame, y)
    mean, std = model.predict(frame, return_std=True, n_draws=5)
    with pytest.warns(UserWarning, match="FoldEnsembleRegressor was fitted with") as record:
        again = model.predict(X, return_std=True, n_draws=5)
    assert len(record) == 1
    np.testing.assert_array_equal(again, [mean, std])
    with pytest.raises(ValueError, match="feature names should match"):
        model.estimators_[0].predict(frame[list(frame.columns[::-1])])
    assert not hasattr(model.fit(X, y).estimators_[0], "feature_names_in_")


def test_rows_are_kept_in_four_bytes(numbers):
    model = FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), cv=3).fit(*numbers)
    assert {rows.dtype for rows in model._held_out} == {np.dtype(np.int32)}


def test_a_scorer_sees_no_names(numbers):
    """Networks validate on arrays, also where the ensemble was given a frame."""
    X, y = numbers
    frame = pd.DataFrame(X).add_prefix("x")
    network = MLPRegressor(**NET, standardize_y=True, scoring=lambda model, X, y: model.score(X, y))
    model = FoldEnsembleRegressor(network, cv=3, random_state=0).fit(frame, y)
    assert list(model.estimators_[0].feature_names_in_) == list(frame.columns)


def test_score_by_the_others():
    """On curves: each at the epoch that the mean of the others prefers."""
    folds = Folds.__new__(Folds)
    folds.splits = [None] * 3
    curves = [[3.0, 1.0, 2.0], [3.0, 2.0, 1.0], [1.0, 5.0]]
    folds.losses = lambda job: np.array(curves[job[1]])
    # others of 0: [4, 7, 6] -> 0; of 1: [4, 6, 7] -> 0; of 2: [6, 3, 3] -> 1
    assert folds.score_by_the_others(0) == -(3 + 3 + 5) / 3


@pytest.mark.filterwarnings("default:.*networks reached max_iter")
def test_networks_that_still_learn_are_told_once(classes):
    model = FoldEnsembleClassifier(MLPClassifier(**NET | {"max_iter": 2}), random_state=0)
    with pytest.warns(ConvergenceWarning, match="5 of 5 networks reached max_iter=2") as record:
        model.fit(*classes)
    assert len(record) == 1


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"random_state": 3}, "random_state of"),
        ({"warm_start": True}, "warm_start of"),
        ({"validation_fraction": 0.3}, "validation_fraction of"),
        ({"warm_start": True, "random_state": 0}, "random_state, warm_start of"),
    ],
)
@pytest.mark.parametrize("cls", [FoldEnsembleClassifier, TabularClassifier])
def test_what_the_ensemble_decides_itself(classes, cls, params, named):
    """Is told once, and does nothing."""
    plain = cls(estimator=MLPClassifier(**NET), cv=3, random_state=0).fit(*classes)
    model = cls(estimator=MLPClassifier(**NET, **params), cv=3, random_state=0)
    with pytest.warns(UserWarning, match=f"^{named} the estimator: no effect") as record:
        model.fit(*classes)
    assert sum("no effect" in str(each.message) for each in record) == 1
    np.testing.assert_array_equal(model.predict_proba(classes[0]), plain.predict_proba(classes[0]))


def test_the_folds_of_a_search_tell_once(classes):
    """Whatever the seeds that are tried."""
    model = FoldEnsembleClassifier(MLPClassifier(**NET), cv=2, random_state=0)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        GridSearchCV(model, {"estimator__random_state": [1, 2]}, cv=2).fit(*classes)
    assert sum("no effect" in str(each.message) for each in record) == 1


def test_what_a_member_cannot_be(classes):
    """Of lbfgs, which has no epochs."""
    with pytest.raises(ValueError, match=r"lbfgs.*Use solver='adam' or 'sgd'"):
        FoldEnsembleClassifier(MLPClassifier(solver="lbfgs")).fit(*classes)


def test_weights_reach_the_members(classes):
    """In training and validation."""
    X, y = classes
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0)
    weight = np.where(y == "a", 20.0, 1.0)
    heavy = clone(model).fit(X, y, sample_weight=weight)
    plain = model.fit(X, y)
    assert (heavy.predict(X) == "a").mean() > (plain.predict(X) == "a").mean()
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_fit_request(sample_weight=True).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(heavy.predict_proba(X), routed.predict_proba(X))


def test_errors_and_the_state_before(classes):
    """Another estimator is refused; a fit that fails leaves the ensemble as it was."""
    X, y = classes
    with pytest.raises(TypeError, match=r"must be a MLPClassifier, .* got MLPRegressor"):
        FoldEnsembleClassifier(MLPRegressor()).fit(X, y)
    model = FoldEnsembleClassifier(MLPClassifier(**NET), random_state=0).fit(X, y)
    before = vars(model).copy()
    model.set_params(estimator=MLPClassifier(**NET, dropout=[0.1, 0.2]))
    with pytest.raises(ValueError, match="dropout has 2 values"):
        model.fit(X, y)
    del before["estimator"]
    assert {n: v for n, v in vars(model).items() if n != "estimator"}.keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


def test_default_members(classes, numbers):
    """A network that stops early; y scaled."""
    X, y = classes
    model = fit_quietly(FoldEnsembleClassifier(random_state=0), X, y)
    assert all(member.early_stopping for member in model.estimators_)
    assert fit_quietly(FoldEnsembleRegressor(random_state=0), *numbers).estimators_[0].standardize_y


# ------------------------------------------------------------------------------------ pipelines


def test_pipelines_are_fitted_fold_by_fold(classes):
    """As each of them would be on the rows that its network trains on, and no others."""
    X, y = classes
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    model = FoldEnsembleClassifier(pipe, cv=3, random_state=0).fit(X, y)
    for member, held_out in zip(model.estimators_, model._held_out, strict=True):
        train = np.setdiff1d(np.arange(len(y)), held_out)
        np.testing.assert_allclose(member[0].mean_, X[train].mean(axis=0))
        assert isinstance(member[1], MLPClassifier) and member[1].early_stopping
    by_hand = [
        softmax(np.log(member.predict_proba(X)) / model.temperature_, axis=1)
        for member in model.estimators_
    ]
    np.testing.assert_allclose(model.predict_proba(X), np.mean(by_hand, axis=0), rtol=1e-6)
    held_out, known = model.predict_held_out(X)
    assert known.all()
    np.testing.assert_array_equal(held_out, model.classes_[model.oof_prediction_.argmax(axis=1)])
    with pytest.raises(ValueError, match="X has 7 features"):
        model.predict(X[:, :7])


def test_pipelines_of_frames_and_regressors(numbers):
    X, y = numbers
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(5)])
    scaler = StandardScaler().set_output(transform="pandas")
    pipe = make_pipeline(scaler, MLPRegressor(**NET, dropout=0.1, standardize_y=True))
    model = FoldEnsembleRegressor(pipe, cv=3, random_state=0).fit(frame, y)
    assert list(model.feature_names_in_) == list(frame.columns)
    mean, std = model.predict(frame, return_std=True)
    assert mean.shape == std.shape == y.shape and (std > 0).all()
    np.testing.assert_allclose(model.oof_prediction_, model.predict_held_out(frame)[0])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])


def test_parameters_of_members_are_checked(classes):
    with pytest.raises(ValueError, match="The 'dropout' parameter of MLPClassifier"):
        FoldEnsembleClassifier(MLPClassifier(dropout=-1.0)).fit(*classes)
    with pytest.warns(UserWarning, match="warmup has no effect with learning_rate='one_cycle'"):
        FoldEnsembleClassifier(
            MLPClassifier(**NET, warmup=0.1, learning_rate="one_cycle"), cv=2
        ).fit(*classes)


def test_a_fold_that_diverges_has_a_finite_score(numbers):
    """It is scored among the epochs before, whose weights are kept."""
    X, y = numbers
    network = MLPRegressor(
        hidden_layer_sizes=(8,), solver="sgd", learning_rate_init=0.02, max_iter=30
    )
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        model = FoldEnsembleRegressor(network, cv=3, random_state=0).fit(X, y * 3)
    assert np.isfinite(model.oof_score_)
