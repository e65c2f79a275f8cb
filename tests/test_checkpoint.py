"""Checkpoints: a fit that was killed goes on to the bits of the one that was not."""

import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_trainer import CASES

from skreg import MLPClassifier, MLPRegressor
from skreg.callbacks import Checkpoint, read_state, write_state

NET = {"hidden_layer_sizes": (6, 4), "batch_size": 16, "max_iter": 7, "random_state": 0}
PLANNED = {"one_cycle", "cosine", "cosine_restarts", "flat_cosine"}


class Killed(Exception):
    """What ends a process, in the process of the tests."""


class Killer(Checkpoint):
    """Ends the fit before it is saved for the n-th time."""

    def __init__(self, path, after):
        super().__init__(path)
        self.after = after

    def _file_of(self, identity):
        file = super()._file_of(identity)
        save = file.save

        def save_or_die(state):
            if self.after == 0:
                raise Killed
            self.after -= 1
            save(state)

        file.save = save_or_die
        return file


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(90, 5)
    return X, X[:, 0] + 0.3 * rng.randn(90)


def fit_killed(model, path, X, y, after=3, **fit_params):
    with pytest.raises(Killed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clone(model).set_callbacks(Killer(path, after)).fit(X, y, **fit_params)


def assert_same_fit(first, second):
    assert_same_bits(first, second)
    for name in ("loss_curve_", "lr_curve_", "validation_scores_", "n_iter_", "best_iter_", "t_"):
        assert getattr(first, name) == getattr(second, name)
    assert first._no_improvement_count == second._no_improvement_count


@pytest.mark.parametrize("case", CASES)
def test_a_killed_fit_goes_on_to_the_same_bits(data, case, tmp_path):
    model = MLPRegressor(**{**NET, **CASES[case]})
    whole = fit_quietly(clone(model), *data)
    after = min(3, whole.n_iter_ - 2)  # an epoch that ends the fit is not saved
    fit_killed(model, tmp_path, *data, after=after)
    (file,) = tmp_path.iterdir()
    assert read_state(file)["state"]["trainer"]["epoch"] == after
    again = fit_quietly(clone(model).set_callbacks(Checkpoint(tmp_path)), *data)
    assert_same_fit(again, whole)
    assert not list(tmp_path.iterdir())


OTHERS = {
    "weights": {"sample_weight": np.arange(90.0)},
    "validation set": {"X_val": np.eye(5), "y_val": np.arange(5.0)},
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_passed_beside_x_and_y(data, name, dtype, tmp_path):
    X, y = data[0].astype(dtype), data[1]
    model = MLPRegressor(**NET, early_stopping=name == "validation set", dropout=0.2)
    whole = fit_quietly(clone(model), X, y, **OTHERS[name])
    fit_killed(model, tmp_path, X, y, **OTHERS[name])
    # Another fit has another file.
    fit_quietly(clone(model).set_callbacks(Checkpoint(tmp_path)), X, y + 1, **OTHERS[name])
    assert len(list(tmp_path.iterdir())) == 1
    again = clone(model).set_callbacks(Checkpoint(tmp_path))
    assert_same_fit(fit_quietly(again, X, y, **OTHERS[name]), whole)


SCRIPT = """
import os, signal, sys, threading, time, warnings
import numpy as np
from skreg import MLPClassifier
from skreg.augmentation import FeatureNoise
from skreg.callbacks import Checkpoint

warnings.simplefilter("ignore")
path, result, seconds = sys.argv[1:]
X = np.random.RandomState(0).randn(600, 20)
y = (X[:, 0] > 0) * 1
model = MLPClassifier(
    (32, 32), max_iter=40, batch_size=32, dropout=0.2, batch_norm=True, early_stopping=True,
    n_iter_no_change=40, weight_averaging="ema", augmentation=FeatureNoise(0.1), random_state=0,
)

def kill():
    time.sleep(float(seconds))
    os.kill(os.getpid(), signal.SIGKILL)

if path != "none":
    model.set_callbacks(Checkpoint(path))
    threading.Thread(target=kill, daemon=True).start()
model.fit(X, y)
np.savez(result, *model.coefs_, *model.intercepts_, model.loss_curve_, model.validation_scores_)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_process_killed_at_any_moment(tmp_path):
    """Killed and started again until it comes to its end."""

    def run(path, result, seconds):
        command = [sys.executable, "-c", SCRIPT, str(path), str(result), str(seconds)]
        options = {"capture_output": True, "text": True, "timeout": 100}
        process = subprocess.run(command, cwd=tmp_path, **options)  # not where the sources are
        assert process.returncode in (0, -signal.SIGKILL), process.stderr
        return process.returncode == 0

    assert run("none", tmp_path / "whole.npz", 0)
    folder = tmp_path / "checkpoints"
    kills = [
        seconds for seconds in (0.05, 0.2, 100) if not run(folder, tmp_path / "again.npz", seconds)
    ]
    assert 0.05 in kills
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "again.npz") as again:
        assert whole.files == again.files
        for name in whole.files:
            np.testing.assert_array_equal(again[name], whole[name])
    assert not list(folder.iterdir())


@pytest.mark.parametrize("random_state", [None, "instance"])
def test_random_states_that_nobody_can_repeat(data, random_state, tmp_path):
    """The split and the weights are those of the fit that was killed."""
    X, y = data
    params = {**NET, "early_stopping": True, "dropout": 0.2, "scoring": None}

    def state():
        return random_state and np.random.RandomState(5)

    model = MLPRegressor(**{**params, "random_state": state()})
    fit_killed(model, tmp_path, X, y)
    (file,) = tmp_path.iterdir()
    first = read_state(file)["state"]["first"]
    begun = np.random.RandomState()
    begun.set_state(first)
    whole = fit_quietly(MLPRegressor(**{**params, "random_state": begun}), X, y)
    again = MLPRegressor(**{**params, "random_state": state()}).set_callbacks(Checkpoint(tmp_path))
    assert_same_fit(fit_quietly(again, X, y), whole)


def test_more_epochs_than_planned_at_first(data, tmp_path):
    """max_iter may grow where nothing is planned by it; a plan makes another fit of it."""
    for params, n_files in (({}, 1), ({"learning_rate": "cosine"}, 2)):
        folder = tmp_path / str(n_files)
        model = MLPRegressor(**{**NET, **params, "max_iter": 3})
        fit_quietly(clone(model).set_callbacks(Checkpoint(folder, keep=True)), *data)
        longer = clone(model).set_params(max_iter=7)
        again = fit_quietly(clone(longer).set_callbacks(Checkpoint(folder, keep=True)), *data)
        assert_same_fit(again, fit_quietly(longer, *data))
        assert len(list(folder.iterdir())) == n_files


def test_a_finished_fit_that_is_kept_has_nothing_left_to_do(data, tmp_path):
    model = MLPRegressor(**NET).set_callbacks(Checkpoint(tmp_path, keep=True))
    first = fit_quietly(clone(model), *data)
    assert_same_fit(fit_quietly(clone(model), *data), first)


def test_a_fit_cut_short_by_time_goes_on(data, tmp_path):
    """The epoch that was cut does not count."""
    model = MLPRegressor(**NET, dropout=0.2)
    whole = fit_quietly(clone(model), *data)
    fit_killed(model, tmp_path, *data, after=2)
    cut = clone(model).set_params(time_limit=1e-9).set_callbacks(Checkpoint(tmp_path))
    with pytest.warns(UserWarning, match="time_limit"):
        assert cut.fit(*data).n_iter_ == 3
    again = fit_quietly(clone(model).set_callbacks(Checkpoint(tmp_path)), *data)
    assert_same_fit(again, whole)


@pytest.mark.parametrize("name", ["skreg", "instruction set"])
def test_what_would_give_other_bits_is_refused(data, name, tmp_path):
    """And named; the estimator is as it was."""
    model = MLPRegressor(**NET)
    fit_killed(model, tmp_path, *data)
    (file,) = tmp_path.iterdir()
    content = read_state(file)
    content["identity"][name] = "another"
    write_state(file, content)
    model.set_callbacks(Checkpoint(tmp_path))
    with pytest.raises(ValueError, match=f"cannot be continued.*{name} another, now .*Delete it"):
        model.fit(*data)
    assert not hasattr(model, "coefs_")
    assert file.exists()


def test_every_few_epochs(data, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr("skreg.callbacks.write_state", lambda path, content: saved.append(path))
    monkeypatch.setattr("os.replace", lambda source, target: None)
    model = MLPRegressor(**NET).set_callbacks(Checkpoint(tmp_path, every=3))
    fit_quietly(model, *data)
    assert len(saved) == 2
    for every in (0, 1.5, True):
        with pytest.raises(ValueError, match="every must be an integer >= 1"):
            Checkpoint(tmp_path, every=every)


def test_clones_of_a_search_share_the_directory(data, tmp_path):
    """In a pipeline, in a grid, in several processes: one file a fit, none left at the end."""
    X, y = data
    model = MLPClassifier(**NET).set_callbacks(Checkpoint(tmp_path))
    pipe = make_pipeline(StandardScaler(), model)
    grid = {"mlpclassifier__dropout": [0.0, 0.2], "mlpclassifier__alpha": [1e-4, 0.1]}
    plain = make_pipeline(StandardScaler(), MLPClassifier(**NET))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        searches = [
            GridSearchCV(estimator, grid, cv=3, n_jobs=2, error_score="raise").fit(X, y > 0)
            for estimator in (pipe, plain)
        ]
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_array_equal(*scores)
    assert not list(tmp_path.iterdir())


def test_warm_starts_count_the_fit_before(data, tmp_path):
    """The same call after another fit is another fit."""
    model = MLPRegressor(**NET, warm_start=True, dropout=0.2)
    whole = fit_quietly(fit_quietly(clone(model), *data), *data)
    begun = fit_quietly(clone(model), *data)
    with pytest.raises(Killed):
        fit_quietly(begun.set_callbacks(Killer(tmp_path, 3)), *data)
    again = fit_quietly(clone(model), *data).set_callbacks(Checkpoint(tmp_path))
    assert_same_fit(fit_quietly(again, *data), whole)


def test_without_epochs_nothing_is_saved(data, tmp_path):
    """Which is told."""
    model = MLPRegressor(solver="lbfgs", max_iter=3).set_callbacks(Checkpoint(tmp_path / "none"))
    with pytest.warns(UserWarning, match="saves nothing with solver='lbfgs'"):
        fit_quietly(model, *data)
    assert not (tmp_path / "none").exists()


CALLABLES = """
from functools import partial
import numpy as np
from sklearn.metrics import fbeta_score, make_scorer
from skreg.training.identity import described

def within(limit):
    return lambda estimator, X, y: limit

VALUES = [
    make_scorer(fbeta_score, beta=1),
    make_scorer(fbeta_score, beta=2),
    partial(fbeta_score, beta=1),
    partial(fbeta_score, beta=2),
    within(1),
    within(2),
    lambda estimator, X, y: 3,
    lambda estimator, X, y: y[0] in {"a", "b", "c", "d"},
    lambda estimator, X, y: [4 for _ in y],
    lambda estimator, X, y: [5 for _ in y],
    fbeta_score,
    np.array(["a", 1, None], dtype=object),
    np.array(["a", 2, None], dtype=object),
]
print(*map(described, VALUES), sep="\\n")
"""


def test_what_parameters_mean_is_told_apart_and_the_same_in_every_process(tmp_path):
    command = [sys.executable, "-c", CALLABLES]
    options = {"cwd": tmp_path, "text": True}  # where no source of skreg hides the installed one
    first, second = (subprocess.check_output(command, **options).splitlines() for _ in range(2))
    assert first == second
    assert len(first) == len(set(first)) == 13


def test_a_grid_over_scorers_trains_each_of_them(data, tmp_path):
    X, y = data[0], data[1] > np.median(data[1])
    for beta in (0.1, 10):
        scoring = make_scorer(fbeta_score, beta=beta)
        clf = MLPClassifier((8,), max_iter=6, early_stopping=True, scoring=scoring, random_state=0)
        alone = fit_quietly(clone(clf), X, y)
        saved = fit_quietly(clf.set_callbacks(Checkpoint(tmp_path, keep=True)), X, y)
        assert saved.validation_scores_ == alone.validation_scores_
    assert len(list(tmp_path.iterdir())) == 2


def test_states_of_all_kinds_come_back(tmp_path):
    state = {"a": np.arange(3, dtype=np.int8), "b": [1, 2.5, None, "x", float("inf")],
             "c": {"d": np.zeros((0, 2), np.float32), "e": [], "f": {}}, "g": 2**70}  # fmt: skip
    write_state(tmp_path / "state.npz", state)
    back = read_state(tmp_path / "state.npz")
    assert back["a"].dtype == np.int8
    assert back["c"]["d"].shape == (0, 2)
    assert {**back, "a": 0, "c": 0} == {**state, "a": 0, "c": 0}


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 cut"], ids=["empty", "junk", "cut"])
def test_a_damaged_file_is_named(content, tmp_path):
    """With what to do; it is none of a fit's."""
    X, y = np.random.RandomState(0).randn(30, 3), np.arange(30) % 2
    model = MLPClassifier((3,), max_iter=1, random_state=0)
    model.set_callbacks(Checkpoint(tmp_path, keep=True))
    fit_quietly(model, X, y)
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot be read; it is damaged.* Delete it"):
        model.fit(X, y)


def test_a_checkpoint_needs_a_directory(tmp_path):
    """Told before training."""
    X, y = np.random.RandomState(0).randn(30, 3), np.arange(30) % 2
    (tmp_path / "file").write_text("")
    model = MLPClassifier((3,)).set_callbacks(Checkpoint(tmp_path / "file"))
    with pytest.raises(ValueError, match=r"Checkpoint\(path=.*must name a directory"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")
    with pytest.raises(TypeError, match="path must name a directory, got 5"):
        Checkpoint(5)
