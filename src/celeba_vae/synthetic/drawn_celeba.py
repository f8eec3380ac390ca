"""Drawn faces written as CelebA comes: aligned images, the list of attributes, the list of the partition."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from celeba_vae.storage.atomic import written_atomically
from celeba_vae.synthetic.portrait import paint_face
from celeba_vae.synthetic.random_traits import sample_traits
from celeba_vae.synthetic.traits import ATTRIBUTE_NAMES, attributes_of

# CelebA's own partition: images for training, validation and testing
CELEBA_PARTITION = (162_770, 19_867, 19_962)
# faces that a worker draws before it reports
CHUNK = 25


def write_synthetic_celeba(folder: Path, count: int, seed: int, workers: int | None = None) -> None:
    """Write faces and CelebA's lists into a folder, which appears only when complete.

    It gets img_align_celeba/000001.jpg … (178x218 RGB, about 7 KB each), list_attr_celeba.txt and
    list_eval_partition.txt. The same seed gives the same bytes whatever the number of ``workers`` (processes; none: one
    per processor) and, face by face, whatever ``count``.

    Raises:
        ValueError: ``count`` or ``workers`` is below 1, ``seed`` is negative, or the folder holds something already.
    """
    workers = os.cpu_count() or 1 if workers is None else workers
    for name, value in (("count", count), ("workers", workers)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} exists and is not empty: remove it, or choose another folder for the synthetic faces"
        )
    with written_atomically(folder) as temporary:
        images = temporary / "img_align_celeba"
        images.mkdir(parents=True)
        _write_lists(temporary, _draw_all(images, count, seed, workers))
        if folder.exists():
            folder.rmdir()


def _draw_all(images: Path, count: int, seed: int, workers: int) -> list[str]:
    """Draw the faces 0 … count - 1 as files in ``images``; give each one's line of the list of attributes, in order."""
    draw = partial(_draw_file, images, seed)
    progress = partial(tqdm, total=count, desc="Drawing faces", unit="face", disable=None)
    workers = min(workers, -(-count // CHUNK))
    if workers == 1:
        return list(progress(map(draw, range(count))))
    # Spawned processes start clean: forked ones could inherit locks held by the threads of OpenCV, tqdm or TensorFlow.
    # They cost half a second more, once.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        return list(progress(pool.map(draw, range(count), chunksize=CHUNK)))
    finally:
        # After an error, too, no worker may write into a folder that is being removed.
        pool.shutdown(cancel_futures=True)


def _draw_file(images: Path, seed: int, index: int) -> str:
    """Draw a face as CelebA's file number ``index`` + 1; give its name and a 1 or -1 for each of the 40 attributes."""
    traits = sample_traits(seed, index)
    name = f"{index + 1:06d}.jpg"
    Image.fromarray(paint_face(traits)).save(images / name, "JPEG", quality=92)
    return name + " " + " ".join(" 1" if on else "-1" for on in attributes_of(traits).values())


def _start_worker() -> None:
    """Keep a worker to one thread, and end it when the process that started it is gone: a pool's workers would wait."""
    cv2.setNumThreads(1)
    # Freeing one large array teaches glibc to keep freed memory, instead of asking the system for every picture anew: a
    # quarter of the time. Elsewhere it does nothing.
    np.empty(31 * 2**20, np.uint8)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _write_lists(folder: Path, faces: list[str]) -> None:
    """Write the faces' attributes, and a partition in CelebA's shares: 0 (train), then 1 (validation), 2 (test)."""
    attributes = [str(len(faces)), " ".join(ATTRIBUTE_NAMES) + " ", *faces, ""]
    (folder / "list_attr_celeba.txt").write_text("\n".join(attributes), encoding="ascii", newline="\n")
    ends = [round(len(faces) * end / sum(CELEBA_PARTITION)) for end in accumulate(CELEBA_PARTITION)]
    parts = np.searchsorted(ends, np.arange(len(faces)), side="right")
    partition = [f"{face.split()[0]} {part}" for face, part in zip(faces, parts, strict=True)]
    (folder / "list_eval_partition.txt").write_text("\n".join(partition), encoding="ascii", newline="\n")
