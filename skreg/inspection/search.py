"""SearchDisplay: what a search for parameters has found, over rounds and over parameters."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

from skreg.inspection.candidates import Candidates, metrics_of, results_of
from skreg.inspection.panels import axes_by_name, set_limits, set_ticks
from skreg.inspection.places import place

KINDS = ("auto", "all", "rounds", "parameters")
LAST, WINNER = "#0072b2", "#d55e00"  # which color-blind readers tell apart
GREYS = 0.8, 0.5  # of those left behind, from the first round on
POINT = {"s": 22, "linewidths": 0}
STAR = {"marker": "*", "markersize": 13, "markeredgecolor": "white", "linestyle": ""}
DARK = "0.4"
# At the lower edge.
BELOW = {"marker": "v", "label": "far below"}
FAILED = {"marker": "x", "label": "failed"}
TENFOLD = 10  # longer trainings than so many times the first round: on a logarithmic scale


class SearchDisplay:
    """Candidates of a search: their scores over the rounds, and over each parameter.

    The upper panel has a line for each candidate, from round to round: gray for those that were
    left behind, blue for those that were compared last, and a star for the winner. Below is a
    panel for each parameter, in which every candidate is a point at its last score, in the color
    of the round that it has reached. Compare points of one color: in later rounds trainings are
    longer.

    Numbers over a wide range are on a logarithmic scale; 0, None, texts and the like stand left of
    it. At the lower edge triangles are scores far below the others, and crosses candidates that
    have failed.

    Best made by :meth:`from_estimator`.

    Parameters
    ----------
    results : dict of arrays
        The `cv_results_` of a search.
    metric : str, default='score'
        Which scores: those in the column ``mean_test_<metric>``.
    best_index : int, optional
        The row of the winner.
    score_name : str, optional
        What the scores are called; by default `metric`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first one.
    axes_ : dict of str to matplotlib Axes
        'rounds', and ``param_<name>`` for each parameter, as far as they are drawn.
    figure_ : matplotlib Figure
        That of `ax_`.
    lines_ : dict of int to matplotlib Line2D
        The lines over the rounds, by the number of the candidate.
    points_ : dict of str to matplotlib PathCollection
        The points over each parameter, by the key in `axes_`: of all candidates that have a score,
        the longer trained ones last.

    See Also
    --------
    TrainingCurveDisplay : Losses over the epochs of trainings.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skreg import MLPClassifier, RegularizationSearchCV, SearchDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((16,), learning_rate_init=0.03, batch_size=30, max_iter=500)
    >>> space = {"dropout": [0.0, 0.2, 0.5], "weight_decay": [0.0, 1e-3, 0.1]}
    >>> search = RegularizationSearchCV(network, space, n_candidates=9, random_state=0).fit(X, y)
    >>> display = SearchDisplay.from_estimator(search)
    >>> list(display.axes_)
    ['rounds', 'param_dropout', 'param_weight_decay']
    """

    def __init__(self, results, *, metric="score", best_index=None, score_name=None):
        self.results = results
        self.metric = metric
        self.best_index = best_index
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls, search, *, metric=None, kind="auto", parameters=None, score_name=None, ax=None
    ):
        """Draw what a fitted search has kept.

        Parameters
        ----------
        search : RegularizationSearchCV, or another search
            Fitted; of scikit-learn for instance `GridSearchCV`, `RandomizedSearchCV` or
            `HalvingRandomSearchCV`.
        metric : str, optional
            Which of several metrics; by default the one of `refit`, else the first.
        kind : {'auto', 'all', 'rounds', 'parameters'}, default='auto'
            Which panels; 'auto': those of the parameters, and of the rounds if there are several.
        parameters : str or list of str, optional
            Which ones have a panel, by name or, where it is clear, the part after ``__``; by
            default all of which candidates have different values.
        score_name : str, optional
            What the scores are called; by default as in `scoring`, or `metric`.
        ax : matplotlib Axes or array of Axes, optional
            Where to draw; None makes a new figure. Several panels divide the room of one Axes;
            of an array each panel takes one.

        Returns
        -------
        display : SearchDisplay
            With `ax_`, `axes_`, `figure_`, `lines_` and `points_`.

        Raises
        ------
        NotFittedError
            For a search that is not fitted.
        TypeError
            For what has no `cv_results_`.
        ValueError
            For metrics, parameters or rounds that the search does not have.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        results = results_of(search)
        known, chosen = metrics_of(results), getattr(search, "refit", None)
        if metric is None:
            metric = chosen if chosen in known else known[0]
        scoring = getattr(search, "scoring", None)
        if score_name is None and metric == "score" and isinstance(scoring, str):
            score_name = scoring
        best = getattr(search, "best_index_", None)
        display = cls(results, metric=metric, best_index=best, score_name=score_name)
        return display.plot(kind=kind, parameters=parameters, ax=ax)

    def plot(self, *, kind="auto", parameters=None, ax=None):
        """Draw the candidates of `results`.

        Parameters
        ----------
        kind : {'auto', 'all', 'rounds', 'parameters'}, default='auto'
            Which panels; 'auto': those of the parameters, and of the rounds if there are several.
        parameters : str or list of str, optional
            Which ones have a panel; by default all of which candidates have different values.
        ax : matplotlib Axes or array of Axes, optional
            Where to draw; None makes a new figure.

        Returns
        -------
        display : SearchDisplay
            With `ax_`, `axes_`, `figure_`, `lines_` and `points_`.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        candidates = Candidates(self.results, self.metric)
        names = _rounds(candidates, kind)
        labels = {} if kind == "rounds" else candidates.labels(parameters)
        names += [f"param_{name}" for name in labels]
        if not names:
            raise ValueError(
                "There is nothing to draw: no parameter has different values, and there are not "
                "several rounds. Name the parameters that should be drawn."
            )
        self.axes_ = axes_by_name(ax, names)
        self.ax_ = self.axes_[names[0]]
        self.figure_ = self.ax_.figure
        self.lines_, self.points_ = {}, {}
        n_stages = candidates.stages.max() + 1
        greys = np.linspace(*GREYS, n_stages)[: n_stages - 1]
        colors = np.array([*map(str, greys), LAST])[candidates.stages]
        if "rounds" in self.axes_:
            self._draw_rounds(candidates, colors)
        for name, label in labels.items():
            self._draw_parameter(candidates, colors, name, label)
        _legend(self.axes_, candidates, colors, self.best_index is not None, ax is None)
        return self

    def _draw_rounds(self, candidates, colors):
        ax, x, scores = self.axes_["rounds"], candidates.lengths, candidates.scores
        for key, rows in candidates.rows.items():
            style = {"color": colors[rows[-1]], "linewidth": 1, "zorder": 2 + 0.1 * len(rows)}
            if self.best_index in rows:
                style = {"color": WINNER, "linewidth": 2.2, "zorder": 4}
            told = [row for row in rows if not np.isnan(scores[row])]
            (self.lines_[key],) = ax.plot(x[told], scores[told], ".-", markersize=5, **style)
        if self.best_index is not None:
            self._draw_winner(ax, x[self.best_index])
        ends = [x[candidates.rounds == r].max() for r in range(candidates.n_rounds)]
        if ends[-1] > TENFOLD * ends[0] > 0:
            ax.set_xscale("log")
        ax.set_xticks(ends, [f"{end:g}" for end in ends])
        ax.minorticks_off()
        ax.set_xlabel(candidates.unit)
        told = ~np.isnan(scores)
        long = [row for rows in candidates.rows.values() for row in rows if len(rows) > 1]
        self._describe(ax, x[told], scores[told], colors[told], scores[long])

    def _draw_parameter(self, candidates, colors, name, label):
        ax, places = self.axes_[f"param_{name}"], place(candidates.values(name))
        order = np.argsort(candidates.rounds[candidates.last], kind="stable")
        at, rows = places.at[order], candidates.last[order]
        scores, colors = candidates.scores[rows], colors[rows]
        told = ~np.isnan(scores)
        style = {"c": colors[told], "zorder": 2, **POINT}
        self.points_[f"param_{name}"] = ax.scatter(at[told], scores[told], **style)
        if self.best_index is not None:
            winner = next(i for i, r in enumerate(candidates.rows.values()) if self.best_index in r)
            self._draw_winner(ax, places.at[winner])
        self._describe(ax, at, scores, colors, [])
        set_ticks(ax, places)
        ax.set_xlabel(f"{label}\n({places.note})" if places.note else label)

    def _draw_winner(self, ax, x):
        score = np.array(self.results[f"mean_test_{self.metric}"])[self.best_index]
        ax.plot([x], [score], color=WINNER, gid="winner", zorder=5, **STAR)

    def _describe(self, ax, x, scores, colors, matter):
        """Label and limits of the scores, and marks for those that have no place inside."""
        if ax.yaxis.get_tick_params().get("labelleft", True):
            ax.set_ylabel(self.score_name or self.metric)
        lowest = set_limits(ax, scores, matter)
        far, failed = scores < lowest, np.isnan(scores)
        for which, c, style in ((far, colors[far], BELOW), (failed, DARK, FAILED)):
            if which.any():
                edge = {"transform": ax.get_xaxis_transform(), "clip_on": False, "zorder": 3}
                ax.scatter(x[which], np.zeros(which.sum()), c=c, s=22, **edge, **style)


def _rounds(candidates, kind):
    """The name of their panel, if there is one, in a list."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}.")
    if kind in ("all", "rounds") and candidates.unit is None:
        raise ValueError(f"kind={kind!r}: this search has no rounds. Use kind='parameters'.")
    drawn = kind != "parameters" and (kind != "auto" or candidates.n_rounds > 1)
    return ["rounds"] if drawn else []


def _legend(axes, candidates, colors, winner, ours):
    """What colors and marks mean: above the panels of an own figure, else in the first one."""
    from matplotlib.lines import Line2D

    first, handles = next(iter(axes.values())), []
    for r in range(candidates.stages.max()):
        rows = np.flatnonzero(candidates.rounds == r)
        label = f"ended at {candidates.lengths[rows].max():g} {candidates.unit}"
        handles.append(Line2D([], [], color=colors[rows[0]], marker="o", ls="", label=label))
    if candidates.n_rounds > 1:
        handles.append(Line2D([], [], color=LAST, marker="o", ls="", label="last compared"))
    if winner:
        handles.append(Line2D([], [], color=WINNER, label="winner", **STAR))
    drawn = {each.get_label() for panel in axes.values() for each in panel.collections}
    for style in (BELOW, FAILED):
        if style["label"] in drawn:
            handles.append(Line2D([], [], color=DARK, ls="", **style))
    if handles and ours:
        columns = int(first.figure.get_figwidth() // 1.6)
        first.figure.legend(handles=handles, loc="outside upper left", ncols=columns, frameon=False)
    elif handles:
        first.legend(handles=handles, fontsize="small")
