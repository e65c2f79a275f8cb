"""Candidates of a search, as its `cv_results_` have them, with or without rounds."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

# Columns that count rounds, with those that measure them and the unit of these: of
# RegularizationSearchCV, and of the halving searches of scikit-learn.
ROUNDS = {"round": ("epochs", "epochs"), "iter": ("n_resources", "resources")}
SCORES = "mean_test_"


class Unset:
    """Stands for the value of a candidate that does not have a parameter."""

    def __repr__(self):
        return "unset"


class Candidates:
    """Who they are, and how far they have come.

    Parameters
    ----------
    results : dict of arrays
        As `cv_results_`.
    metric : str

    Attributes
    ----------
    rows : dict of int to list of int
        The rows of each candidate, the rounds in order.
    last : ndarray of int
        The last row of each.
    rounds : ndarray of int
        The round of each row.
    stages : ndarray of int
        The same, but for the last round in which several were compared: none comes after it.
    unit : str or None
        What `lengths` count; None where there are no rounds.
    lengths : ndarray of float
        How long each row was trained.
    scores : ndarray of float
        Of each row, NaN for failures.
    """

    def __init__(self, results, metric):
        if metric not in (known := metrics_of(results)):
            raise ValueError(f"metric must be one of {known}, got {metric!r}.")
        self.params = list(results["params"])
        scores = np.array(results[SCORES + metric], dtype=float)
        self.scores = np.where(np.isfinite(scores), scores, np.nan)
        self.unit, keys, n_rows = None, range(len(self.params)), len(self.params)
        self.rounds, self.lengths = np.zeros(n_rows, dtype=int), np.zeros(n_rows)
        for counter, (lengths, unit) in ROUNDS.items():
            if counter in results and lengths in results:
                self.unit, self.rounds = unit, np.array(results[counter], dtype=int)
                self.lengths = np.array(results[lengths], dtype=float)
                keys = results.get("candidate", _first_of_equals(map(repr, self.params)))
        several = [r for r, n in enumerate(np.bincount(self.rounds)) if n > 1]
        self.stages = np.minimum(self.rounds, max(several, default=0))
        self.rows = {}
        for row in np.argsort(self.rounds, kind="stable"):
            self.rows.setdefault(int(keys[row]), []).append(int(row))
        self.last = np.array([rows[-1] for rows in self.rows.values()])

    @property
    def n_rounds(self):
        return int(self.rounds.max()) + 1

    def values(self, name):
        """Of a parameter, for each candidate."""
        unset = Unset()
        return [self.params[row].get(name, unset) for row in self.last]

    def labels(self, parameters=None):
        """A label for each of these parameters, by name: the last part, where it is clear.

        Parameters
        ----------
        parameters : str or list of str, optional
            Names or labels; None: all of which candidates have different values.
        """
        names = sorted({name for params in self.params for name in params})
        ends = [name.rpartition("__")[2] for name in names]
        labels = [
            end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)
        ]
        if parameters is None:
            differ = [len(set(map(repr, self.values(name)))) > 1 for name in names]
            parameters = [name for name, differs in zip(names, differ, strict=True) if differs]
        elif isinstance(parameters, str):
            parameters = [parameters]
        place = {each: i for told in (labels, names) for i, each in enumerate(told)}
        if missing := [name for name in parameters if name not in place]:
            raise ValueError(
                f"The search has no parameters {missing}. Those that it has are {names}."
            )
        return {names[place[name]]: labels[place[name]] for name in parameters}


def metrics_of(results):
    """Their names, 'score' where there is one."""
    return [name.removeprefix(SCORES) for name in results if name.startswith(SCORES)]


def results_of(search):
    """Its `cv_results_`."""
    if not hasattr(search, "cv_results_"):
        check_is_fitted(search)
        raise TypeError(
            "The candidates of a search are in the cv_results_ of a fitted RegularizationSearchCV, "
            "or GridSearchCV and others of scikit-learn; "
            f"{type(search).__module__}.{type(search).__name__} has none."
        )
    return search.cv_results_


def _first_of_equals(texts):
    """For each the place of the first that is equal."""
    places = {}
    return [places.setdefault(text, row) for row, text in enumerate(texts)]
