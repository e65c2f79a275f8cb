"""AugmentationDisplay: originals beside their variants, as pictures or as curves."""

import numpy as np
from sklearn.base import clone
from sklearn.utils._optional_dependencies import check_matplotlib_support

from skreg.augmentation.base import draw_seed
from skreg.augmentation.copies import one_each


class AugmentationDisplay:
    """A table of plots: each row has an original and then its variants.

    Pictures are drawn as such, all with the same range of gray, signals and rows of tables as
    curves. Best made by :meth:`from_augmenter`.

    Parameters
    ----------
    originals : ndarray of shape (n_rows, ...)
        Samples: pictures (height, width, channels), signals (channels, length), or plain rows.
    variants : ndarray of shape (n_rows, n_variants, ...)
        Variants of each.

    Attributes
    ----------
    figure_ : matplotlib Figure
        After `plot`.
    axes_ : ndarray of matplotlib Axes of shape (n_rows, 1 + n_variants)
        After `plot`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skreg.augmentation import AugmentationDisplay, RandomRotation
    >>> X, y = load_digits(return_X_y=True)
    >>> augmenter = RandomRotation(20, image_shape=(8, 8), random_state=0)
    >>> display = AugmentationDisplay.from_augmenter(augmenter, X, n_rows=2, n_variants=3)
    >>> display.axes_.shape
    (2, 4)
    """

    def __init__(self, originals, variants):
        self.originals = originals
        self.variants = variants

    @classmethod
    def from_augmenter(cls, augmenter, X, y=None, *, n_rows=4, n_variants=6, axes=None):
        """Draw the first rows of X and variants of them.

        Parameters
        ----------
        augmenter : augmenter
            A copy of it is fitted on all of X.
        X : array-like of shape (n_samples, n_features), or of the shape of the samples
            Training rows.
        y : array-like of shape (n_samples,), optional
            For augmenters that look at it.
        n_rows : int, default=4
            Number of originals.
        n_variants : int, default=6
            Number of variants of each.
        axes : array of matplotlib Axes of shape (n_rows, 1 + n_variants), optional
            Where to draw; None makes a new figure.

        Returns
        -------
        display : AugmentationDisplay
            With `figure_` and `axes_`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_augmenter")
        augmenter = clone(augmenter)
        checked = augmenter._begin(X, y)
        rows, seed = np.arange(len(checked))[:n_rows], draw_seed(augmenter.random_state)
        epochs = range(n_variants)
        variants = [one_each(augmenter, checked, rows, e, seed)[0] for e in epochs]
        reader = reader_of(augmenter)
        samples = [reader._samples(batch) for batch in (checked[rows], *variants)]
        return cls(samples[0], np.stack(samples[1:], axis=1)).plot(axes=axes)

    def plot(self, *, axes=None):
        """Draw the originals and their variants.

        Parameters
        ----------
        axes : array of matplotlib Axes of shape (n_rows, 1 + n_variants), optional
            Where to draw; None makes a new figure.

        Returns
        -------
        display : AugmentationDisplay
            With `figure_` and `axes_`.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        n_rows, n_columns = len(self.originals), 1 + self.variants.shape[1]
        if axes is None:
            size = (1.2 * n_columns, 1.2 * n_rows) if self.originals.ndim == 4 else None
            size = size or (1.9 * n_columns, 1.1 * n_rows)
            _, axes = plt.subplots(
                n_rows, n_columns, figsize=size, squeeze=False, layout="constrained"
            )
        self.axes_ = np.asarray(axes).reshape(n_rows, n_columns)
        self.figure_ = self.axes_[0, 0].figure
        draw = self._draw_pictures if self.originals.ndim == 4 else self._draw_curves
        for original, variants, row in zip(self.originals, self.variants, self.axes_, strict=True):
            draw([original, *variants], row)
        self.axes_[0, 0].set_title("original")
        for number, ax in enumerate(self.axes_[0, 1:], 1):
            ax.set_title(f"variant {number}")
        return self

    def _draw_pictures(self, samples, axes):
        low, high = self.originals.min(), self.originals.max()
        for sample, ax in zip(samples, axes, strict=True):
            colored = sample.shape[2] == 3
            picture = (sample - low) / (high - low or 1) if colored else sample[..., 0]
            options = {} if colored else {"cmap": "gray", "vmin": low, "vmax": high}
            ax.imshow(np.clip(picture, 0, 1) if colored else picture, **options)
            ax.set_axis_off()

    @staticmethod
    def _draw_curves(samples, axes):
        for sample, ax in zip(samples, axes, strict=True):
            ax.plot(np.atleast_2d(sample).T, linewidth=0.8)
            if ax is not axes[0]:
                ax.sharey(axes[0])
            ax.tick_params(labelleft=ax is axes[0], labelbottom=False)


def reader_of(augmenter):
    """The augmenter that knows the shape of samples: the first part of a composition."""
    while hasattr(augmenter, "augmenters_"):
        augmenter = augmenter.augmenters_[0]
    return augmenter
