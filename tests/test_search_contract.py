"""What scikit-learn asks of a search: results, refit, failures, metadata, frames, backends."""

import pickle

import joblib
import numpy as np
import pandas as pd
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
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
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

from skreg import (
    MLPClassifier,
    MLPRegressor,
    TableEncoder,
    TabularClassifier,
    search_space,
)
from skreg.model_selection.contest import Contest

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
    with pytest.raises(ValueError, match="param_distributions is an empty list"):
        quick(space=[]).fit(X, y)
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
    assert len(best.estimators_) == 3
    for held_out in best._held_out:
        assert not set(groups[held_out]) & set(np.delete(groups, held_out))


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
