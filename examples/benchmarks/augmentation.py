"""How many pictures and sounds a second does augmentation take, beside other libraries?

One thread. Ours work on a batch in one call; a loop over `scipy.ndimage.affine_transform`,
albumentations and audiomentations take one picture or sound a call, as they are made. Run it::

    pip install albumentations opencv-python-headless audiomentations
    python examples/benchmarks/augmentation.py [--out FILE.csv]

What is not installed is left out. All get the same samples, in turns; times are the fastest of
several rounds after a first one, since other work on a machine only ever adds time.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import numpy as np
from _common import in_turns, machine_lines, markdown_table, write_csv
from scipy import ndimage

from skreg.augmentation import AddNoise, ElasticDeformation, RandomAffine

N_PICTURES, ROUNDS = 2000, 7
RATE = 8000


def fastest(calls, n):
    """(library, seconds a sample) of calls that take n samples each."""
    contestants = {library: lambda call=call: seconds_of(call) for library, call in calls.items()}
    for library, seconds in in_turns(contestants, ROUNDS).items():
        yield library, min(seconds) / n


def seconds_of(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def optional(name):
    """A module, or None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return __import__(name)
    except ImportError:
        return None


def scipy_affine(picture, rng):
    """A random rotation, scale, shear and shift of one picture, channel by channel."""
    angle, shear = np.deg2rad(rng.uniform(-15, 15)), rng.uniform(-0.2, 0.2)
    cosine, sine, scale = np.cos(angle), np.sin(angle), rng.uniform(0.88, 1.12)
    matrix = np.array([[cosine, sine], [-sine - shear * cosine, cosine - shear * sine]]) / scale
    center = (np.array(picture.shape[:2]) - 1) / 2
    offset = center - matrix @ (center + rng.uniform(-0.06, 0.06, 2) * picture.shape[:2])
    channels = np.moveaxis(picture.reshape(*picture.shape[:2], -1), 2, 0)
    moved = [ndimage.affine_transform(c, matrix, offset, order=1) for c in channels]
    return np.stack(moved, axis=2)


def picture_cases(shape):
    """(task, library, seconds a picture) for one shape of pictures."""
    pictures = np.random.default_rng(0).random((N_PICTURES, *shape), dtype=np.float32)
    rng = np.random.default_rng(0)
    affine = RandomAffine(15, (0.88, 1.12), 0.06, 0.2, random_state=0)
    elastic = ElasticDeformation(34, 4, random_state=0)
    tasks = {
        "affine": {
            "skreg": lambda: affine.fit_transform(pictures),
            "scipy.ndimage loop": lambda: [scipy_affine(x, rng) for x in pictures],
        },
        "elastic": {"skreg": lambda: elastic.fit_transform(pictures)},
    }
    for task, transform in albumentations_transforms().items():
        tasks[task]["albumentations"] = lambda t=transform: [t(image=x)["image"] for x in pictures]
    for task, calls in tasks.items():
        for library, seconds in fastest(calls, N_PICTURES):
            yield f"{task}, {' x '.join(map(str, shape))}", library, seconds


def albumentations_transforms():
    """The same two transforms there; empty where it is not installed."""
    A, cv2 = optional("albumentations"), optional("cv2")
    if A is None or cv2 is None:
        return {}
    cv2.setNumThreads(1)
    affine = A.Affine(
        scale=(0.88, 1.12), rotate=(-15, 15), shear=(-11.3, 11.3), translate_percent=0.06, p=1.0
    )
    return {"affine": affine, "elastic": A.ElasticTransform(alpha=34, sigma=4, p=1.0)}


def sound_cases():
    """(task, library, seconds a sound) for white noise on a second of sound."""
    time_axis = np.arange(RATE) / RATE
    sounds = np.sin(2 * np.pi * 440 * time_axis)[None].repeat(1000, axis=0).astype(np.float32)
    augmenter = AddNoise((5, 20), random_state=0)
    calls = {"skreg": lambda: augmenter.fit_transform(sounds)}
    peer = optional("audiomentations")
    if peer is not None:
        noise = peer.AddGaussianSNR(min_snr_db=5, max_snr_db=20, p=1.0)
        calls["audiomentations"] = lambda: [noise(samples=x, sample_rate=RATE) for x in sounds]
    for library, seconds in fastest(calls, len(sounds)):
        yield f"noise, 1 s at {RATE} Hz", library, seconds


def mnist_case():
    """Seconds for as many pictures as MNIST has."""
    X = np.random.default_rng(0).random((60_000, 784), dtype=np.float32)
    augmenter = RandomAffine(15, (0.88, 1.12), 0.06, 0.2, image_shape=(28, 28), random_state=0)
    return min(seconds_of(lambda: augmenter.fit_transform(X)) for _ in range(ROUNDS))


def main():
    """Measure, print tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="CSV file to write")
    arguments = parser.parse_args()
    print("\n".join(machine_lines()))
    cases = [*picture_cases((28, 28)), *picture_cases((64, 64, 3)), *sound_cases()]
    ours = {task: seconds for task, library, seconds in cases if library == "skreg"}
    rows = [
        {
            "task": task,
            "library": library,
            "microseconds each": f"{1e6 * seconds:.1f}",
            "a second": f"{1 / seconds:,.0f}",
            "over skreg": f"{seconds / ours[task]:.1f}x",
        }
        for task, library, seconds in sorted(cases, key=lambda case: case[0])
    ]
    print(markdown_table(list(rows[0]), [list(r.values()) for r in rows], left=2))
    print(f"60,000 pictures of 28 x 28 through RandomAffine: {mnist_case():.3f} s")
    if arguments.out:
        write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
