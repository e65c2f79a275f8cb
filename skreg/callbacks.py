"""Checkpoint: a fit that was killed goes on where it was. Imports nothing of skreg."""

import hashlib
import json
import os
import threading
import zipfile
from pathlib import Path

import numpy as np

EXACT = ("skreg", "instruction set")  # two fits that differ in these alone have one file


class Checkpoint:
    """Saves the state of a fit after its epochs, and continues from there when it is repeated.

    Set it by ``estimator.set_callbacks(Checkpoint(path))``. When a script that was killed is
    started again, the same `fit` loads what the directory holds for it and goes on from the epoch
    it was saved at, to the same bits as if nothing had happened. A fit is identified by the class,
    all parameters (but `verbose`, `time_limit`, and `max_iter` where it plans nothing), and X, y
    and weights; so clones in a grid search share one object and one directory. An epoch that was
    cut by Ctrl-C or `time_limit` does not count: the state before it does.

    Parameters
    ----------
    path : str or path-like
        A directory, made where it does not exist. A file for each fit is written beside its place
        and renamed, so that no partial file is ever read.
    every : int, default=1
        Save after every so many epochs, >= 1.
    keep : bool, default=False
        Whether the file stays after a fit that came to its end. A repeated fit then has nothing
        left to do, or goes on with a larger `max_iter`.

    Raises
    ------
    ValueError
        By `fit`, if the file was written by another version of skreg or on a processor with
        another instruction set, which would give other bits.

    Notes
    -----
    Training in epochs alone: `partial_fit` and ``solver="lbfgs"`` save nothing. The state is
    arrays, numbers and strings in one ``.npz`` file without pickle: about four times the size of
    the network's weights with 'adam', five with early stopping.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skreg import MLPClassifier
    >>> from skreg.callbacks import Checkpoint
    >>> X, y = load_digits(return_X_y=True)
    >>> directory = tempfile.mkdtemp()
    >>> clf = MLPClassifier((32,), learning_rate_init=0.01, early_stopping=True, random_state=0)
    >>> clf.set_callbacks(Checkpoint(directory, every=5)).fit(X / 16, y).score(X / 16, y)
    0.9...
    """

    def __init__(self, path, every=1, keep=False):
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path must name a directory, got {path!r}.")
        self.path = Path(path)
        self.every = every
        self.keep = keep
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every must be an integer >= 1, got {every!r}.")

    # scikit-learn's protocol hands out too little to save a state: `fit` asks for `_file_of`.

    def setup(self, estimator, context):
        """Do nothing: there is nothing to set up.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            What scikit-learn tells of the task.
        """

    def on_fit_task_begin(self, estimator, context, **arguments):
        """Do nothing: the state is loaded by `fit`.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            What scikit-learn tells of the task.
        **arguments : dict
            What else scikit-learn passes.
        """

    def on_fit_task_end(self, estimator, context, **arguments):
        """Do nothing: the state is saved by `fit`.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            What scikit-learn tells of the task.
        **arguments : dict
            What else scikit-learn passes.
        """

    def teardown(self, estimator, context):
        """Do nothing: there is nothing to tear down.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            What scikit-learn tells of the task.
        """

    def _file_of(self, identity):
        """Where the state of one fit is kept; identity is a dict of strings."""
        return StateFile(self.path, identity, every=self.every, keep=self.keep)


class StateFile:
    """One fit's file in the directory of a Checkpoint."""

    def __init__(self, folder, identity, *, every, keep):
        self.folder, self.identity, self.every, self.keep = folder, identity, every, keep
        same = {name: value for name, value in identity.items() if name not in EXACT}
        text = json.dumps(same, sort_keys=True)
        self.key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self.place = folder / f"{self.key}.npz"

    def load(self):
        """The saved state, or None; what stands in the way of saving is told before training."""
        self.make_folder()
        if not self.place.exists():
            return None
        try:
            content = read_state(self.place)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"The checkpoint {self.place} cannot be read; it is damaged, or not one of ours. "
                "Delete it to begin this fit anew."
            ) from error
        saved = content["identity"]
        other = [name for name in EXACT if saved[name] != self.identity[name]]
        if other:
            differs = ", ".join(f"{n} {saved[n]}, now {self.identity[n]}" for n in other)
            raise ValueError(
                f"The checkpoint {self.place} cannot be continued to the same bits, for it was "
                f"written with another: {differs}. Delete it to begin anew, or use what it was "
                "written with."
            )
        return content["state"]

    def make_folder(self):
        """The directory, or an error that names the parameter."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"Checkpoint(path={str(self.folder)!r}) must name a directory that exists or can "
                f"be made: {error.strerror}."
            ) from error

    def save(self, state):
        """Write beside, then rename."""
        self.make_folder()
        beside = self.folder / f".{self.key}.{os.getpid()}.{threading.get_ident()}.tmp"
        write_state(beside, {"identity": self.identity, "state": state})
        os.replace(beside, self.place)

    def done(self):
        """The fit came to its end."""
        for left in self.folder.glob(f".{self.key}.*.tmp"):  # of processes that were killed
            left.unlink(missing_ok=True)
        if not self.keep:
            self.place.unlink(missing_ok=True)


def write_state(path, state):
    """Arrays, numbers, strings, None, and lists and dicts of them, into one file of np.savez."""
    arrays = []

    def numbered(value):
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {"array": len(arrays) - 1}
        if isinstance(value, dict):
            return {"dict": [[key, numbered(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return {"list": [numbered(item) for item in value]}
        return value.item() if isinstance(value, np.generic) else value

    tree = np.array(json.dumps(numbered(state)))
    with open(path, "wb") as file:
        np.savez(file, tree=tree, **{f"array_{i}": a for i, a in enumerate(arrays)})


def read_state(path):
    """What `write_state` wrote; tuples come back as lists."""
    with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:

        def rebuilt(node):
            if not isinstance(node, dict):
                return node
            ((kind, content),) = node.items()
            if kind == "array":
                return file[f"array_{content}"]
            if kind == "dict":
                return {key: rebuilt(item) for key, item in content}
            return [rebuilt(item) for item in content]

        return rebuilt(json.loads(str(file["tree"])))
