"""Real schedulers and workers, each a process; a pipe in an image's place holds a worker in the middle of a range."""

import json
import logging
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from base_config import base_config
from PIL import Image

import celeba_vae
from celeba_vae.config import ClusterConfig, DataEngineeringConfig
from celeba_vae.errors import ClusterError, SettingError
from celeba_vae.preparation import preparing
from celeba_vae.preparation.index import RowRange
from celeba_vae.preparation.originals import ImageCollection
from celeba_vae.preparation.preparing import PreparedImages, prepare_images
from celeba_vae.preparation.rows import RangeTask
from celeba_vae.preparation.sources import CelebaSource
from celeba_vae.preparation.splits import assign_splits

IMAGES = 400
SPLITS = ("train", "validation", "test")
# in the middle of the fifth range
HELD = "000150.jpg"


def prepare(raw_folder: Path, folder: Path, originals: ImageCollection | None = None, **cluster: Any) -> PreparedImages:
    config = base_config(DataEngineeringConfig, cluster=base_config(ClusterConfig, **cluster))
    originals = originals or CelebaSource().collect(raw_folder)
    return prepare_images(
        originals, assign_splits(originals.image_ids, originals.partition, config.split), config, folder
    )


def content(prepared: PreparedImages) -> dict[str, bytes]:
    """All that is kept of a preparation: arrays, tables, index, means."""
    files = [*prepared.arrays.values(), *prepared.attributes.values(), prepared.index_file]
    files.append(prepared.index_file.with_name("means.npy"))
    return {file.name: file.read_bytes() for file in files}


def of_two_workers(scheduler: str) -> str:
    """Settings in JSON, for a process of its own."""
    cluster = base_config(ClusterConfig, scheduler=scheduler, processes=2)
    return base_config(DataEngineeringConfig, cluster=cluster).model_dump_json()


def write_images(raw_folder: Path, photograph: Callable[..., np.ndarray]) -> None:
    """Write CelebA with 400 images, of which 20 differ and two are damaged."""
    images = raw_folder / "celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(IMAGES)]
    for i, name in enumerate(names):
        if i < 20:
            Image.fromarray(photograph(i)).save(images / name, quality=92)
        elif i in (60, 333):
            (images / name).write_bytes(b"")
        else:
            os.link(images / names[i % 20], images / name)
    rows = [f"{name} {0 if i < 300 else 1 + i % 2}\n" for i, name in enumerate(names)]
    (raw_folder / "celeba" / "list_eval_partition.txt").write_text("".join(rows))
    rows = [f"{name},{1 - 2 * (i % 3 == 0)}\n" for i, name in enumerate(names)]
    (raw_folder / "celeba" / "list_attr_celeba.csv").write_text(f"image_id,Young\n{''.join(rows)}")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory, photograph: Callable[..., np.ndarray]) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_images(folder, photograph)
    return folder


@pytest.fixture(autouse=True)
def _many_small_ranges(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "celeba_vae")
    monkeypatch.setattr(preparing, "RANGE_ROWS", 32)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, raw: Path) -> dict[str, bytes]:
    """What threads make of the images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "RANGE_ROWS", 32)
        return content(prepare(raw, tmp_path_factory.mktemp("expected")))


class HeldImage:
    """An image whose readers wait until it is fed: a pipe behind a link."""

    def __init__(self, raw: Path, copy: Path, pipe: Path) -> None:
        shutil.copytree(raw, copy, copy_function=os.link)
        self.pipe = pipe
        os.mkfifo(pipe)
        image = copy / "celeba" / "img_align_celeba" / HELD
        self.bytes = image.read_bytes()
        image.unlink()
        image.symlink_to(pipe)

    def reader(self) -> tuple[int, int]:
        """Wait for another process that reads the image; give its number and the pipe's open end."""
        end = self._open()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for process in filter(str.isdecimal, os.listdir("/proc")):
                if int(process) != os.getpid() and self._is_open_in(process):
                    return int(process), end
        raise AssertionError(f"nobody reads {HELD}")

    def feed(self, end: int | None = None) -> None:
        """Let the reader go on, or the one that is going to come."""
        with open(self._open() if end is None else end, "wb") as file:
            file.write(self.bytes)

    def _open(self) -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                end = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.01)
            else:
                os.set_blocking(end, True)
                return end
        raise AssertionError(f"nobody reads {HELD}")

    def _is_open_in(self, process: str) -> bool:
        try:
            files = [os.readlink(file) for file in Path("/proc", process, "fd").iterdir()]
        except OSError:
            return False
        return str(self.pipe) in files


@pytest.fixture
def held(tmp_path: Path, raw: Path) -> HeldImage:
    """A held image in a copy of the images, ``tmp_path / "raw"``."""
    return HeldImage(raw, tmp_path / "raw", tmp_path / "pipe")


@pytest.fixture
def in_background() -> Iterator[Callable[..., Any]]:
    with ThreadPoolExecutor() as pool:
        yield pool.submit


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Cluster:
    """A scheduler as ``dask scheduler`` starts it, and workers by ``dask worker``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._workers: list[subprocess.Popen] = []
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host=127.0.0.1", "--port=0", "--dashboard-address=127.0.0.1:0", f"--scheduler-file={file}"
        )
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]

    def add_workers(self, count: int = 1, cwd: Path | None = None, pythonpath: Path | None = None) -> None:
        """Start workers, in another folder and with other modules perhaps; wait until the scheduler knows them."""
        known = self._count("Register worker addr")
        options = ["--nthreads=1", "--no-nanny", f"--local-directory={self._folder}", "--no-dashboard"]
        for _ in range(count):
            self._workers.append(self._start("worker", self.address, *options, cwd=cwd, pythonpath=pythonpath))
        wait_until(lambda: self._count("Register worker addr") == known + count)

    def kill_workers(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()
        self._workers.clear()
        wait_until(lambda: self._count("Remove worker addr") == self._count("Register worker addr"))

    def kill(self) -> None:
        for process in (self.scheduler, *self._workers):
            process.kill()
            process.wait()

    def _start(self, *command: str, cwd: Path | None = None, pythonpath: Path | None = None) -> subprocess.Popen:
        # two deaths are enough
        environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
        if pythonpath:
            environment["PYTHONPATH"] = str(pythonpath)
        with (self._folder / "log.txt").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *command], cwd=cwd, env=environment, stdout=log, stderr=log
            )

    def _count(self, text: str) -> int:
        return (self._folder / "log.txt").read_text().count(text)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.kill()


@pytest.fixture
def cluster(scheduler: Cluster) -> Iterator[Cluster]:
    """A scheduler without workers."""
    yield scheduler
    scheduler.kill_workers()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_range_changes_no_byte(
    tmp_path: Path,
    expected: dict[str, bytes],
    held: HeldImage,
    in_background: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def kill_the_first_reader() -> list[int]:
        first, end = held.reader()
        os.kill(first, signal.SIGKILL)
        os.close(end)
        wait_until(lambda: "is gone; others prepare its images" in caplog.text)
        second, end = held.reader()
        held.feed(end)
        return [first, second]

    readers = in_background(kill_the_first_reader)
    prepared = prepare(tmp_path / "raw", tmp_path / "work", scheduler="local", processes=2)
    first, second = readers.result()
    assert first != second
    assert os.getpid() not in (first, second)
    assert content(prepared) == expected
    assert "Preparing with 2 workers: tcp://" in caplog.text
    assert "Prepared by " in caplog.text
    assert not list((tmp_path / "work").rglob(".permit*"))


@pytest.mark.slow
def test_workers_of_a_scheduler_read_an_archive_and_give_the_bytes_of_one_machine(
    tmp_path: Path, raw: Path, expected: dict[str, bytes], cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.add_workers(2)
    (tmp_path / "zipped" / "celeba").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "zipped" / "celeba" / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((raw / "celeba").rglob("*.*")):
            archive.write(file, file.relative_to(raw / "celeba"))
    prepared = prepare(tmp_path / "zipped", tmp_path / "work", scheduler=cluster.address)
    assert content(prepared) == expected
    (line,) = [record.message for record in caplog.records if record.message.startswith("Prepared by")]
    assert sum(int(part.split(" images)")[0]) for part in line.split("(")[1:]) == IMAGES

    # what is finished needs no scheduler
    assert content(prepare(tmp_path / "zipped", tmp_path / "work", scheduler=unused_address())) == expected


@pytest.mark.slow
def test_what_was_prepared_before_all_workers_died_is_kept_for_the_threads_of_one_machine(
    tmp_path: Path,
    expected: dict[str, bytes],
    held: HeldImage,
    cluster: Cluster,
    in_background: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def kill_all() -> float:
        _, end = held.reader()
        cluster.kill_workers()
        os.close(end)
        return time.monotonic()

    cluster.add_workers()
    moment = in_background(kill_all)
    with pytest.raises(ClusterError, match=r"has had no worker for 2 seconds .* dask worker tcp://"):
        prepare(tmp_path / "raw", tmp_path / "work", scheduler=cluster.address, timeout=2)
    assert time.monotonic() - moment.result() < 10
    done = len(list((tmp_path / "work").glob("*/ranges/[!.]*.json")))
    assert done >= 1
    in_background(held.feed)
    assert content(prepare(tmp_path / "raw", tmp_path / "work")) == expected
    assert f"Going on: {32 * done} of 400 images" in caplog.text


@pytest.mark.slow
def test_a_scheduler_that_dies_is_told_and_its_worker_writes_no_more(
    tmp_path: Path, expected: dict[str, bytes], held: HeldImage, in_background: Callable[..., Any]
) -> None:
    def kill() -> tuple[float, int]:
        _, end = held.reader()
        cluster.scheduler.kill()
        return time.monotonic(), end

    cluster = Cluster(tmp_path)
    try:
        cluster.add_workers()
        killed = in_background(kill)
        with pytest.raises(ClusterError, match=r"scheduler tcp://\S+ broke"):
            prepare(tmp_path / "raw", tmp_path / "work", scheduler=cluster.address)
        moment, end = killed.result()
        assert time.monotonic() - moment < 10
        # the worker, if it is still there, gets another image than the one that it should have
        os.close(end)
    finally:
        cluster.kill()
    in_background(held.feed)
    assert content(prepare(tmp_path / "raw", tmp_path / "work")) == expected


PLUGIN = """
import os, signal
from dataclasses import dataclass
from celeba_vae.preparation.originals import FolderCollection

@dataclass(frozen=True, kw_only=True)
class Mined(FolderCollection):
    kind: str

    def read(self, image_id):
        if image_id == "000150.jpg":
            if self.kind == "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ZeroDivisionError("no luck")
        return super().read(image_id)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("deadly", r"Workers died one after the other .*train images 000128.jpg to 000159.jpg"),
        (
            "wrong",
            r"Of the train images 000128.jpg to 000159.jpg, the worker tcp://\S+ ended with ZeroDivisionError: no",
        ),
    ],
)
def test_images_that_no_worker_can_prepare_are_named(
    tmp_path: Path, raw: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, kind: str, message: str
) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "mined.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "plugin")
    sys.modules.pop("mined", None)
    from mined import Mined

    cluster.add_workers(2, pythonpath=tmp_path / "plugin")
    partition = CelebaSource().collect(raw).partition
    originals = Mined.of(raw / "celeba" / "img_align_celeba", partition=partition, kind=kind)
    with pytest.raises(ClusterError, match=message):
        prepare(raw, tmp_path / "work", originals, scheduler=cluster.address)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ([], r"The worker tcp://\S+ does not see /proc/self/cwd/work/\w+, where the images are prepared"),
        (["work"], r"The worker tcp://\S+ can't read the original 000000.jpg: No such file or directory"),
    ],
)
def test_a_worker_that_does_not_see_the_folders_is_named(
    tmp_path: Path, raw: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, seen: list[str], message: str
) -> None:
    # each process has a working folder of its own behind this path, as machines have disks of their own
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    (here / "work").mkdir(parents=True)
    (here / "raw").symlink_to(raw)
    elsewhere.mkdir()
    for name in seen:
        (elsewhere / name).symlink_to(here / name)
    monkeypatch.chdir(here)
    cluster.add_workers(cwd=elsewhere)
    with pytest.raises(ClusterError, match=message):
        prepare(Path("/proc/self/cwd/raw"), Path("/proc/self/cwd/work"), scheduler=cluster.address)
    assert not list((here / "work").rglob("ranges"))


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_a_worker_of_another_version_is_named(
    tmp_path: Path, held: HeldImage, cluster: Cluster, in_background: Callable[..., Any], late: bool
) -> None:
    package = tmp_path / "other" / "celeba_vae"
    shutil.copytree(Path(celeba_vae.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(celeba_vae.__version__, "0.0.7"))

    def join_late() -> int:
        _, end = held.reader()
        cluster.add_workers(pythonpath=tmp_path / "other")
        return end

    if late:
        cluster.add_workers()
        joined = in_background(join_late)
    else:
        cluster.add_workers(pythonpath=tmp_path / "other")
    with pytest.raises(ClusterError, match=rf"celeba-vae 0.0.7 .* instead of {celeba_vae.__version__}"):
        prepare(tmp_path / "raw", tmp_path / "work", scheduler=cluster.address)
    if late:
        os.close(joined.result())


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_or_has_no_worker_is_named_soon(
    tmp_path: Path, raw: Path, cluster: Cluster
) -> None:
    start = time.monotonic()
    with pytest.raises(ClusterError, match=rf"{cluster.address} has had no worker for 1 seconds"):
        prepare(raw, tmp_path / "work", scheduler=cluster.address, timeout=1)
    address = unused_address()
    with pytest.raises(ClusterError, match=rf"No Dask scheduler answers at {address} within 1 seconds"):
        prepare(raw, tmp_path / "work", scheduler=address, timeout=1)
    with pytest.raises(ClusterError, match=r"tls://localhost:8786 needs certificates"):
        prepare(raw, tmp_path / "work", scheduler="tls://localhost:8786")
    assert time.monotonic() - start < 10


def unused_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"


SCRIPT = """
from pathlib import Path
from sys import argv, modules
from celeba_vae.config import DataEngineeringConfig
from celeba_vae.preparation import preparing
from celeba_vae.preparation.sources import CelebaSource
from celeba_vae.preparation.splits import assign_splits
if __name__ == "__main__":
    preparing.RANGE_ROWS = 32
    config = DataEngineeringConfig.model_validate_json(argv[3])
    originals = CelebaSource().collect(Path(argv[1]))
    splits = assign_splits(originals.image_ids, originals.partition, config.split)
    preparing.prepare_images(originals, splits, config, Path(argv[2]))
    print(sorted({"dask", "distributed"} & set(modules)))
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_and_the_next_run_goes_on(
    tmp_path: Path, expected: dict[str, bytes], held: HeldImage, in_background: Callable[..., Any]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "raw"), str(tmp_path / "work"), of_two_workers("local")],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    reader, end = held.reader()
    # as a terminal does it: to all processes
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    os.close(end)
    assert process.returncode != 0
    assert errors.decode().count("KeyboardInterrupt") == 1, errors.decode()
    wait_until(lambda: not Path(f"/proc/{reader}").exists(), seconds=10)
    assert not list((tmp_path / "work").rglob(".permit*"))
    done = list((tmp_path / "work").glob("*/ranges/[!.]*.json"))
    assert done
    times = {file: file.stat().st_mtime_ns for file in done}
    in_background(held.feed)
    assert content(prepare(tmp_path / "raw", tmp_path / "work")) == expected
    assert {file: file.stat().st_mtime_ns for file in done} == times


def test_one_machine_loads_nothing_of_dask(tmp_path: Path, raw: Path) -> None:
    arguments = [str(raw), str(tmp_path / "work"), of_two_workers("none")]
    output = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    assert output.stdout.splitlines()[-1] == "[]"


def test_without_dask_the_extra_is_named(tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        SettingError, match=r"cluster.scheduler is local, .*pip install -c constraints.txt -e '.\[dask\]'"
    ):
        prepare(raw, tmp_path / "work", scheduler="local")


@pytest.mark.parametrize("address", ["remote", "localhost:8786", "tcp://host", "http://host:8786"])
def test_what_is_no_address_is_a_wrong_parameter(address: str) -> None:
    with pytest.raises(ValueError, match="scheduler"):
        base_config(ClusterConfig, scheduler=address)


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_sent_does_not_grow_with_the_images(tmp_path: Path, raw: Path, zipped: bool) -> None:
    folder = raw
    if zipped:
        folder = tmp_path
        (tmp_path / "celeba").mkdir()
        with zipfile.ZipFile(tmp_path / "celeba" / "img_align_celeba.zip", "w") as archive:
            for i in range(5000):
                archive.writestr(f"{i:06d}.jpg", b"")
    originals = CelebaSource().collect(folder)
    task = RangeTask(RowRange("train", 0, np.arange(32)), originals.image_ids[:32], originals).to_send()
    data = pickle.dumps(task)
    assert len(data) < 5000
    assert pickle.loads(data).originals.read("000000.jpg") == originals.read("000000.jpg")


@pytest.mark.slow
def test_a_run_on_a_local_cluster_fills_the_same_datasets(
    project: Path, run_kedro_process: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    options = ["--env", "demo", "--pipelines", "data_engineering", "--params"]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    made = []
    for cluster in ("none", "local"):
        parameters = (
            f"data_engineering.source.count=40,data_engineering.fresh=true,data_engineering.cluster.scheduler={cluster}"
        )
        process = run_kedro_process(project, *options, parameters, environment={"TMPDIR": str(temporary)})
        assert process.returncode == 0, process.stdout + process.stderr
        files = [
            *(project / "data/demo/05_model_input").iterdir(),
            project / "data/demo/02_intermediate/image_index.csv",
        ]
        made.append({file.name: file.read_bytes() for file in files})
    assert "Prepared by " in process.stdout
    assert "distributed" not in process.stdout + process.stderr
    assert len(made[0]) == 7
    assert made[0] == made[1]
    assert list(temporary.iterdir()) == []


def test_without_dask_a_run_stops_before_its_first_node(
    project: Path, run_kedro: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    options = [
        "--env",
        "demo",
        "--pipelines",
        "data_engineering",
        "--params",
        "data_engineering.cluster.scheduler=local",
    ]
    process = run_kedro(project, *options)
    assert process.returncode == 1
    assert process.stderr.startswith("Error: data_engineering.cluster.scheduler is local, which needs Dask")
    assert "collect_images" not in process.stdout
