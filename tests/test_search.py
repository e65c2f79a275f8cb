"""RegularizationSearchCV: rounds that train on, honest scores, and what it ends in."""

import numpy as np
import pandas as pd
import pytest
from searches import (
    MARKS,
    NET,
    contest_of,
    make_classes,
    quick,
)
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import (
    MLPClassifier,
    MLPRegressor,
)
from skreg.ensemble import (
    FoldEnsembleClassifier,
    WeightedEnsembleClassifier,
)
from skreg.model_selection import trials as trials_module
from skreg.model_selection.contest import Contest
from skreg.model_selection.rounds import rounds_of
from skreg.model_selection.selection import greedy_weights

pytestmark = MARKS


@pytest.fixture(scope="module")
def classes():
    return make_classes()


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
    assert rounds_of(64, 3, 4, 200) == [(64, 4), (21, 12), (7, 36), (2, 108), (1, 200)]
    assert rounds_of(27, 3, 1, 9) == [(27, 1), (9, 3), (3, 9)]
    assert rounds_of(1, 3, 10, 50) == rounds_of(1, 3, "auto", 50) == [(1, 50)]
    assert rounds_of(9, 3, 40, 50) == [(9, 40), (3, 50)]
    assert rounds_of(9, 3, 80, 50) == [(9, 50)]
    assert rounds_of(10, 2.5, 2, 100) == [(10, 2), (4, 5), (1, 100)]
    assert rounds_of(3, 1.1, 1, 5) == [(3, 1), (2, 2), (1, 5)]
    assert rounds_of(64, 3, "auto", 200) == [(64, 3), (21, 9), (7, 27), (2, 81), (1, 200)]
    assert rounds_of(9, 3, "auto", 200) == [(9, 23), (3, 69), (1, 200)]
    assert rounds_of(64, 3, "auto", 1000)[:2] == [(64, 3), (21, 9)]
    assert rounds_of(64, 3, "auto", 2000, 5)[:2] == [(64, 10), (21, 30)]
    assert rounds_of(64, 3, "auto", 27) == [(64, 1), (21, 3), (7, 9), (2, 27)]


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
