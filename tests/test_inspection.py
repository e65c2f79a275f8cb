"""To look at after a fit: training curves, and the summary of the network."""

import doctest
import pickle

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg
from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import Augmented, FeatureNoise
from skreg.inspection import Summary, TrainingCurveDisplay, curves, summary

STOPPED = {"early_stopping": True, "max_iter": 4, "random_state": 0}


@pytest.fixture(scope="module")
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


@pytest.fixture(autouse=True)
def _close(request):
    yield
    if "plt" in request.fixturenames:
        request.getfixturevalue("plt").close("all")


def fitted(data, **params):
    params = {"hidden_layer_sizes": (5,), **STOPPED, **params}
    return fit_quietly(MLPClassifier(**params), *data)


def drawn(display, name="MLPClassifier"):
    """The numbers of each line but the mark of the best epoch."""
    lines = display.lines_[name].items()
    return {key: list(line.get_ydata()) for key, line in lines if key != "best_epoch"}


def texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


# ----------------------------------------------------------------------------- training curves


def test_curves_are_those_of_the_history(wine, plt):
    """Both losses without penalties over the epochs, one colour, and the best epoch."""
    model = fitted(wine, alpha=0.1)
    display = TrainingCurveDisplay.from_estimator(model)
    keys = ("training_loss", "validation_loss")
    assert drawn(display) == {key: model.history_[key] for key in keys}
    lines = display.lines_["MLPClassifier"]
    assert [list(lines[key].get_xdata()) for key in keys] == [[1, 2, 3, 4]] * 2
    assert [lines[key].get_linestyle() for key in keys] == ["--", "-"]
    assert len({line.get_color() for line in lines.values()}) == 1
    assert list(lines["best_epoch"].get_xdata()) == [model.best_iter_] * 2
    assert texts(display) == ["validation loss", "training loss", "best epoch"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")
    assert display.figure_ is display.ax_.figure
    assert display.axes_ == {"loss": display.ax_}
    assert skreg.TrainingCurveDisplay is TrainingCurveDisplay


def test_options_of_the_curves(wine, plt):
    """Each has an effect."""
    model = fitted(wine)
    show = TrainingCurveDisplay.from_estimator
    assert show(model).ax_.get_yscale() == "linear"
    assert show(model, log_scale=True).ax_.get_yscale() == "log"
    assert "best_epoch" not in show(model, best=False).lines_["MLPClassifier"]
    assert list(show(model, name="a").lines_) == ["a"]
    line = show(model, line_kw={"linewidth": 3.5}).lines_["MLPClassifier"]["training_loss"]
    assert line.get_linewidth() == 3.5
    timed = show(model, x="seconds")
    seconds = np.cumsum(model.history_["seconds"])
    lines = timed.lines_["MLPClassifier"]
    np.testing.assert_allclose(lines["training_loss"].get_xdata(), seconds)
    assert lines["best_epoch"].get_xdata()[0] == pytest.approx(seconds[model.best_iter_ - 1])
    assert timed.ax_.get_xlabel() == "seconds"
    with pytest.raises(ValueError, match="'epochs' or 'seconds', got 'steps'"):
        show(model, x="steps")


@pytest.mark.parametrize("key", ["learning_rate", "validation_score"])
def test_panels_below_the_losses(wine, plt, key):
    """By default where there is something to see; always or never when asked."""
    option = key.removeprefix("validation_")
    plain = fitted(wine)
    telling = fitted(wine, learning_rate="cosine", scoring="accuracy")
    shown = {"score": False, "learning_rate": False}
    for model, choice, expected in (
        (plain, "auto", False),
        (plain, True, True),
        (telling, "auto", True),
        (telling, False, False),
    ):
        options = {**shown, option: choice}
        display = TrainingCurveDisplay.from_estimator(model, **options)
        assert (key in display.axes_) == expected
        assert (key in drawn(display)) == expected
        if expected:
            assert drawn(display)[key] == model.history_[key]
            assert display.axes_[key].get_xlabel() == "epoch"
            assert display.axes_[key].get_position().y1 < display.ax_.get_position().y0 + 1e-9
            assert display.ax_.get_xlabel() == ""


def test_several_estimators(wine, plt):
    """By names, in a list, or over each other in the axes of another display."""
    models = [fitted(wine, dropout=p) for p in (0.0, 0.5)]
    show = TrainingCurveDisplay.from_estimator
    styles = ["validation loss", "training loss", "best epoch"]
    first = show(models)
    assert list(first.lines_) == ["MLPClassifier 1", "MLPClassifier 2"]
    by_name = show(dict(zip("ab", models, strict=True)))
    listed = show(models, name=["a", "b"])
    one = show(models[0], name="a")
    over = show(models[1], name="b", ax=one.ax_)
    assert over.ax_ is one.ax_
    for display in (by_name, listed, over):
        assert texts(display) == ["a", "b", *styles]
        b = display.lines_["b"]
        assert drawn(display, "b")["training_loss"] == models[1].history_["training_loss"]
        others = {line.get_color() for line in display.ax_.lines} - {b["training_loss"].get_color()}
        assert len(others) == 1
    same = show(models[1], ax=show(models[0]).ax_)  # two of a name
    assert texts(same) == ["MLPClassifier", "MLPClassifier", *styles]
    for wrong, names in ((models, ["a"]), (models, ["a", "a"])):
        with pytest.raises(ValueError, match="2 estimators need as many different names"):
            show(wrong, name=names)
    with pytest.raises(ValueError, match="keys of a dict"):
        show({"a": models[0]}, name="a")


def test_panels_in_axes_of_ones_own(wine, plt):
    """They divide the room of the axes, once for all displays in it."""
    telling = fitted(wine, learning_rate="cosine", scoring="accuracy")
    show = TrainingCurveDisplay.from_estimator
    figure, (left, right) = plt.subplots(1, 2)
    room = left.get_position()
    first = show(fitted(wine), ax=left, learning_rate=True, name="plain")
    assert list(first.axes_) == ["loss", "learning_rate"]
    second = show(telling, ax=left, name="cosine")
    assert list(second.axes_) == ["loss", "validation_score", "learning_rate"]
    assert second.axes_["learning_rate"] is first.axes_["learning_rate"]
    assert len(figure.axes) == 4
    positions = [ax.get_position() for ax in second.axes_.values()]
    assert [p.y0 for p in positions] == sorted((p.y0 for p in positions), reverse=True)
    np.testing.assert_allclose((positions[0].y1, positions[-1].y0), (room.y1, room.y0))
    assert {round(p.x1, 6) for p in positions} == {round(room.x1, 6)}
    assert right.get_position().height == room.height
    assert [ax.get_xlabel() for ax in second.axes_.values()] == ["", "", "epoch"]
    # Another one whose score is its loss is not drawn among accuracies.
    third = show(fitted(wine), ax=left, name="third")
    assert "validation_score" not in third.lines_["third"]
    _, (upper, lower) = plt.subplots(2, 1, sharex=True)
    first, second = (show(telling, ax=ax).axes_["learning_rate"] for ax in (upper, lower))
    assert first is not second
    with pytest.raises(ValueError, match="ax is not part of a grid"):
        show(telling, ax=plt.figure().add_axes([0, 0, 1, 1]))


def test_trainings_without_validation_and_without_epochs(wine, plt):
    """The training loss alone; the objective of lbfgs by iteration."""
    model = fitted(wine, early_stopping=False)
    display = TrainingCurveDisplay.from_estimator(model)
    assert drawn(display) == {"training_loss": model.history_["training_loss"]}
    lbfgs = fitted(wine, solver="lbfgs", early_stopping=False, alpha=0.1)
    display = TrainingCurveDisplay.from_estimator(lbfgs, learning_rate=True, score=True)
    keys = ("training_loss", "objective")
    assert drawn(display) == {key: lbfgs.history_[key] for key in keys}
    assert display.ax_.get_xlabel() == "iteration"
    over = TrainingCurveDisplay.from_estimator(model, ax=display.ax_)
    assert over.ax_.get_xlabel() == "epoch or iteration"


def test_a_training_that_goes_on(wine, plt):
    """The best epoch stands among all, of which those before validation have no loss."""
    model = MLPClassifier((5,), warm_start=True, max_iter=4, random_state=0)
    fit_epochs(model, *wine)
    fit_epochs(model.set_params(early_stopping=True), *wine)
    display = TrainingCurveDisplay.from_estimator(model)
    assert len(model.validation_scores_) == 4
    mark = display.lines_["MLPClassifier"]["best_epoch"].get_xdata()[0]
    losses = model.history_["validation_loss"]
    assert losses[mark - 1] == -model.best_validation_score_
    np.testing.assert_array_equal(drawn(display)["validation_loss"], losses)


def test_curves_of_what_holds_a_network(wine, diabetes, plt):
    """Pipelines, searches, augmented and transformed ones, in one another."""
    network = MLPClassifier((5,), **STOPPED)
    pipe = make_pipeline(StandardScaler(), network)
    regressor = MLPRegressor(hidden_layer_sizes=(5,), **STOPPED)
    for holder, data, find in (
        (pipe, wine, lambda h: h[-1]),
        (Augmented(network, FeatureNoise(0.1)), wine, lambda h: h.estimator_),
        (
            GridSearchCV(clone(pipe), {"mlpclassifier__alpha": [0.1, 1]}, cv=2),
            wine,
            lambda h: h.best_estimator_[-1],
        ),
        (
            TransformedTargetRegressor(regressor, transformer=StandardScaler()),
            diabetes,
            lambda h: h.regressor_,
        ),
    ):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            TrainingCurveDisplay.from_estimator(clone(holder))
        model = find(fit_quietly(holder, *data))
        display = TrainingCurveDisplay.from_estimator(holder, name="held")
        assert drawn(display, "held")["training_loss"] == model.history_["training_loss"]


def test_curves_of_others(wine, plt):
    with pytest.raises(NotFittedError, match="MLPClassifier instance is not fitted yet"):
        TrainingCurveDisplay.from_estimator(MLPClassifier())
    other = LogisticRegression().fit(*wine)
    other.history_ = {"loss": [1.0]}  # as wrappers of other libraries have it
    with pytest.raises(TypeError, match="LogisticRegression has none"):
        TrainingCurveDisplay.from_estimator(other)


def test_a_display_from_data(plt):
    """Without estimators, and drawn again."""
    history = {"training_loss": [3.0, 2.0], "learning_rate": [0.1, 0.1]}
    display = TrainingCurveDisplay({"mine": history}, best_epochs={"mine": 2})
    assert not hasattr(display, "ax_")
    assert display.plot() is display
    assert drawn(display, "mine") == {"training_loss": [3.0, 2.0]}
    ax = display.ax_
    assert display.plot().ax_ is not ax


# ------------------------------------------------------------------------------------ summaries


def counts(model):
    """Of each layer: parameters, weights, zeros."""
    keys = ("n_parameters", "n_weights", "n_zeros")
    return [tuple(layer[key] for key in keys) for layer in model.summary().layers]


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ({}, [[], [], [], []]),
        ({"input_dropout": 0.125, "dropout": [0.5, 0.0, 0.25]},
         [["dropout 0.125"], ["dropout 0.5"], [], ["dropout 0.25"]]),
        ({"batch_norm": True}, [[], *[["batch_norm"]] * 3]),
        ({"layer_norm": True, "dropout": 0.5, "dropout_kind": "gaussian"},
         [[], *[["layer_norm", "gaussian_dropout 0.5"]] * 3]),
        ({"dropout": 0.5, "dropout_kind": "connect", "residual": True, "stochastic_depth": 0.25},
         [[], *[["drop_connect 0.5"]] * 2, ["drop_connect 0.5", "residual 0.25"]]),
        ({"residual": True}, [[], [], [], ["residual"]]),
    ],
    ids=str,
)  # fmt: skip
def test_layers_of_a_summary(wine, params, parts):
    """Shapes, activations, parts and counts, as told by hand."""
    model = fitted(wine, **params, hidden_layer_sizes=(6, 6, 6), activation="tanh", penalty="l1",
                   alpha=0.05, max_iter=3)  # fmt: skip
    found = model.summary()
    assert [layer["parts"] for layer in found.layers] == [*parts, []]
    assert [layer["name"] for layer in found.layers] == [
        *("input", "hidden 1", "hidden 2", "hidden 3", "output"),
    ]
    assert [layer["shape"] for layer in found.layers] == ["13", "13 x 6", "6 x 6", "6 x 6", "6 x 3"]
    assert [layer["activation"] for layer in found.layers] == ["", *["tanh"] * 3, "softmax"]
    norm = 12 * ("layer_norm" in params)
    zeros = [int((w == 0).sum()) for w in model.coefs_]
    weights = [78, 36, 36, 18]
    biases = [6 + norm, 6 + norm, 6 + norm, 3]
    expected = [(w + b, w, z) for w, b, z in zip(weights, biases, zeros, strict=True)]
    assert counts(model) == [(0, 0, 0), *expected]
    assert (found.n_parameters, found.n_weights) == (168 + 21 + 3 * norm, 168)
    assert found.n_zeros == sum(zeros)
    assert found.n_zeros / found.n_weights == pytest.approx(model.sparsity_)


def test_facts_of_a_summary(wine):
    """Loss, regularizers by place, optimizer, and how training went."""
    model = fitted(
        wine, scoring="accuracy", input_noise=0.1, dropout=0.5, label_smoothing=0.1, batch_size=32,
        class_weight={0: 1.0, 1: 2.0, 2: 1.0}, penalty="elasticnet", alpha=0.01, l1_ratio=0.25,
        clip_norm=2.0, weight_averaging="ema", solver="sgd", learning_rate="cosine", warmup=0.25,
        augmentation=FeatureNoise(0.5),
    )  # fmt: skip
    facts = model.summary().facts
    assert facts["loss"] == "softmax_log_loss, outputs by softmax"
    assert facts["rows"] == f"augmentation={FeatureNoise(0.5)}, input_noise=0.1"
    assert facts["layers"] == "dropout=0.5, dropout_kind=standard"
    assert facts["targets"] == "label_smoothing=0.1, class_weight={0: 1.0, 1: 2.0, 2: 1.0}"
    assert facts["penalties"] == "penalty=elasticnet, alpha=0.01, l1_ratio=0.25, clip_norm=2"
    assert facts["trajectory"] == (
        "weight_averaging=ema, ema_decay=0.999, n_iter_no_change=auto, early_stopping=True, "
        "scoring=accuracy, restore_best=True"
    )
    assert facts["optimizer"] == (
        "solver=sgd, learning_rate_init=0.001, learning_rate=cosine, batch_size=32, momentum=0.9, "
        "nesterovs_momentum=True, warmup=0.25"
    )
    assert facts["epochs"] == f"4, the best {model.best_iter_}, ended by max_iter"
    last = f"{model.history_['validation_loss'][-1]:.4g}"
    assert facts["validation loss"].startswith(last) or facts["validation loss"].endswith(
        f"in the best epoch, {last} in the last"
    )
    assert {"objective", "training loss", "validation score", "time"} <= set(facts)


def test_facts_that_are_not_in_force(diabetes):
    """What is off, or acts elsewhere, is not told."""
    plain = fit_quietly(MLPRegressor(alpha=0.0, max_iter=2, power_t=0.3), *diabetes)
    facts = plain.summary().facts
    assert not {"rows", "layers", "targets", "penalties", "objective"} & set(facts)
    assert facts["trajectory"] == "n_iter_no_change=auto"
    robust = {"loss": "huber", "delta": 0.5, "solver": "lbfgs", "penalty": "l1", "max_iter": 3}
    facts = fit_quietly(MLPRegressor(**robust), *diabetes).summary().facts
    assert facts["targets"] == "loss=huber, delta=0.5"
    assert facts["penalties"] == "penalty=l1, alpha=0.0001"
    assert facts["optimizer"] == "solver=lbfgs, tol=0.0001"
    assert "ITERATIONS" in facts["iterations"]
    assert "trajectory" not in facts


def test_why_training_ended(wine):
    """Of each end its name; partial_fit has none."""
    patient = {"early_stopping": False, "max_iter": 500, "learning_rate_init": 0.05}
    assert fitted(wine).summary().facts["epochs"].endswith("ended by max_iter")
    assert "ended by no_progress" in fitted(wine, **patient).summary().facts["epochs"]
    with pytest.warns(UserWarning, match="time_limit"):
        model = fitted(wine, time_limit=1e-9, early_stopping=False)
    assert model.summary().facts["epochs"] == "1, ended by time_limit"
    partial = MLPClassifier((5,)).partial_fit(*wine, classes=[0, 1, 2]).partial_fit(*wine)
    assert partial.summary().facts["epochs"] == "2, 1 of them in the last fit"


def test_a_summary_is_that_of_the_fit(wine):
    """Parameters that are set afterwards do not show; a pickle tells the same."""
    model = fitted(wine, dropout=0.25)
    told = str(model.summary())
    model.set_params(hidden_layer_sizes=(99,), dropout=0.9, alpha=7, solver="lbfgs", max_iter=1)
    assert str(model.summary()) == told
    assert str(pickle.loads(pickle.dumps(model)).summary()) == told
    with pytest.raises(NotFittedError):
        clone(model).summary()


def test_summary_of_a_compact_network(wine):
    """Its own shapes, and no batch norm, which is part of its weights."""
    model = fitted(wine, batch_norm=True, dropout=0.5, unit_alpha=0.05, max_iter=30,
                   learning_rate_init=0.03, hidden_layer_sizes=(20,))  # fmt: skip
    small = model.compact()
    _, hidden, _ = small.summary().layers
    assert hidden["parts"] == ["dropout 0.5"]
    assert hidden["shape"] == f"13 x {small.coefs_[0].shape[1]}"
    assert model.summary().layers[1]["parts"] == ["batch_norm", "dropout 0.5"]


@pytest.mark.parametrize("hidden", [(), (3,), (1000, 400, 400, 400)], ids=str)
def test_a_summary_fits_into_a_terminal(wine, hidden):
    """Aligned, at most 100 characters wide, the totals below."""
    params = {"hidden_layer_sizes": hidden, "max_iter": 1, "swap_noise": 0.1}
    if len(hidden) == 4:
        params |= {"layer_norm": True, "residual": True, "stochastic_depth": 0.123}
        params |= {"dropout": 0.1234, "dropout_kind": "gaussian", "activation": "leaky_relu"}
    model = fit_epochs(MLPClassifier(**params), *wine)
    found = model.summary()
    lines = str(found).splitlines()
    assert repr(found) == str(found)
    assert isinstance(found, Summary)
    assert max(map(len, lines)) <= 100
    end = lines[2].index("parameters") + len("parameters")
    assert lines[0] == "MLPClassifier: 13 features, 3 outputs"
    total = next(line for line in lines if line.startswith("total"))
    assert total[:end].endswith(f" {found.n_parameters:,}")


def test_html_of_a_summary(wine):
    """A table in the colours of the page, with everything from outside escaped."""
    model = fitted(wine, scoring=lambda model, X, y: 0.5)
    page = model.summary()._repr_html_()
    assert "scoring=&lt;lambda&gt;" in page
    assert "<lambda>" not in page
    assert page.count("<tr>") == 1 + 4 + len(model.summary().facts)
    assert "background: transparent" in page

    class Odd(MLPClassifier):
        pass

    Odd.__name__ = "<b>&"
    vars(odd := Odd()).update(vars(model))
    assert "<caption>&lt;b&gt;&amp;: 13 features" in odd.summary()._repr_html_()


@pytest.mark.parametrize("module", [curves, summary], ids=lambda m: m.__name__)
def test_examples_in_docstrings(module, plt):
    assert doctest.testmod(module).failed == 0
