"""Summary: what a fitted network is made of and how it was trained, as a table.

It reads fitted attributes alone, never parameters, which may have changed since: weights say the
shapes, and `_description`, which `Plan.describe` has left, what was in force.
"""

import html
import textwrap

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skreg.inspection.histories import best_epoch, scored

WIDTH = 100  # characters of a line
LONGEST = 60  # characters of a value
HEAD = ("layer", "shape", "activation", "parts", "parameters", "weights of 0")
FLEXIBLE = HEAD.index("parts")  # the column that is broken into lines
COUNTS = ("n_parameters", "n_weights", "n_zeros")
LEFT = 4  # columns with text; the others hold numbers

# Lines and text in the colors of the page, which may be light or dark.
STYLE = """<style>
.skreg-summary table {border-collapse: collapse; margin: 0.5em 0; font-size: 0.9em;
  color: inherit; background: transparent;}
.skreg-summary caption {text-align: left; font-weight: bold; color: inherit;}
.skreg-summary tr {background: transparent;}
.skreg-summary th, .skreg-summary td {text-align: left; vertical-align: top; color: inherit;
  padding: 0.2em 0.8em 0.2em 0; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.35);}
.skreg-summary th, .skreg-summary .number {white-space: nowrap;}
.skreg-summary .number {text-align: right;}
</style>"""


class SummaryMixin:
    """Gives an estimator its `summary`."""

    def summary(self):
        """What the fitted network is made of, and how it was trained.

        Everything is told as it was in the last `fit` or `partial_fit`: parameters that were set
        afterwards do not show. Parameters are counted in the network that predicts, where batch
        norm is part of the weights and biases.

        Returns
        -------
        summary : Summary
            A table, as text and in notebooks.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skreg import MLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = MLPClassifier((8,), dropout=0.1, learning_rate_init=0.05, random_state=0)
        >>> model = model.fit(X, y)
        >>> summary = model.summary()
        >>> summary.n_parameters
        67
        >>> print(str(summary).split("loss")[0].rstrip())
        MLPClassifier: 4 features, 3 outputs
        <BLANKLINE>
        layer     shape  activation  parts        parameters  weights of 0
        input     4
        hidden 1  4 x 8  relu        dropout 0.1          40             0
        output    8 x 3  softmax                          27             0
        total                                             67             0
        """
        check_is_fitted(self)
        return Summary(self)


class Summary:
    """A fitted network and its training; `print` it, or let a notebook show it.

    Made by the method `summary` of an estimator.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        A fitted network.

    Attributes
    ----------
    title : str
        Class, features and outputs.
    layers : list of dict
        The input, the hidden layers and the output: 'name', 'shape', 'activation', 'parts' (what
        else stands there in training, with its probability), 'n_parameters' of the network that
        predicts, and of them 'n_weights' and 'n_zeros', the weights that are exactly 0.
    n_parameters, n_weights, n_zeros : int
        The same of all layers.
    facts : dict of str to str
        Loss, optimizer, the regularizers by their place in a training step, and how training went.

    See Also
    --------
    skreg.TrainingCurveDisplay : Losses over the epochs of trainings.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skreg import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> summary = model.summary()
    >>> summary.title
    'MLPClassifier: 4 features, 3 outputs'
    >>> [(layer["name"], layer["n_parameters"]) for layer in summary.layers]
    [('input', 0), ('hidden 1', 40), ('output', 27)]
    """

    def __init__(self, estimator):
        self.layers = _layers(estimator)
        self.n_parameters, self.n_weights, self.n_zeros = (
            sum(layer[key] for layer in self.layers) for key in COUNTS
        )
        n_in, n_out = estimator.coefs_[0].shape[0], estimator.coefs_[-1].shape[1]
        counts = f"{_counted(n_in, 'feature')}, {_counted(n_out, 'output')}"
        self.title = f"{type(estimator).__name__}: {counts}"
        self.facts = {**_plan(estimator), **_training(estimator)}

    def __str__(self):
        columns = _aligned([HEAD, *self._rows()])
        width = max(map(len, self.facts), default=0) + 2
        facts = [
            textwrap.fill(
                text, WIDTH, initial_indent=f"{name:{width}}", subsequent_indent=" " * width
            )
            for name, text in self.facts.items()
        ]
        return "\n".join([self.title, "", *columns, "", *facts])

    __repr__ = __str__

    def _repr_html_(self):
        head = "".join(f"<th{_kind(i)}>{cell}</th>" for i, cell in enumerate(HEAD))
        rows = [
            "".join(f"<td{_kind(i)}>{html.escape(cell)}</td>" for i, cell in enumerate(row))
            for row in self._rows()
        ]
        facts = [
            f"<th>{html.escape(name)}</th><td>{html.escape(text)}</td>"
            for name, text in self.facts.items()
        ]
        return (
            f'{STYLE}<div class="skreg-summary"><table><caption>{html.escape(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{_html_rows(rows)}</tbody></table>"
            f"<table><tbody>{_html_rows(facts)}</tbody></table></div>"
        )

    def _rows(self):
        """Cells as text."""
        total = {"name": "total", "shape": "", "activation": "", "parts": []}
        total |= {key: getattr(self, key) for key in COUNTS}
        return [
            (
                *(layer["name"], layer["shape"], layer["activation"], ", ".join(layer["parts"])),
                *(_numbers(layer) if layer["n_weights"] else ("", "")),
            )
            for layer in [*self.layers, total]
        ]


# ------------------------------------------------------------------------------- what it reads


def _layers(estimator):
    """A dict for each; shapes and counts from the weights."""
    specs = getattr(estimator, "_description", {}).get("layers") or estimator._predictor["sampling"]
    blocks = _blocks(specs)
    last = len(estimator.coefs_)
    layers = [_layer("input", f"{len(estimator.coefs_[0])}", *blocks[0])]
    for i, arrays in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True), 1):
        activation, parts = blocks[i]
        name, activation = (f"hidden {i}", activation) if i < last else ("output", "")
        shape = " x ".join(map(str, arrays[0].shape))
        layers.append(_layer(name, shape, activation, parts, *arrays))
    layers[-1]["activation"] = estimator.out_activation_
    return layers


def _blocks(specs):
    """For the input and each dense layer its activation, the part without options, and others."""
    blocks = [("", [])]
    for name, options in specs:
        if name == "dense":
            blocks.append(("", []))
        elif options:
            blocks[-1][1].append((name, options))
        else:
            blocks[-1] = (name, blocks[-1][1])
    return blocks


def _layer(name, shape, activation, parts, weight=None, bias=None):
    if weight is None:
        weight = bias = np.empty(0)
    # Scale and shift of layer norm stay; those of batch norm are part of the weights.
    norms = 2 * bias.size * any(part == "layer_norm" for part, _ in parts)
    return {
        "name": name,
        "shape": shape,
        "activation": activation,
        "parts": [f"{part} {_text(o['p'])}" if o.get("p") else part for part, o in parts],
        "n_parameters": weight.size + bias.size + norms,
        "n_weights": weight.size,
        "n_zeros": int(weight.size - np.count_nonzero(weight)),
    }


def _plan(estimator):
    """What was in force."""
    told = getattr(estimator, "_description", {})
    if "loss" not in told:  # a copy that is made while training goes on
        return {}
    loss = {"loss": f"{told['loss']}, outputs by {estimator.out_activation_}"}
    places = {place: _listed(values) for place, values in told["regularizers"].items()}
    return {**loss, **places, "optimizer": _listed(told["optimizer"])}


def _training(estimator):
    """How it went."""
    history = getattr(estimator, "history_", {})
    n = len(history.get("objective", []))
    if not n:
        return {}
    best, ended = best_epoch(estimator), getattr(estimator, "_description", {}).get("ended")
    epochs = [str(n)]
    epochs += [f"{estimator.n_iter_} of them in the last fit"] * (n != estimator.n_iter_)
    epochs += [f"the best {best}"] * (best is not None)
    epochs += [f"ended by {ended}"] * (ended is not None)
    keys = ["objective", "training_loss", "validation_loss", "validation_score"]
    if np.array_equal(history.get("objective"), history.get("training_loss")):
        keys.remove("objective")  # without penalties
    if not scored(history):
        keys.remove("validation_score")
    curves = {key.replace("_", " "): history[key] for key in keys if key in history}
    return {
        "epochs" if "learning_rate" in history else "iterations": ", ".join(epochs),
        **{name: _at(curve, best) for name, curve in curves.items()},
        "time": f"{np.nansum(history['seconds']):.3g} s",
    }


# ------------------------------------------------------------------------------- how it looks


def _counted(n, name):
    return f"{n} {name}" if n == 1 else f"{n} {name}s"


def _at(curve, best):
    """Its last number, and that of the best epoch."""
    last = f"{curve[-1]:.4g}"
    if best is None or best == len(curve):
        return last
    return f"{curve[best - 1]:.4g} in the best epoch, {last} in the last"


def _numbers(layer):
    zeros, weights = layer["n_zeros"], layer["n_weights"]
    share = f" ({zeros / weights:.1%})" if zeros else ""
    return f"{layer['n_parameters']:,}", f"{zeros:,}{share}"


def _listed(values):
    return ", ".join(f"{name}={_text(value)}" for name, value in values.items())


def _text(value):
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        value = f"[{', '.join(map(_text, value))}]"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _aligned(rows):
    """Lines of at most WIDTH characters: one column is broken where it must be."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    others = sum(widths) - widths[FLEXIBLE] + 2 * (len(HEAD) - 1)
    widths[FLEXIBLE] = min(widths[FLEXIBLE], max(WIDTH - others, 20))
    lines = []
    for row in rows:
        pieces = textwrap.wrap(row[FLEXIBLE], widths[FLEXIBLE]) or [""]
        first = [*row[:FLEXIBLE], pieces[0], *row[FLEXIBLE + 1 :]]
        lines.append(_line(first, widths))
        lines += [_line([""] * FLEXIBLE + [piece], widths) for piece in pieces[1:]]
    return lines


def _line(cells, widths):
    padded = [
        cell.ljust(width) if i < LEFT else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return "  ".join(padded).rstrip()


def _kind(column):
    return ' class="number"' if column >= LEFT else ""


def _html_rows(rows):
    return "".join(f"<tr>{row}</tr>" for row in rows)
