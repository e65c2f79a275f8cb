"""How long a search may take, and what it tells meanwhile."""

import numpy as np
import pytest
from searches import (
    MARKS,
    NET,
    make_classes,
    quick,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    Checkpoint,
    MLPClassifier,
    TabularClassifier,
)
from skreg.model_selection.trials import Trials

pytestmark = MARKS


@pytest.fixture(scope="module")
def classes():
    return make_classes()


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


def test_checkpoints_are_refused(classes, tmp_path):
    """No fit goes on from their files, so they must not seem to be written."""
    X, y = classes
    network = MLPClassifier(**NET).set_callbacks(Checkpoint(tmp_path))
    searches = [quick(network), quick(make_pipeline(StandardScaler(), network))]
    searches += [quick(TabularClassifier().set_callbacks(Checkpoint(tmp_path)))]
    if hasattr(quick(), "set_callbacks"):  # scikit-learn 1.9
        searches.append(quick().set_callbacks(Checkpoint(tmp_path)))
    for search in searches:
        with pytest.raises(ValueError, match="keeps no file of its trainings"):
            search.fit(X, y)


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
