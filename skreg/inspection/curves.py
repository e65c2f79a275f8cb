"""TrainingCurveDisplay: losses, scores and learning rates of trainings, over epochs or time."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from skreg.inspection.histories import best_epoch, in_epochs, network_of, scored, varies

# What is drawn among the losses, as it is called and drawn.
STYLES = {"validation_loss": "-", "training_loss": "--", "objective": "-."}
BEST = {"linestyle": ":", "linewidth": 1.5}

# Thinner axes below the losses: their share of the height of these, and their label.
PANELS = {
    "validation_score": (0.5, "validation\nscore"),
    "learning_rate": (0.25, "learning\nrate"),
}
INCHES = 3.2  # height of the losses
KEPT = "_training_curves"  # attribute of axes: their room before it was divided, and those below
NARROW, WIDE = 6.4, 7.6  # the latter with the legend beside the curves


class TrainingCurveDisplay:
    """Training and validation loss of one or several trainings.

    Both losses are without penalties, so that they have one scale: what stands between them is
    overfitting, less what dropout and noise add to the training loss. Solid is validation, dashed
    training, and a dotted line marks the best epoch; each estimator has one color. Below, where
    there is something to see, stand the validation score and the learning rate. Of
    ``solver='lbfgs'`` the objective is drawn too, which includes the penalties, by iteration.

    Best made by :meth:`from_estimator`.

    Parameters
    ----------
    histories : dict of str to dict
        For each name the `history_` of an estimator: from names of curves to lists of floats.
    best_epochs : dict of str to int, optional
        The best epochs, counted from 1 along `histories`, by the same names.

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the losses.
    axes_ : dict of str to matplotlib Axes
        'loss', which is `ax_`, and 'validation_score' and 'learning_rate' where they are drawn.
    figure_ : matplotlib Figure
        That of `ax_`.
    lines_ : dict of str to dict of str to matplotlib Line2D
        For each name the lines by the key of `histories`, and 'best_epoch'.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of training rows.
    sklearn.model_selection.ValidationCurveDisplay : Scores over a parameter.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skreg import MLPClassifier, TrainingCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> params = {"early_stopping": True, "learning_rate_init": 0.03, "random_state": 2}
    >>> params["max_iter"] = 500
    >>> fitted = {f"dropout={p}": MLPClassifier(dropout=p, **params).fit(X, y) for p in (0.0, 0.5)}
    >>> display = TrainingCurveDisplay.from_estimator(fitted)
    >>> display.ax_.get_ylabel()
    'loss'
    """

    def __init__(self, histories, *, best_epochs=None):
        self.histories = histories
        self.best_epochs = best_epochs

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        name=None,
        x="epochs",
        log_scale=False,
        best=True,
        score="auto",
        learning_rate="auto",
        line_kw=None,
    ):
        """Draw what fitted estimators have kept of their training.

        Parameters
        ----------
        estimator : estimator, or list or dict of estimators
            Fitted MLPClassifier or MLPRegressor, or what holds one: a `Pipeline` with it as the
            last step, `GridSearchCV`, `Augmented`, `TransformedTargetRegressor`. A dict is from
            names to estimators.
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure. With the `ax_` of another display the curves
            come over its curves.
        name : str, or list of str, optional
            Names for the legend; by default those of the classes, with a number where they repeat.
        x : {'epochs', 'seconds'}, default='epochs'
            What the horizontal axis counts; validation is part of the seconds.
        log_scale : bool, default=False
            Whether losses are on a logarithmic scale.
        best : bool, default=True
            Whether the best epoch is marked.
        score : bool or 'auto', default='auto'
            Whether the validation score is drawn; 'auto': if it is not the validation loss.
        learning_rate : bool or 'auto', default='auto'
            Whether the learning rate is drawn; 'auto': if it changes.
        line_kw : dict, optional
            Passed to each `plot` of a curve.

        Returns
        -------
        display : TrainingCurveDisplay
            With `ax_`, `axes_`, `figure_` and `lines_`.

        Raises
        ------
        NotFittedError
            For an estimator that is not fitted.
        TypeError
            For an estimator that keeps no `history_`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if isinstance(estimator, dict | list | tuple) and not estimator:
            raise ValueError("There is no estimator to draw: got an empty collection.")
        networks = {key: network_of(each) for key, each in _named(estimator, name).items()}
        display = cls(
            {key: network.history_ for key, network in networks.items()},
            best_epochs={key: best_epoch(network) for key, network in networks.items()},
        )
        return display.plot(
            ax,
            x=x,
            log_scale=log_scale,
            best=best,
            score=score,
            learning_rate=learning_rate,
            line_kw=line_kw,
        )

    def plot(
        self,
        ax=None,
        *,
        x="epochs",
        log_scale=False,
        best=True,
        score="auto",
        learning_rate="auto",
        line_kw=None,
    ):
        """Draw the curves of `histories`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure.
        x : {'epochs', 'seconds'}, default='epochs'
            What the horizontal axis counts.
        log_scale : bool, default=False
            Whether losses are on a logarithmic scale.
        best : bool, default=True
            Whether the best epoch is marked.
        score : bool or 'auto', default='auto'
            Whether the validation score is drawn; 'auto': if it is not the validation loss.
        learning_rate : bool or 'auto', default='auto'
            Whether the learning rate is drawn; 'auto': if it changes.
        line_kw : dict, optional
            Passed to each `plot` of a curve.

        Returns
        -------
        display : TrainingCurveDisplay
            With `ax_`, `axes_`, `figure_` and `lines_`.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        if x not in ("epochs", "seconds"):
            raise ValueError(f"x must be 'epochs' or 'seconds', got {x!r}.")
        below = {
            "validation_score": self._chosen("validation_score", score),
            "learning_rate": self._chosen("learning_rate", learning_rate),
        }
        panels = [key for key, names in below.items() if names]
        self.axes_ = _axes(ax, panels, WIDE if len(self.histories) > 1 else NARROW)
        self.ax_ = self.axes_["loss"]
        self.figure_ = self.ax_.figure
        self.lines_ = {}
        for name in self.histories:
            panels = {key: self.axes_[key] for key, names in below.items() if name in names}
            self.lines_[name] = self._draw(name, panels, x, best, line_kw or {})
        self._describe(x, log_scale)
        return self

    def _chosen(self, key, option):
        """Names of those whose curve comes below the losses."""
        told = {name: history for name, history in self.histories.items() if key in history}
        if option != "auto":
            return list(told) if option else []
        if key == "validation_score":  # of others it has another unit
            return [name for name, history in told.items() if scored(history)]
        return list(told) if any(map(varies, told.values())) else []

    def _draw(self, name, panels, x, best, line_kw):
        """The lines of one training, all in the color of the first."""
        history = self.histories[name]
        positions = _positions(history, x)
        left_out = ["objective"] if in_epochs(history) else []  # penalties: another scale
        keys = [key for key in STYLES if key in history and key not in left_out]
        places = {**dict.fromkeys(keys, self.ax_), **panels}
        lines, options = {}, {}
        for key, ax in places.items():
            style = {"linestyle": STYLES.get(key, "-"), "label": name, **options, **line_kw}
            (lines[key],) = ax.plot(positions, history[key], gid=key, **style)
            options = {"color": lines[key].get_color()}
        epoch = (self.best_epochs or {}).get(name)
        if best and epoch is not None:
            lines["best_epoch"], *_ = (
                ax.axvline(positions[epoch - 1], label=name, gid="best_epoch", **options, **BEST)
                for ax in (self.ax_, *panels.values())
            )
        return lines

    def _describe(self, x, log_scale):
        """Labels, scale and legend, for all curves in the axes."""
        bottom = min(self.axes_.values(), key=lambda ax: ax.get_position().y0)
        units = {"epoch" if in_epochs(h) else "iteration" for h in self.histories.values()}
        units |= {unit for ax in self.axes_.values() for unit in ax.get_xlabel().split(" or ")}
        label = " or ".join(sorted(units & {"epoch", "iteration"}))
        if x == "epochs":
            bottom.xaxis.get_major_locator().set_params(integer=True)
        for key, ax in self.axes_.items():
            ax.set_ylabel(PANELS[key][1] if key in PANELS else "loss")
            ax.set_xlabel((label if x == "epochs" else x) if ax is bottom else "")
            ax.tick_params(labelbottom=ax is bottom)
        if log_scale:
            self.ax_.set_yscale("log")
        _legend(self.ax_)


# --------------------------------------------------------------------------------- estimators


def _named(estimators, name):
    """A dict from names to estimators."""
    if isinstance(estimators, dict):
        if name is not None:
            raise ValueError("The keys of a dict of estimators are their names; leave out name.")
        return dict(estimators)
    several = isinstance(estimators, list | tuple)
    estimators = list(estimators) if several else [estimators]
    if name is None:
        names = _told_apart([type(network_of(each)).__name__ for each in estimators])
    else:
        names = list(name) if several else [name]
    if len(set(names)) != len(estimators) or len(names) != len(estimators):
        raise ValueError(f"{len(estimators)} estimators need as many different names, got {names}.")
    return dict(zip(names, estimators, strict=True))


def _told_apart(names):
    """With a number where there are several of a name."""
    return [
        f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _positions(history, x):
    n = len(next(iter(history.values())))
    if x == "epochs":
        return np.arange(1, n + 1)
    return np.nancumsum(history["seconds"])  # nan: an epoch of before they were kept


# ----------------------------------------------------------------------------------- the axes


def _axes(ax, panels, width):
    """The axes by name; thinner ones are made below those of the losses, or found there."""
    if ax is None:
        import matplotlib.pyplot as plt

        height = INCHES * (1 + sum(PANELS[key][0] for key in panels)) + 0.8
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    room, found = getattr(ax, KEPT, (ax.get_subplotspec(), {}))
    wanted = [key for key in PANELS if key in found or key in panels]
    if len(wanted) > len(found):
        found = _divided(ax, room, found, wanted)
        setattr(ax, KEPT, (room, found))
    return {"loss": ax, **{key: found[key] for key in wanted}}


def _divided(ax, room, found, wanted):
    """All axes below, those found and new ones: the losses give them a part of their room."""
    if room is None:
        raise ValueError(
            f"ax is not part of a grid, so that no axes fit below it for {' and '.join(wanted)}. "
            "Make it with plt.subplots, or pass score=False and learning_rate=False."
        )
    heights = [1.0, *(PANELS[key][0] for key in wanted)]
    first, *others = room.subgridspec(len(heights), 1, height_ratios=heights, hspace=0)
    ax.set_subplotspec(first)
    below = {}
    for key, part in zip(wanted, others, strict=True):
        if key in found:
            below[key] = found[key]
            below[key].set_subplotspec(part)
        else:
            below[key] = ax.figure.add_subplot(part, sharex=ax)
    return below


def _legend(ax):
    """One entry an estimator and one a style; of a single estimator the styles alone."""
    from matplotlib.lines import Line2D

    lines = [line for line in ax.lines if line.get_gid() in (*STYLES, "best_epoch")]
    estimators = list(dict.fromkeys((line.get_label(), line.get_color()) for line in lines))
    color = lines[0].get_color() if len(estimators) == 1 else "0.4"
    named = estimators if len(estimators) > 1 else []
    handles = [Line2D([], [], color=color, label=name) for name, color in named]
    found = {line.get_gid(): line for line in lines}
    for key in (*STYLES, "best_epoch"):
        if key in found:
            look = {"linestyle": found[key].get_linestyle(), "color": color}
            handles.append(Line2D([], [], label=key.replace("_", " "), **look))
    # Beside the curves, if there are many entries, and a layout that makes room for them.
    beside = bool(named) and ax.figure.get_layout_engine() is not None
    place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False} if beside else {}
    if handles:
        ax.legend(handles=handles, **place)
