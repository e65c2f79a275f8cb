"""RegularizationSearchCV: rounds that train on, honest scores, finals, and its contract."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import (
    make_classification,
    make_multilabel_classification,
    make_regression,
)
from sklearn.decomposition import PCA
from sklearn.exceptions import (
    ConvergenceWarning,
    FitFailedWarning,
    NotFittedError,
    UnsetMetadataPassedError,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import (
    MLPClassifier,
    MLPRegressor,
    RegularizationSearchCV,
    TableEncoder,
    TabularClassifier,
    TabularRegressor,
    search_space,
)
from skreg.augmentation import Augmented, FeatureNoise, MixUp
from skreg.ensemble import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    WeightedEnsembleClassifier,
)
from skreg.ensemble.fronts import Front
from skreg.model_selection import trials as trials_module
from skreg.model_selection.contest import Contest
from skreg.model_selection.rounds import rounds_of
from skreg.model_selection.selection import greedy_weights
from skreg.model_selection.trials import Trials

NET = {"hidden_layer_sizes": (8,), "max_iter": 24, "learning_rate_init": 0.01, "batch_size": 32}
SPACE = {
    "dropout": [0.0, 0.1, 0.3],
    "alpha": [0.0, 1e-4, 1e-2],
    "learning_rate_init": [0.003, 0.02],
}
QUICK = {"n_candidates": 6, "cv": 3, "random_state": 0}
# Short trainings, of networks that are not the subject here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*networks reached max_iter"),
    pytest.mark.filterwarnings("ignore:.*were still learning after"),
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
]


def prefixed(space, step):
    return {f"{step}__{name}": values for name, values in space.items()}


def quick(estimator=None, space=SPACE, **options):
    estimator = MLPClassifier(**NET) if estimator is None else estimator
    return RegularizationSearchCV(estimator, space, **{**QUICK, **options})


@pytest.fixture(scope="module")
def classes():
    X, y = make_classification(240, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def numbers():
    X, y = make_regression(200, 5, noise=20, random_state=0)
    return X, 100 + y


SMALL = {"hidden_layer_sizes": (8,), "max_iter": 12, "learning_rate_init": 0.01}


@parametrize_with_checks(
    [
        quick(MLPClassifier(**SMALL), n_candidates=3),
        quick(MLPRegressor(**SMALL, standardize_y=True), n_candidates=3),
        quick(MLPClassifier(**SMALL), n_candidates=2, final="ensemble"),
        quick(MLPClassifier(**SMALL), n_candidates=2, final="retrain"),
    ]
)
def test_common_checks(estimator, check):
    """All of scikit-learn's."""
    check(estimator)


# ------------------------------------------------------------------------------------ rounds


def test_rounds():
    """A third goes on to three times the epochs; the last one trains to the end."""
    assert rounds_of(64, 3, 4, 200) == [(64, 4), (22, 12), (8, 36), (3, 108), (1, 200)]
    assert rounds_of(27, 3, 1, 9) == [(27, 1), (9, 3), (3, 9)]
    assert rounds_of(1, 3, 10, 50) == rounds_of(1, 3, "auto", 50) == [(1, 50)]
    assert rounds_of(9, 3, 40, 50) == [(9, 40), (3, 50)]
    assert rounds_of(9, 3, 80, 50) == [(9, 50)]
    assert rounds_of(10, 2.5, 2, 100) == [(10, 2), (4, 5), (2, 13), (1, 100)]
    assert rounds_of(3, 1.1, 1, 5) == [(3, 1), (2, 2), (1, 5)]
    assert rounds_of(64, 3, "auto", 200) == [(64, 3), (22, 9), (8, 27), (3, 81), (1, 200)]
    assert rounds_of(9, 3, "auto", 200) == [(9, 23), (3, 69), (1, 200)]
    assert rounds_of(64, 3, "auto", 1000)[:2] == [(64, 3), (22, 9)]
    assert rounds_of(64, 3, "auto", 2000, 5)[:2] == [(64, 10), (22, 30)]
    assert rounds_of(64, 3, "auto", 27) == [(64, 1), (22, 3), (8, 9), (3, 27)]


def test_survivors_train_on(classes):
    """The networks of the winner are those of a fit without rounds, bit for bit."""
    X, y = classes
    search = quick(min_epochs=2, n_candidates=9).fit(X, y)
    assert search.rounds_ == [(9, 2), (3, 6), (1, 24)]
    results = pd.DataFrame(search.cv_results_)
    assert list(results["round"]) == [0] * 9 + [1] * 3 + [2]
    assert list(results["epochs"][:12]) == [2] * 9 + [6] * 3 and results["epochs"][12] > 6
    alone = quick(min_epochs=24, n_candidates=9).fit(X, y)  # all to the end at once
    assert alone.rounds_ == [(9, 24)]
    winner = results["candidate"][search.best_index_]
    whole = pd.DataFrame(alone.cv_results_).query(f"candidate == {winner}").iloc[0]
    assert whole["mean_test_score"] == search.best_score_
    assert whole["params"] == search.best_params_


def test_the_better_third_goes_on(classes):
    search = quick(min_epochs=2, n_candidates=9).fit(*classes)
    results = pd.DataFrame(search.cv_results_)
    for r in (0, 1):
        here, after = results[results["round"] == r], results[results["round"] == r + 1]
        went_on = here["candidate"].isin(after["candidate"])
        assert here["mean_test_score"][went_on].min() >= here["mean_test_score"][~went_on].max()
    assert search.best_score_ == results["mean_test_score"].iloc[-1]


@pytest.mark.parametrize("final", ["folds", "ensemble", "retrain"])
def test_same_result_for_any_number_of_threads(classes, final):
    X, y = classes
    one, three = (quick(final=final, n_jobs=n).fit(X, y) for n in (None, 3))
    for name in one.cv_results_:
        if "time" not in name and name != "params":
            np.testing.assert_array_equal(one.cv_results_[name], three.cv_results_[name])
    np.testing.assert_array_equal(one.predict_proba(X), three.predict_proba(X))


def test_a_schedule_is_planned_to_the_end(classes):
    """The rate in the first round is that of the whole training."""
    seen = []
    original = Contest._ranked

    def spy(self, r, begun):
        trainers = self.trials.folds.trainers.values()
        seen.append([trainer.history.rates[-1] for trainer in trainers])
        return original(self, r, begun)

    model = MLPClassifier(**NET, learning_rate="cosine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contest, "_ranked", spy)
        quick(model, {"dropout": [0.0, 0.1, 0.2, 0.3]}, n_candidates=4, min_epochs=2,
              max_epochs=40).fit(*classes)  # fmt: skip
    assert all(rate > 0.98 * 0.01 for rate in seen[0])


# -------------------------------------------------------------------------------- honest scores


def contest_of(search, X, y):
    """What a search has run, and the search."""
    kept = []
    original = Contest.run

    def spy(self, *arguments):
        kept.append(self)
        return original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contest, "run", spy)
        search.fit(X, y)
    return kept[0]


def test_a_fold_is_scored_at_the_epoch_of_the_others(classes):
    """Trained anew for exactly that many epochs, each fold's network has exactly that score."""
    X, y = classes
    search = quick(scoring="neg_log_loss", final="retrain")
    contest = contest_of(search, X, y)
    trials, c = contest.trials, contest.last[0]
    curves = trials.curves(c)
    scores, own = [], []
    for k, (train, held_out) in enumerate(trials.folds.splits):
        others = np.delete(curves, k, axis=0).mean(axis=0)
        seed = int(np.random.SeedSequence([_seed(trials), c, k]).generate_state(1)[0])
        for epochs, kept in ((others.argmax() + 1, scores), (curves[k].argmax() + 1, own)):
            epochs = min(epochs, len(trials.folds.scores((c, k))))
            model = clone(contest.estimators[c]).set_params(
                max_iter=int(epochs), early_stopping=True, restore_best=False, random_state=seed
            )
            model.fit(X[train], y[train], X_val=X[held_out], y_val=y[held_out])
            kept.append(search.scorer_(model, X[held_out], y[held_out]))
    row = np.flatnonzero(
        (search.cv_results_["candidate"] == c)
        & (search.cv_results_["round"] == max(search.cv_results_["round"]))
    )[0]
    for k in range(3):
        assert search.cv_results_[f"split{k}_test_score"][row] == pytest.approx(scores[k], rel=1e-9)
        found = search.cv_results_[f"split{k}_own_epoch_score"][row]
        assert found == pytest.approx(own[k], rel=1e-9)
    assert search.cv_results_["mean_own_epoch_score"][row] == pytest.approx(np.mean(own))


def _seed(trials):
    return trials.folds._random_state


def test_forgetting_epochs_changes_nothing(classes, monkeypatch):
    """Looks after every epoch keep the epochs that looks at the end of a round would find."""
    X, y = classes
    rare = quick(scoring="neg_log_loss").fit(X, y)
    monkeypatch.setattr(trials_module, "SNAPSHOT_BYTES", 1)
    often = quick(scoring="neg_log_loss").fit(X, y)
    for name in ("mean_test_score", "mean_own_epoch_score"):
        np.testing.assert_array_equal(rare.cv_results_[name], often.cv_results_[name])


def test_own_epochs_flatter(classes):
    """By the loss that is watched no epoch of the others can be better than a fold's own."""
    search = quick(scoring="neg_log_loss", n_candidates=9).fit(*classes)
    gain = search.cv_results_["mean_own_epoch_score"] - search.cv_results_["mean_test_score"]
    assert (gain >= -1e-12).all() and gain.max() > 0


def test_train_scores(classes):
    X, y = classes
    search = quick(return_train_score=True).fit(X, y)
    assert (search.cv_results_["mean_train_score"] > 0.3).all()
    assert "mean_train_score" not in quick().fit(X, y).cv_results_


def test_a_single_split(classes):
    """Without other folds its own epoch is what there is."""
    X, y = classes
    split = [(np.arange(160), np.arange(160, 240))]
    search = quick(cv=split).fit(X, y)
    assert search.n_splits_ == 1
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], search.cv_results_["mean_own_epoch_score"]
    )


def test_memory_is_bounded(classes, monkeypatch):
    monkeypatch.setattr(trials_module, "MOST_BYTES", 10_000)
    with pytest.raises(ValueError, match=r"18 networks at a time would need .* fewer candidates"):
        quick().fit(*classes)


def test_candidates_left_behind_are_let_go(classes):
    """Of those that do not go on no training is kept."""
    contest = contest_of(quick(n_candidates=9, min_epochs=2), *classes)
    assert {c for c, _ in contest.trials.folds.trainers} == set(contest.last)
    assert {c for c, _ in contest.trials.recent} == set(contest.last)


# --------------------------------------------------------------------------------------- finals


def test_folds_are_the_networks_of_the_search(classes):
    """As an ensemble over the same folds would be that is trained with the same seeds."""
    X, y = classes
    search = quick().fit(X, y)
    best = search.best_estimator_
    assert type(best) is FoldEnsembleClassifier and len(best.estimators_) == 3
    winner = search.cv_results_["candidate"][search.best_index_]
    contest = contest_of(quick(), X, y)
    member = contest.trials.folds.member((winner, 1))
    np.testing.assert_array_equal(member.coefs_[0], best.estimators_[1].coefs_[0])
    assert best.oof_prediction_.shape == (240, 3) and best.temperature_ > 0
    again = clone(best).fit(X, y)  # it is an estimator like any other
    assert again.score(X, y) > 0.5


def test_retrained_for_the_epochs_of_the_folds(classes):
    X, y = classes
    search = quick(final="retrain").fit(X, y)
    best = search.best_estimator_
    assert type(best) is MLPClassifier and not best.early_stopping
    assert best.n_iter_ == search.best_epoch_ == best.max_iter
    assert {name: getattr(best, name) for name in search.best_params_} == search.best_params_
    np.testing.assert_array_equal(clone(best).fit(X, y).predict_proba(X), search.predict_proba(X))


def test_greedy_selection():
    """Two halves that are right together beat each; one that only harms is not chosen."""
    y = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])
    halves = [np.where(np.arange(8) % 2 == half, y, 0.5)[:, None] for half in (0, 1)]
    wrong = (1 - y)[:, None]

    def score(mean):
        return -np.mean((mean[:, 0] - y) ** 2)

    counts, best = greedy_weights([*halves, wrong], score)
    assert counts[2] == 0 and counts[0] == counts[1] > 0
    assert best == score((halves[0] + halves[1]) / 2)
    counts, best = greedy_weights([y[:, None], *halves], score)
    assert list(counts) == [1, 0, 0] and best == 0


def test_ensemble_is_what_its_weights_say(classes):
    X, y = classes
    search = quick(final="ensemble", scoring="neg_log_loss", n_candidates=9).fit(X, y)
    best = search.best_estimator_
    assert type(best) is WeightedEnsembleClassifier
    mean = sum(w * e.predict_proba(X) for w, e in zip(best.weights_, best.estimators_, strict=True))
    np.testing.assert_allclose(search.predict_proba(X), mean, rtol=1e-12)
    assert best.weights_.sum() == pytest.approx(1)
    assert search.ensemble_score_ >= search.best_score_ - 0.05
    again = clone(best).fit(X, y)
    np.testing.assert_allclose(again.weights_, best.weights_)
    assert again.score(X, y) > 0.5
    with pytest.raises(ValueError, match="one number >= 0 for each"):
        clone(best).set_params(weights=[-1] * len(best.estimators)).fit(X, y)


def test_temperatures_are_of_members(classes):
    """Of smoothed networks too the probabilities are as certain as they are right."""
    X, y = classes
    space = {"label_smoothing": [0.3], "dropout": [0.0, 0.1]}
    search = quick(space=space, n_candidates=2, final="ensemble").fit(X, y)
    assert all(member.temperature_ < 0.95 for member in search.best_estimator_.estimators_)


# ----------------------------------------------------------------------------------- estimators


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
    by_hand = np.mean([m.predict_proba(X).argmax(axis=1) == y.searchsorted(y) for m in
                       best.estimators_])  # fmt: skip
    assert 0 <= by_hand <= 1 and search.score(X, y) > 0.5


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


class Spy(StandardScaler):
    """Which rows it was fitted on."""

    seen: list = []

    def fit(self, X, y=None, sample_weight=None):
        Spy.seen.append((len(X), None if sample_weight is None else sample_weight.sum()))
        return super().fit(X, y, sample_weight)


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


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.integers(18, 90, 240), "town": rng.choice(["a", "b", "c"], 240)})
    X.loc[rng.random(240) < 0.1, "age"] = None
    y = (X["age"].fillna(50) > 50) ^ (X["town"] == "a")
    return X, y.map({True: "yes", False: "no"})


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
    assert search.best_estimator_.encoder_.numeric == search.best_params_["encoder"].numeric
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


# ------------------------------------------------------------------------------------- contract


def test_results_have_scikit_learns_columns(classes):
    X, y = classes
    ours = quick(return_train_score=True).fit(X, y).cv_results_
    theirs = RandomizedSearchCV(
        MLPClassifier(**NET, early_stopping=True), SPACE, n_iter=2, cv=3, return_train_score=True
    ).fit(X, y)
    more = {name for name in ours if "own_epoch" in name} | {"candidate", "round", "epochs"}
    assert set(ours) == set(theirs.cv_results_) | more
    assert all(len(column) == 8 for column in ours.values())  # six candidates, two go on
    assert ours["rank_test_score"].min() == 1


def test_several_metrics(classes):
    X, y = classes
    scoring = {"accuracy": "accuracy", "loss": "neg_log_loss"}
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        quick(scoring=scoring).fit(X, y)
    search = quick(scoring=scoring, refit="loss").fit(X, y)
    assert search.multimetric_ and set(search.scorer_) == {"accuracy", "loss"}
    assert search.best_score_ == search.cv_results_["mean_test_loss"][search.best_index_]
    assert search.score(X, y) < 0  # that of refit
    last = search.cv_results_["round"] == max(search.cv_results_["round"])
    assert search.best_score_ == search.cv_results_["mean_test_loss"][last].max()
    without = quick(scoring=scoring, refit=False).fit(X, y)
    assert not hasattr(without, "best_estimator_") and not hasattr(without, "best_index_")
    assert "mean_own_epoch_accuracy" in without.cv_results_


def test_scoring_by_a_function_sees_the_whole_estimator(mixed):
    """What is not made by make_scorer gets the pipeline, and X as it was passed."""
    X, y = mixed
    front = make_column_transformer((OneHotEncoder(), ["town"]), remainder=TableEncoder())
    pipe = make_pipeline(front, MLPClassifier(**NET))
    kinds = []

    def several(estimator, X, y):
        kinds.append((type(estimator), type(X)))
        return {"accuracy": accuracy_score(y, estimator.predict(X)), "rows": len(X)}

    space = prefixed(SPACE, "mlpclassifier")
    search = quick(pipe, space, scoring=several, refit="accuracy").fit(X, y)
    assert set(kinds) == {(Pipeline, pd.DataFrame)}
    assert (search.cv_results_["mean_test_rows"] == 80).all()
    plain = quick(pipe, space, scoring="accuracy").fit(X, y)
    np.testing.assert_array_equal(
        plain.cv_results_["mean_test_score"], search.cv_results_["mean_test_accuracy"]
    )


def test_refit_chooses(classes):
    X, y = classes

    def least_dropout(results):
        last = np.flatnonzero(results["round"] == max(results["round"]))
        return int(last[np.argmin(results["param_dropout"][last].astype(float))])

    search = quick(refit=least_dropout).fit(X, y)
    last = search.cv_results_["round"] == 1
    assert search.best_params_["dropout"] == min(search.cv_results_["param_dropout"][last])
    assert not hasattr(search, "best_score_")
    with pytest.raises(ValueError, match="was left behind before the last round"):
        quick(refit=lambda results: _left_behind(results)).fit(X, y)
    search = quick(refit=False).fit(X, y)
    assert not hasattr(search, "best_estimator_") and search.best_params_
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        search.predict(X)


def _left_behind(results):
    last = set(results["candidate"][results["round"] == max(results["round"])])
    return next(i for i, c in enumerate(results["candidate"]) if c not in last)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_candidates_that_fail(classes):
    """They score as error_score says, with a warning, and harm no other one."""
    X, y = classes
    space = {"mlpclassifier__dropout": [0.1, 2.0, 0.2]}
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 9") as caught:
        search = quick(pipe, space, n_candidates=3).fit(X, y)
    assert any("The 'dropout' parameter" in str(w.message) for w in caught)
    failed = search.cv_results_["param_mlpclassifier__dropout"] == 2.0
    assert np.isnan(search.cv_results_["mean_test_score"][failed]).all()
    assert search.best_params_["mlpclassifier__dropout"] != 2.0
    with pytest.raises(ValueError, match="dropout"):
        quick(pipe, space, n_candidates=3, error_score="raise").fit(X, y)
    with pytest.warns(FitFailedWarning):
        search = quick(pipe, space, n_candidates=3, error_score=-1.0).fit(X, y)
    assert -1.0 in search.cv_results_["mean_test_score"]
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        quick(pipe, {"mlpclassifier__dropout": [2.0]}, n_candidates=1).fit(X, y)
    with pytest.raises(ValueError, match="Invalid parameter 'drop'"):
        quick(space={"drop": [1]}).fit(X, y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_candidate_that_diverges(classes):
    X, y = classes
    space = {"learning_rate_init": [0.01, 1e300], "dropout": [0.0, 0.1]}
    with pytest.warns(FitFailedWarning, match="non-finite"):
        search = quick(space=space, n_candidates=4).fit(X, y)
    assert search.best_params_["learning_rate_init"] == 0.01


def test_a_fit_that_fails_leaves_it_as_it_was(classes):
    X, y = classes
    search = quick().fit(X, y)
    before = dict(vars(search))
    with pytest.raises(ValueError):
        search.fit(np.full_like(X, np.nan), y)
    assert vars(search) == before


def test_groups_and_weights(classes):
    """Without routing: groups go to the splitter, weights to the network of a pipeline's step."""
    X, y = classes
    groups = np.repeat(np.arange(24), 10)
    search = quick(cv=GroupKFold(3))
    kept = []
    original = Contest.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contest, "run", lambda self, *a: (kept.append(self), original(self, *a)))
        search.fit(X, y, groups=groups)
        quick(make_pipeline(Spy(), MLPClassifier(**NET)), prefixed(SPACE, "mlpclassifier")).fit(
            X, y, mlpclassifier__sample_weight=np.arange(240.0), spy__sample_weight=np.ones(240)
        )
    for train, held_out in kept[0].trials.folds.splits:
        assert not set(groups[train]) & set(groups[held_out])
    trainer = kept[1].trials.folds.trainers[kept[1].last[0], 0]
    train, held_out = kept[1].trials.folds.splits[0]
    np.testing.assert_array_equal(trainer.rows.weight, np.arange(240.0)[[*train, *held_out]])
    with pytest.raises(ValueError, match="does not accept the sample_weight parameter"):
        quick(make_pipeline(Spy(), MLPClassifier(**NET)), {"spy__with_mean": [True]}).fit(
            X, y, sample_weight=np.ones(240)
        )
    with pytest.raises(TypeError, match="fit got X_val"):
        quick().fit(X, y, X_val=X)


def test_weights_count(classes):
    """Rows without weight are as if they were not there."""
    X, y = classes
    weight = np.ones(240)
    weight[200:] = 0
    noise = np.concatenate([y[:200], np.random.RandomState(0).permutation(y[200:])])
    search = quick(MLPClassifier(**NET)).fit(X, y, sample_weight=weight)
    other = quick(MLPClassifier(**NET)).fit(X, noise, sample_weight=weight)
    np.testing.assert_array_equal(search.predict_proba(X), other.predict_proba(X))


def test_metadata_routing(classes):
    X, y = classes
    weight, groups = np.arange(1.0, 241), np.repeat(np.arange(24), 10)
    Spy.seen.clear()
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        pipe = make_pipeline(
            Spy().set_fit_request(sample_weight=False),
            MLPClassifier(**NET).set_fit_request(sample_weight=True),
        )
        search = quick(pipe, prefixed(SPACE, "mlpclassifier"), cv=GroupKFold(3), scoring=scorer)
        search.fit(X, y, sample_weight=weight, groups=groups)
        nested = cross_val_score(
            search, X, y, cv=GroupKFold(2), scoring=scorer,
            params={"sample_weight": weight, "groups": groups},
        )  # fmt: skip
    assert {w for _, w in Spy.seen} == {None} and np.isfinite(nested).all()
    best = search.best_estimator_
    winner = search.cv_results_["candidate"][search.best_index_]
    assert len(best.estimators_) == 3 and winner >= 0


@pytest.mark.parametrize("make", [pd.DataFrame, "polars"])
def test_frames(classes, make):
    X, y = classes
    if make == "polars":
        make = pytest.importorskip("polars").DataFrame
    frame = make({f"x{j}": X[:, j] for j in range(6)})
    for model, space in (
        (MLPClassifier(**NET), SPACE),
        (make_pipeline(StandardScaler().set_output(transform="pandas"), MLPClassifier(**NET)),
         prefixed(SPACE, "mlpclassifier")),
    ):  # fmt: skip
        search = quick(model, space, final="ensemble").fit(frame, y)
        assert list(search.feature_names_in_) == [f"x{j}" for j in range(6)]
        np.testing.assert_allclose(
            search.predict_proba(frame), quick(model, space, final="ensemble").fit(
                pd.DataFrame(X, columns=search.feature_names_in_), y).predict_proba(frame),
        )  # fmt: skip
        with pytest.raises(ValueError, match="feature names"):
            search.predict(frame[["x1", "x0", "x2", "x3", "x4", "x5"]])


def test_sparse(classes):
    import scipy.sparse as sp

    X, y = classes
    dense, sparse = quick().fit(X, y), quick().fit(sp.csr_array(X), y)
    np.testing.assert_allclose(sparse.predict_proba(X), dense.predict_proba(X), rtol=1e-6)


def test_within_pipelines_and_cross_validation(classes):
    X, y = classes
    model = make_pipeline(StandardScaler(), quick())
    scores = cross_val_score(model, X, y, cv=2)
    assert (scores > 0.4).all()
    fitted = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(fitted.predict(X), model.predict(X))
    assert fitted[-1].cv_results_["round"].max() == 1
    with joblib.parallel_backend("threading"):
        np.testing.assert_array_equal(cross_val_score(model, X, y, cv=2, n_jobs=2), scores)


def test_dask(classes, tmp_path):
    """An outer loop on a cluster of two processes, each of which runs whole searches."""
    distributed = pytest.importorskip("distributed")
    X, y = classes
    expected = cross_val_score(quick(), X, y, cv=2)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with (
        distributed.LocalCluster(
            **options, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_backend("dask"),
    ):
        np.testing.assert_array_equal(cross_val_score(quick(), X, y, cv=2, n_jobs=2), expected)


def test_optuna(classes):
    optuna = pytest.importorskip("optuna")
    space = search_space("light", MLPClassifier(), *classes)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.suggest(study.ask()) for _ in range(20)]
    assert len({params["hidden_layer_sizes"] for params in drawn}) > 5
    for params in drawn:
        MLPClassifier(**params)._validate_params()


def test_not_fitted():
    with pytest.raises(NotFittedError):
        quick().predict(np.ones((1, 6)))


def test_splitters(classes):
    X, y = classes
    for cv, n in ((KFold(4), 4), (StratifiedKFold(2), 2), (None, 5)):
        assert quick(cv=cv, refit=False).fit(X, y).n_splits_ == n


def test_lists_give_all_their_combinations(classes):
    search = quick(space={"dropout": [0.0, 0.1]}, n_candidates=50).fit(*classes)
    assert sorted(p["dropout"] for p in search.cv_results_["params"][:2]) == [0.0, 0.1]
    assert search.rounds_ == [(2, 10), (1, 24)]


def test_the_end_of_training_is_told(classes):
    X, y = classes
    with pytest.warns(ConvergenceWarning, match="3 of the 3 networks .* learning after 3 epochs"):
        quick(max_epochs=3, n_candidates=1).fit(X, y)


def test_a_candidate_may_have_an_end_of_its_own(classes):
    X, y = classes
    search = quick(space={"max_iter": [3, 30]}, n_candidates=2, min_epochs=30).fit(X, y)
    results = search.cv_results_
    epochs = dict(zip(results["param_max_iter"], results["epochs"], strict=True))
    assert epochs[3] == 3 and epochs[30] > 3


def test_what_the_search_decides_itself(classes):
    """A seed of the network has no effect, and says so; one epoch count holds for all."""
    X, y = classes
    with pytest.warns(UserWarning, match="random_state of the estimator: no effect"):
        quick(MLPClassifier(**NET, random_state=3)).fit(X, y)
    assert quick(max_epochs=7, n_candidates=1).fit(X, y).rounds_ == [(1, 7)]


def test_each_fold_knows_all_classes(classes):
    """Where the rows of a fold, all that a pipeline sees, hold fewer."""
    X, _ = classes
    y = np.where(np.arange(240) < 120, np.where(X[:, 0] > 0, "a", "b"), "c")
    y[120:][X[120:, 0] > 0] = "b"
    cv = [(np.arange(80), np.arange(80, 120)), (np.arange(120, 200), np.arange(200, 240))]
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    search = quick(pipe, {"mlpclassifier__dropout": [0.0, 0.1]}, n_candidates=2, cv=cv).fit(X, y)
    for member in search.best_estimator_.estimators_:
        assert list(member.classes_) == ["a", "b", "c"] == list(search.classes_)
    plain = quick(space={"dropout": [0.0]}, n_candidates=1, cv=cv).fit(X, y)
    assert list(plain.classes_) == ["a", "b", "c"]


def test_an_iterator_of_splits_is_kept(classes):
    X, y = classes
    for final in ("folds", "ensemble"):
        best = quick(final=final, cv=KFold(3).split(X)).fit(X, y).best_estimator_
        assert clone(best).fit(X, y).score(X, y) > 0.3


def test_the_result_shows_what_it_was_trained_with(mixed, classes):
    best = quick(max_epochs=6).fit(*classes).best_estimator_
    assert best.estimator.max_iter == 6 and best.cv == 3
    model = TabularClassifier(hidden_layer_sizes=(8,))
    best = (
        quick(model, {"dropout": [0.0]}, n_candidates=1, max_epochs=6).fit(*mixed).best_estimator_
    )
    assert best.params_["cv"] == best.cv == 3 and best.params_["max_iter"] == best.max_iter == 6


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_scores_that_are_no_numbers(classes):
    """Whatever it ends in, the search ends."""
    X, y = classes
    y = np.unique(y, return_inverse=True)[1]
    cv = [(np.arange(200), np.flatnonzero(y == k)[:9]) for k in (0, 1)]
    for final in ("folds", "ensemble"):
        with pytest.warns(UserWarning, match="scoring failed|Scoring failed|non-finite"):
            search = quick(cv=cv, scoring="neg_log_loss", final=final, n_candidates=2).fit(X, y)
        assert search.predict(X).shape == (240,)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_error_scores_do_not_win(numbers):
    """Nor does the order of what fails and what does not matter."""
    space = {"learning_rate_init": [-1.0, 1e-3]}
    for seed in (0, 1, 2):
        with pytest.warns(FitFailedWarning):
            search = quick(
                MLPRegressor(**NET), space, n_candidates=2, error_score=1.0, random_state=seed
            ).fit(*numbers)
        assert search.best_params_["learning_rate_init"] == 1e-3
        assert search.best_score_ < 1
    combinations = {"solver": ["adam", "lbfgs"]}  # valid one by one, but not on folds
    with pytest.warns(FitFailedWarning, match="does not train in epochs"):
        search = quick(MLPRegressor(**NET), combinations, n_candidates=2).fit(*numbers)
    assert search.best_params_ == {"solver": "adam"}


def test_texts():
    """What has no columns goes to the first step as it is."""
    texts, y = ["red fox", "grey wolf"] * 30, np.arange(60) % 2
    pipe = make_pipeline(CountVectorizer(), MLPClassifier(**NET))
    for X in (texts, pd.Series(texts)):
        search = quick(pipe, {"mlpclassifier__dropout": [0.0, 0.1]}, n_candidates=2).fit(X, y)
        assert search.score(X, y) > 0.9


def test_transformed_tables_are_let_go(classes):
    X, y = classes
    pipe = make_pipeline(PCA(), MLPClassifier(**NET))
    space = {"pca__n_components": [1, 2, 3, 4, 5, 6]}
    contest = contest_of(quick(pipe, space, min_epochs=8), X, y)
    assert len(contest.last) == 2 and len(contest.trials.folds.tables._arrays) == 2 * 3


def test_metadata_under_other_names(classes):
    X, y = classes
    weight = np.arange(1.0, 241)
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        network = MLPClassifier(**NET).set_fit_request(sample_weight="mine")
        space = {"mlpclassifier__dropout": [0.0, 0.1]}
        search = quick(make_pipeline(scaler, network), space, n_candidates=2)
        kept, original = [], Contest.run
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Contest, "run", lambda self, *a: (kept.append(self), original(self, *a)))
            search.fit(X, y, mine=weight)
        contest = kept[0]
        unset = make_pipeline(StandardScaler(), MLPClassifier().set_fit_request(sample_weight=True))
        with pytest.raises(UnsetMetadataPassedError):
            quick(unset, space, n_candidates=2).fit(X, y, sample_weight=weight)
    trainer = contest.trials.folds.trainers[contest.last[0], 0]
    train, held_out = contest.trials.folds.splits[0]
    np.testing.assert_array_equal(trainer.rows.weight, weight[[*train, *held_out]])


def test_metadata_that_nobody_asks_for(classes):
    X, y = classes
    with pytest.raises(TypeError, match="fit got groups, for which cv has no use"):
        quick().fit(X, y, groups=y)


def test_weights_of_a_step_divide_the_rows(classes):
    """Rows without weight are no rows, whatever the name of the weight."""
    X, y = classes
    weight = np.zeros(240)
    weight[::4] = 1
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    search = quick(pipe, {"mlpclassifier__dropout": [0.0]}, n_candidates=1)
    search.fit(X, y, mlpclassifier__sample_weight=weight)
    for held_out in search.best_estimator_._held_out:
        assert weight[held_out].all()


# ------------------------------------------------------------------------------ time and telling


def test_time_limit(classes):
    """With no time one epoch of one candidate is left, and a warning."""
    X, y = classes
    with pytest.warns(UserWarning, match="candidates have not begun"):
        search = quick(time_limit=1e-6, n_candidates=9).fit(X, y)
    assert np.isfinite(search.best_score_) and search.score(X, y) > 0
    enough, without = quick(time_limit=1000).fit(X, y), quick().fit(X, y)
    np.testing.assert_array_equal(enough.predict_proba(X), without.predict_proba(X))


def test_verbose(classes, capsys):
    quick(verbose=1, n_candidates=9, min_epochs=2).fit(*classes)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("Round 1 of 3: 9 candidates to epoch 2, best")


def test_callbacks_see_rounds(classes):
    pytest.importorskip("sklearn.callback")

    class Seen:
        """Names of tasks as they end; stops after so many rounds."""

        max_propagation_depth = 0

        def __init__(self, stop_after=9):
            self.names, self.stop_after = [], stop_after

        def setup(self, estimator, context):
            self.names.append("setup")

        def teardown(self, estimator, context):
            self.names.append("teardown")

        def on_fit_task_begin(self, estimator, context, **kwargs):
            pass

        def on_fit_task_end(self, estimator, context, **kwargs):
            self.names.append(context.task_name)
            return self.names.count("round") >= self.stop_after

    seen = Seen()
    quick(n_candidates=9).set_callbacks(seen).fit(*classes)
    assert seen.names == ["setup", "round", "round", "fit", "teardown"]
    seen = Seen(stop_after=1)
    search = quick(n_candidates=9).set_callbacks(seen).fit(*classes)
    assert seen.names.count("round") == 1 and max(search.cv_results_["round"]) == 0
    assert np.isfinite(search.best_score_)


def test_ctrl_c_ends_it(classes, monkeypatch):
    """And leaves it as it was."""
    original = Trials.advance

    def interrupted(self, *arguments):
        original(self, *arguments)
        next(iter(self.folds.trainers.values())).ended = "interrupted"
        self._look_for_interrupts(list(self.folds.trainers))

    monkeypatch.setattr(Trials, "advance", interrupted)
    search = quick()
    with pytest.raises(KeyboardInterrupt):
        search.fit(*classes)
    assert not hasattr(search, "cv_results_")


# --------------------------------------------------------------------------------------- spaces


ESTIMATORS = [
    (MLPClassifier(), ""),
    (MLPRegressor(), ""),
    (make_pipeline(StandardScaler(), MLPClassifier()), "mlpclassifier__"),
    (make_pipeline(Augmented(MLPRegressor(), FeatureNoise())), "augmented__estimator__"),
    (TabularClassifier(estimator=MLPClassifier()), "estimator__"),
]


@pytest.mark.parametrize("name", ["light", "cocktail", "architecture"])
@pytest.mark.parametrize(("estimator", "prefix"), ESTIMATORS, ids=lambda e: type(e).__name__)
def test_spaces_fit_their_estimators(name, estimator, prefix):
    """Whatever is drawn can be set, is valid, and fits together."""
    from sklearn.model_selection import ParameterSampler

    from skreg.ensemble.members import network_within
    from skreg.regularization.plan import Plan

    space = search_space(name, estimator, np.zeros((1000, 3)))
    for params in ParameterSampler(space, 60, random_state=0):
        model = clone(estimator).set_params(**params)
        assert all(key.startswith(prefix) for key in params)
        network = network_within(getattr(model, "estimator", None) or model)
        network.set_params(early_stopping=True)._validate_params()
        assert not list(Plan(network).without_effect())


def test_spaces_of_tabular_models():
    assert set(search_space("light", TabularClassifier())[0]) <= set(
        TabularClassifier().get_params()
    )
    with pytest.raises(ValueError, match=r"TabularRegressor has no batch_norm, .*estimator=\.\.\."):
        search_space("cocktail", TabularRegressor())
    with pytest.raises(ValueError, match="name must be one of 'light'"):
        search_space("heavy", MLPClassifier())


def test_spaces_know_the_rows():
    few, many = (search_space("light", MLPClassifier(), np.zeros((n, 1))) for n in (300, 40_000))
    assert max(few[0]["batch_size"]) < max(many[0]["batch_size"])
    assert few[0]["hidden_layer_sizes"].width[1] < many[0]["hidden_layer_sizes"].width[1]


def test_spaces_in_scikit_learns_search(classes):
    model = MLPClassifier(max_iter=3)
    search = RandomizedSearchCV(model, search_space("cocktail", model, *classes), n_iter=3, cv=2,
                                random_state=0)  # fmt: skip
    assert search.fit(*classes).best_params_


def test_spaces_in_optuna():
    """A trial is asked for each parameter of one alternative, under names of its own."""

    class Trial:
        def __init__(self, seed):
            self.rng, self.asked = np.random.RandomState(seed), []

        def suggest_int(self, name, low, high):
            self.asked.append(name)
            return int(self.rng.randint(low, high + 1))

        def suggest_float(self, name, low, high, log=False):
            self.asked.append(name)
            return float(np.exp(self.rng.uniform(np.log(low), np.log(high)))) if log else (
                float(self.rng.uniform(low, high)))  # fmt: skip

        def suggest_categorical(self, name, choices):
            assert all(isinstance(c, (bool, int, float, str)) or c is None for c in choices)
            self.asked.append(name)
            return choices[self.rng.randint(len(choices))]

    space = search_space("cocktail", MLPClassifier())
    drawn = [space.suggest(Trial(seed)) for seed in range(50)]
    for params in drawn:
        MLPClassifier(**params)._validate_params()
    assert {p["residual"] for p in drawn} == {False, True}
    assert any(p["dropout"] == 0 for p in drawn) and any(p["dropout"] > 0 for p in drawn)
    trial = Trial(0)
    space.suggest(trial)
    assert len(trial.asked) == len(set(trial.asked))


def test_distributions():
    from skreg.model_selection.distributions import LayerSizes, Range

    drawn = Range(1e-4, 1e-1, log=True, off=0.5).rvs(2000, random_state=0)
    on = drawn[drawn > 0]
    assert 900 < len(on) < 1100 and on.min() >= 1e-4 and on.max() <= 1e-1
    assert np.median(on) == pytest.approx(10**-2.5, rel=0.2)
    assert Range(0.0, 1.0).rvs(random_state=0) == Range(0.0, 1.0).rvs(random_state=0)
    sizes = LayerSizes((1, 3), (16, 64), ("rectangle", "triangle"))
    drawn = sizes.rvs(200, random_state=0)
    assert {len(s) for s in drawn} == {1, 2, 3}
    assert all(w % 8 == 0 and 8 <= w <= 64 for s in drawn for w in s)
    assert LayerSizes.sizes(3, 64, "triangle") == (64, 32, 16)
    assert LayerSizes.sizes(3, 20, "triangle") == (16, 8, 8)


def test_a_front_shares_what_is_equal():
    one, same, other = (
        Front(make_pipeline(StandardScaler(with_mean=m), MLPClassifier(dropout=d)))
        for m, d in ((True, 0.1), (True, 0.2), (False, 0.1))
    )
    assert one.key == same.key != other.key
    unpicklable = make_pipeline(Spy().set_params(copy=lambda: None), MLPClassifier())
    assert Front(unpicklable).key != Front(unpicklable).key


def test_regressors_are_fold_ensembles(numbers):
    search = quick(MLPRegressor(**NET, standardize_y=True)).fit(*numbers)
    assert type(search.best_estimator_) is FoldEnsembleRegressor
    assert search.score(*numbers) > 0.5
