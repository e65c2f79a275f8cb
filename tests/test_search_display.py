"""SearchDisplay: what is drawn of a search, and where the values of its parameters stand."""

import doctest

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skreg
from skreg import MLPClassifier, RegularizationSearchCV, SearchDisplay
from skreg.inspection import search as module
from skreg.inspection.places import place

show = SearchDisplay.from_estimator

# Three rounds of six candidates; the second fails in the first round, the fourth in the second one.
PARAMS = [{"net__a": 10.0**-i, "net__b": "xy"[i % 2], "same": 1} for i in range(6)]
NAN = np.nan
RESULTS = {
    "candidate": np.array([0, 1, 2, 3, 4, 5, 3, 5, 0, 5, 0]),
    "round": np.array([0] * 6 + [1] * 3 + [2] * 2),
    "epochs": np.array([4, 0, 4, 4, 4, 4, 0, 12, 12, 30, 70]),
    "mean_test_score": np.array([0.6, NAN, 0.4, 0.7, 0.5, 0.8, NAN, 0.85, 0.7, 0.9, 0.88]),
}
RESULTS["params"] = [PARAMS[c] for c in RESULTS["candidate"]]
LAST = {0: 0.88, 2: 0.4, 4: 0.5, 5: 0.9}  # scores of candidates that have one


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture(scope="module")
def searched(wine):
    """A search with two rounds and two metrics."""
    network = MLPClassifier((8,), learning_rate_init=0.02, batch_size=32, max_iter=400)
    space = {"dropout": [0.0, 0.1, 0.2], "alpha": [0.0, 1e-4, 1e-2]}
    scoring = {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"}
    options = {"n_candidates": 9, "cv": 3, "min_epochs": 4, "random_state": 0, **scoring}
    return RegularizationSearchCV(network, space, **options).fit(*wine)


def marks(ax, label):
    """Places of what stands at the lower edge."""
    found = [each for each in ax.collections if each.get_label() == label]
    return sorted(each for collection in found for each in collection.get_offsets()[:, 0])


def winner(ax):
    (star,) = [line for line in ax.lines if line.get_gid() == "winner"]
    return [*star.get_xdata(), *star.get_ydata()]


def tick_labels(ax):
    return [label.get_text() for label in ax.get_xticklabels()]


# ----------------------------------------------------------------------------------- rounds


def test_lines_over_the_rounds(plt):
    """Each candidate from round to round, without what has failed; colours by the last round."""
    display = SearchDisplay(RESULTS, best_index=9).plot()
    drawn = {
        key: [tuple(point) for point in line.get_xydata()] for key, line in display.lines_.items()
    }
    assert drawn == {
        0: [(4, 0.6), (12, 0.7), (70, 0.88)],
        1: [],
        2: [(4, 0.4)],
        3: [(4, 0.7)],
        4: [(4, 0.5)],
        5: [(4, 0.8), (12, 0.85), (30, 0.9)],
    }
    colors = {key: line.get_color() for key, line in display.lines_.items()}
    assert colors[2] == colors[4] != colors[3]  # of one round, and of a later one
    assert colors[0] == module.LAST
    assert colors[5] == module.WINNER
    widths = {key: line.get_linewidth() for key, line in display.lines_.items()}
    assert max(widths, key=widths.get) == 5
    ax = display.ax_
    assert ax is display.axes_["rounds"]
    assert winner(ax) == [30, 0.9]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("epochs", "score", "log")
    assert (list(ax.get_xticks()), tick_labels(ax)) == ([4, 12, 70], ["4", "12", "70"])
    texts = [text.get_text() for text in display.figure_.legends[0].get_texts()]
    assert texts == ["ended at 4 epochs", "ended at 12 epochs", "last compared", "winner", "failed"]


def test_epochs_of_a_narrow_range_are_linear(plt):
    results = {**RESULTS, "epochs": np.minimum(RESULTS["epochs"], 20)}
    assert SearchDisplay(results).plot().ax_.get_xscale() == "linear"


def test_of_regularization_search(searched, plt):
    """What is drawn is what the search has kept, of the metric that ranks or another one."""
    results = searched.cv_results_
    for metric in (None, "accuracy"):
        display = show(searched, metric=metric)
        scores = results[f"mean_test_{metric or 'neg_log_loss'}"]
        assert set(display.lines_) == set(range(9))
        for key, line in display.lines_.items():
            rows = results["candidate"] == key
            expected = np.column_stack([results["epochs"][rows], scores[rows]])
            np.testing.assert_array_equal(line.get_xydata(), expected)
        best = searched.best_index_
        assert winner(display.ax_) == [results["epochs"][best], scores[best]]
        assert winner(display.axes_["param_dropout"])[1] == scores[best]
        assert display.ax_.get_ylabel() == (metric or "neg_log_loss")
    assert list(display.axes_) == ["rounds", "param_alpha", "param_dropout"]
    with pytest.raises(ValueError, match=r"one of \['accuracy', 'neg_log_loss'\], got 'score'"):
        show(searched, metric="score")
    assert skreg.SearchDisplay is SearchDisplay


# ------------------------------------------------------------------------------- parameters


def test_points_over_a_parameter(plt):
    """Each candidate at its last score, in the colour of the last round, failures at the edge."""
    display = SearchDisplay(RESULTS, best_index=9).plot()
    assert list(display.axes_) == ["rounds", "param_net__a", "param_net__b"]
    ax, points = display.axes_["param_net__a"], display.points_["param_net__a"]
    found = {round(-np.log10(x)): y for x, y in points.get_offsets()}
    assert found == LAST
    assert (ax.get_xlabel(), ax.get_xscale()) == ("a", "log")
    assert marks(ax, "failed") == pytest.approx([1e-3, 1e-1])
    assert winner(ax) == pytest.approx([1e-5, 0.9])
    early, late = (points.get_facecolors()[i] for i in (0, -1))
    assert early[:3].tolist() == pytest.approx([module.GREYS[0]] * 3)
    assert plt.matplotlib.colors.to_hex(late) == module.LAST
    assert tick_labels(display.axes_["param_net__b"]) == ["x", "y"]
    assert display.figure_ is ax.figure


def test_which_parameters(plt):
    """Those that differ, or those that are named, in full or by the end."""
    display = SearchDisplay(RESULTS)
    assert list(display.plot(kind="parameters").axes_) == ["param_net__a", "param_net__b"]
    chosen = display.plot(kind="parameters", parameters=["same", "b", "net__a"])
    assert list(chosen.axes_) == ["param_same", "param_net__b", "param_net__a"]
    assert list(display.plot(parameters="a").axes_) == ["rounds", "param_net__a"]
    assert list(display.plot(kind="rounds").axes_) == ["rounds"]
    assert display.points_ == {}
    with pytest.raises(ValueError, match=r"no parameters \['c'\]. Those .* \['net__a', 'net__b'"):
        display.plot(parameters=["a", "c"])
    with pytest.raises(ValueError, match="kind must be one of"):
        display.plot(kind="round")
    # An end that two parameters share is no name.
    params = [{"p__a": i, "q__a": i} for i in range(3)]
    shared = SearchDisplay({"params": params, "mean_test_score": [0.1, 0.2, 0.3]}).plot()
    assert [ax.get_xlabel() for ax in shared.axes_.values()] == ["p__a", "q__a"]
    with pytest.raises(ValueError, match="no parameters"):
        shared.plot(parameters="a")


def test_scores_far_below_stand_at_the_edge(plt):
    """They would leave no room for the others; their points are kept."""
    scores = np.array([-0.1, -0.12, -0.14, -0.16, -0.2, -50.0])
    results = {"params": [{"a": i} for i in range(6)], "mean_test_score": scores}
    ax = SearchDisplay(results).plot().ax_
    assert marks(ax, "far below") == [5]
    assert -0.25 < ax.get_ylim()[0] < -0.2
    points = ax.collections[0].get_offsets()
    assert points[:, 1].tolist() == scores.tolist()
    ax = SearchDisplay({**results, "mean_test_score": np.maximum(scores, -0.3)}).plot().ax_
    assert marks(ax, "far below") == []
    assert ax.get_ylim()[0] < -0.3


def test_scores_of_those_that_went_on_have_half_of_the_height(plt):
    """Of the first round the worst stand at the edge."""
    behind = np.isin(RESULTS["candidate"], [1, 2, 4])
    scores = np.where(behind, -9, RESULTS["mean_test_score"])
    ax = SearchDisplay({**RESULTS, "mean_test_score": scores}).plot().ax_
    assert marks(ax, "far below") == [0, 4, 4]
    low, high = ax.get_ylim()
    assert 0.2 < low < 0.6 < 0.9 < high


def test_scores_that_are_all_alike_or_missing(plt):
    nothing = [NAN, np.inf, -np.inf]
    for scores in ([0.5] * 3, [0.5] * 8 + [0.1], [*nothing, 0.5], nothing):
        params = [{"a": i} for i in range(len(scores))]
        ax = SearchDisplay({"params": params, "mean_test_score": scores}).plot().ax_
        low, high = ax.get_ylim()
        assert all(low < score < high for score in scores if np.isfinite(score))
        assert len(marks(ax, "failed")) == sum(not np.isfinite(score) for score in scores)


def test_labels_of_the_axes(plt):
    """Two numbers at least, turned where they are long, and scores at the left alone."""
    numbers, long = np.geomspace(3e-4, 8e-3, 8), [f"a long one {i % 4}" for i in range(8)]
    params = [{"a": a, "b": b} for a, b in zip(numbers, long, strict=True)]
    axes = SearchDisplay({"params": params, "mean_test_score": np.arange(8)}).plot().axes_
    left, right = axes["param_a"], axes["param_b"]
    assert tick_labels(left) == ["0.001", "0.003"]
    assert [ax.get_xticklabels()[0].get_rotation() for ax in (left, right)] == [0, 30]
    assert [ax.get_ylabel() for ax in (left, right)] == ["score", ""]
    assert left.get_ylim() == right.get_ylim()
    assert not any(label.get_visible() for label in right.get_yticklabels())


# ------------------------------------------------------------------ searches of scikit-learn


def test_of_grid_and_random_search(wine, plt):
    """Without rounds the parameters alone."""
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    space = {
        "standardscaler": [StandardScaler(), MinMaxScaler(), None],
        "logisticregression__C": [1e-3, 1e-1, 10.0],
    }
    grid = GridSearchCV(pipe, space, cv=2, scoring="accuracy").fit(*wine)
    drawn = RandomizedSearchCV(pipe, space, n_iter=4, cv=2, random_state=0).fit(*wine)
    for search, name, n in ((grid, "accuracy", 9), (drawn, "score", 4)):
        display = show(search)
        assert list(display.axes_) == ["param_logisticregression__C", "param_standardscaler"]
        assert display.ax_.get_ylabel() == name
        assert winner(display.ax_) == [search.best_params_["logisticregression__C"],
                                       search.best_score_]  # fmt: skip
        points = display.points_["param_standardscaler"].get_offsets()
        np.testing.assert_array_equal(points[:, 1], search.cv_results_["mean_test_score"])
        assert len(points) == n
    ticks = tick_labels(show(grid).axes_["param_standardscaler"])
    assert ticks == ["None", "MinMaxScaler", "StandardScaler"]
    for kind in ("all", "rounds"):
        with pytest.raises(ValueError, match=r"no rounds\. Use kind='parameters'"):
            show(grid, kind=kind)
    assert show(grid, score_name="mine").ax_.get_ylabel() == "mine"


def test_of_halving_search(wine, plt):
    """Its rounds are over resources; candidates are known by their parameters."""
    space = {"max_depth": [1, 2, 3, 4, None], "min_samples_leaf": [1, 5, 20]}
    tree = DecisionTreeClassifier(random_state=0)
    search = HalvingRandomSearchCV(tree, space, random_state=0, min_resources=20, cv=2).fit(*wine)
    results = search.cv_results_
    assert search.n_iterations_ > 1
    display = show(search)
    assert display.ax_.get_xlabel() == "resources"
    assert len(display.lines_) == search.n_candidates_[0]
    for key, line in display.lines_.items():
        rows = [i for i, p in enumerate(results["params"]) if p == results["params"][key]]
        np.testing.assert_array_equal(line.get_xdata(), results["n_resources"][rows])
        np.testing.assert_array_equal(line.get_ydata(), results["mean_test_score"][rows])
    assert display.lines_[results["params"].index(search.best_params_)].get_color() == module.WINNER
    assert len(display.points_["param_max_depth"].get_offsets()) == search.n_candidates_[0]


def test_without_a_winner(wine, plt):
    """With several metrics and without refit; the first one is drawn."""
    options = {"scoring": ["f1_macro", "accuracy"], "refit": False, "cv": 2}
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 5.0]}, **options).fit(*wine)
    ax = show(search).ax_
    assert ax.get_ylabel() == "f1_macro"
    assert len(ax.lines) == 0
    assert ax.get_legend() is None


def test_what_cannot_be_drawn(wine, plt):
    with pytest.raises(NotFittedError):
        show(GridSearchCV(LogisticRegression(), {}))
    with pytest.raises(NotFittedError):
        show(RegularizationSearchCV(MLPClassifier()))
    with pytest.raises(TypeError, match="LogisticRegression has none"):
        show(LogisticRegression().fit(*wine))
    with pytest.raises(ValueError, match="nothing to draw"):
        show(GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(*wine))


# ------------------------------------------------------------------------------------- axes


def test_axes_of_ones_own(plt):
    """One is divided, or taken as it is for one panel; of several each panel takes one."""
    display = SearchDisplay(RESULTS, best_index=9)
    figure, (left, right) = plt.subplots(1, 2)
    room = left.get_position()
    axes = display.plot(ax=left).axes_
    assert set(figure.axes) == {left, right, *axes.values()}
    for ax in axes.values():
        assert ax.get_position().x1 <= room.x1 + 1e-9
    assert axes["rounds"].get_position().y0 > axes["param_net__a"].get_position().y1
    assert display.ax_.get_legend() is not None and not figure.legends
    assert display.plot(kind="rounds", ax=right).axes_ == {"rounds": right}
    figure, grid = plt.subplots(3, 1)
    assert list(display.plot(ax=grid).axes_.values()) == list(grid)
    with pytest.raises(ValueError, match="3 panels need as many axes, got 2"):
        display.plot(ax=grid[:2])
    with pytest.raises(ValueError, match="not part of a grid"):
        display.plot(ax=plt.figure().add_axes([0, 0, 1, 1]))


def test_a_display_from_data(plt):
    """A frame does as well, and nothing is drawn before it is asked for."""
    pd = pytest.importorskip("pandas")
    display = SearchDisplay(pd.DataFrame(RESULTS), best_index=9)
    assert not hasattr(display, "ax_")
    assert display.plot() is display
    assert winner(display.ax_) == [30, 0.9]
    assert sorted(display.points_["param_net__b"].get_offsets()[:, 1]) == sorted(LAST.values())


# ----------------------------------------------------------------------------------- places


def test_numbers_are_placed_by_value():
    values = [0.0, 0.1, 0.25, 0.5, 0.3]
    places = place(values)
    assert places.at.tolist() == values
    assert not places.log
    uniform = np.linspace(0.001, 1, 40)
    assert not place(list(uniform)).log  # a wide range, but most are large
    wide = list(np.logspace(-4, -1, 40))
    places = place(wide)
    assert places.log
    assert places.at == pytest.approx(wide)
    assert places.numbers == pytest.approx((1e-4, 1e-1))
    assert places.ticks == {}
    assert place([0.0, 0.001, 0.5]).log  # else the first ones would be too close
    assert not place([0.1, 0.11, 0.5]).log
    assert not place([0.02, 0.3, 0.6, 1.2]).log
    powers = place([8, 16, 32, 64, 128] * 2)
    assert powers.log
    assert list(powers.ticks.values()) == ["8", "16", "32", "64", "128"]
    assert list(powers.ticks) == pytest.approx([8, 16, 32, 64, 128])


def test_other_values_stand_left_of_numbers():
    """0 on a logarithmic scale, and what is no number."""
    places = place([1e-4, 0, 1e-2, None, 0.0, 1.0, "auto"])
    assert places.log
    assert list(places.ticks.values()) == ["0.0001", "0.01", "1", "None", "\nauto", "0"]
    none, auto, zero = list(places.ticks)[3:]
    assert none < auto < zero < places.apart[0] < 1e-4
    assert places.at[[0, 2, 5]] == pytest.approx([1e-4, 1e-2, 1])
    assert places.at[[3, 6]] == pytest.approx([none, auto])
    assert places.at[1] != places.at[4]  # a little apart
    assert np.abs(np.log10(places.at[[1, 4]] / zero)).max() < np.log10(1e-4 / zero) / 2
    linear = place([0.0, None, 0.5, 1.0])
    assert linear.at[[0, 2, 3]].tolist() == [0, 0.5, 1]
    assert linear.at[1] < linear.apart[0] < 0


def test_categories():
    """In order, with equal ones a little apart, always in the same way."""
    values = [True, "b", False, None, "a", np.bool_(True), np.str_("a"), float("inf"), print]
    places = place(values)
    assert list(places.ticks.values()) == ["None", "a", "b", "print", "False", "True", "inf"]
    ticks = np.array(list(places.ticks))
    assert np.all(np.diff(ticks) == 1)
    assert np.abs(places.at[:, None] - ticks).min(axis=1).max() < 0.5
    assert len(set(places.at)) == len(values)
    np.testing.assert_array_equal(place(values).at, places.at)
    (label,) = place(["x" * 30] * 2).ticks.values()
    assert label == "x" * 15 + "…"
    assert place([5, 5]).ticks == {-1.0: "5"}


def test_few_sizes_of_layers_have_a_tick_each():
    """Few layers first, then narrow ones; a number is one layer."""
    places = place([(64, 64), (128,), 32, [16, 8], (np.int64(64), 64), (), None])
    labels = [label.strip() for label in places.ticks.values()]
    assert labels == ["()", "32", "128", "16-8", "64-64", "None"]
    tick = dict(zip(labels, places.ticks, strict=True))
    assert places.at[[1, 2, 3, 5, 6]].tolist() == [
        tick[label] for label in ("128", "32", "16-8", "()", "None")
    ]
    assert tick["None"] < tick["()"]


def test_many_sizes_of_layers_stand_in_groups():
    """By their number, and in a group by width."""
    sizes = [(width,) * depth for depth in (3, 1) for width in (200, 8, 40, 16)]
    places = place(sizes)
    assert places.ticks == {0: "1", 1: "3"}
    assert places.apart == (0.5,)
    assert places.note == "layers, 8 to 200 wide"
    order = [sizes[i] for i in np.argsort(places.at)]
    assert order == sorted(sizes, key=lambda size: (len(size), size))
    assert np.round(places.at).tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_examples_in_docstrings(plt):
    assert doctest.testmod(module).failed == 0


def test_a_winner_that_trains_on_alone_is_no_comparison():
    """The colour of the last round is that of the last one with several candidates."""
    from skreg.inspection.candidates import Candidates

    results = {"candidate": [0, 1, 2, 3, 0, 1, 0], "round": [0, 0, 0, 0, 1, 1, 2]}
    results |= {"epochs": [2, 2, 2, 2, 6, 6, 18], "mean_test_score": np.linspace(0, 1, 7)}
    stages = Candidates({**results, "params": [{}] * 7}, "score").stages
    assert list(stages) == [0, 0, 0, 0, 1, 1, 1]
