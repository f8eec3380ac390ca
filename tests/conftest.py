"""What all tests share: a copy of the project to run in, and a way to run it as a user does."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from projects import new_project, run_here, run_in_a_process
from small_models import save_random_inception

# what these give takes long to make: all tests that ask for it are slow
SLOW_FIXTURES = {"browser", "install_apart"}

# what a shell starts in the background ignores Ctrl-C, and so would all processes that tests start
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not SLOW_FIXTURES.isdisjoint(item.fixturenames):
            item.add_marker("slow")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project root of its own, see ``new_project``."""
    return new_project(tmp_path / "project")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``made_once(name, make)`` is a folder that ``make(folder)`` fills once for all test processes; only read it."""
    folders = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # each process has one below
        folders = folders.parent

    def give(name: str, make: Callable[[Path], None]) -> Path:
        folder, unfinished = folders / name, folders / f"{name}.unfinished"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return give


@pytest.fixture(scope="session")
def random_inception(made_once: Callable[..., Path]) -> Path:
    """A file of weights for Inception v3, see ``save_random_inception``."""
    name = "random.weights.h5"
    return made_once("inception", lambda folder: save_random_inception(folder / name)) / name


@pytest.fixture
def run_kedro() -> Callable[..., CompletedProcess[str]]:
    """``run_kedro(project, *arguments)`` is ``kedro run *arguments``; gives exit code and output as text.

    It runs in this process, where TensorFlow is loaded once; ``environment`` adds variables. Settings of the hardware
    that TensorFlow takes only once (threads, devices, ``deterministic``) need ``run_kedro_process``.
    """
    return run_here


@pytest.fixture
def run_kedro_process() -> Callable[..., CompletedProcess[str]]:
    """``run_kedro_process(project, *arguments)`` is ``run_kedro`` in a process of its own, for what is about that.

    Such are start-up, what is loaded, all that reaches the console, exit codes, other interpreters and packages.
    ``command`` replaces ``run``, ``python`` is the interpreter, ``timeout`` is in seconds.
    """
    return run_in_a_process


@pytest.fixture
def install_apart(tmp_path: Path) -> Callable[..., Path]:
    """``install_apart(*arguments)`` is ``pip install *arguments``, without dependencies, into a new environment.

    It sees the running one's packages. Gives its interpreter.
    """

    def install(*arguments: str | Path) -> Path:
        environment = tmp_path / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        python = environment / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", python]
        subprocess.run([*pip, "install", "--quiet", "--no-deps", *arguments], check=True)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        own = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
        # not before pip has built: old build tools may be among them
        (Path(own) / "running.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        return python

    return install


@pytest.fixture(scope="session")
def photograph() -> Callable[..., np.ndarray]:
    """``photograph(seed, width=178, height=218)`` draws what has a photograph's spectrum: uint8 RGB (h, w, 3)."""

    def draw(seed: int, width: int = 178, height: int = 218) -> np.ndarray:
        rng = np.random.default_rng(seed)
        frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
        frequency[0, 0] = 1
        shape = (3, *frequency.shape)
        spectrum = (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / frequency
        # natural images are mostly brightness, less colour
        spectrum[1:] = spectrum[0] + 0.3 * spectrum[1:]
        planes = np.fft.irfft2(spectrum, s=(height, width))
        planes = 128 + 45 * (planes - planes.mean()) / planes.std()
        return np.ascontiguousarray(np.rint(np.clip(planes, 0, 255)).astype(np.uint8).transpose(1, 2, 0))

    return draw


@pytest.fixture
def write_celeba(photograph: Callable[..., np.ndarray]) -> Callable[..., list[str]]:
    """``write_celeba(folder, count)`` writes what CelebA looks like and gives the images' names.

    ``partition`` holds one value an image and makes list_eval_partition.txt; None leaves that file out.
    """

    def write(folder: Path, count: int, partition: list[int] | None = None) -> list[str]:
        images = folder / "img_align_celeba"
        images.mkdir(parents=True)
        names = [f"{i + 1:06d}.jpg" for i in range(count)]
        for seed, name in enumerate(names):
            Image.fromarray(photograph(seed)).save(images / name, quality=92)
        if partition is not None:
            lines = [f"{name} {value}" for name, value in zip(names, partition, strict=True)]
            (folder / "list_eval_partition.txt").write_text("\n".join(lines))
        return names

    return write


# not for the whole session: its event loop would be in the way of other tests' own
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium, as Playwright's ``Browser``; where none is installed, the test is skipped."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip(f"no browser to open the page in: none of {', '.join(names)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        yield browser
        browser.close()


@pytest.fixture
def open_file(browser: Any) -> Iterator[Callable[..., Any]]:
    """``open_file(path, viewport, color_scheme)`` opens a page offline; ``page.complaints`` is what must stay empty."""
    contexts = []

    def open_it(path: Path, viewport: dict[str, int] | None = None, color_scheme: str = "light") -> Any:
        viewport = viewport or {"width": 1280, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=color_scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
        page.on(
            "request",
            lambda request: re.match(r"file:|data:", request.url) or page.complaints.append(request.url),
        )
        page.goto(path.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
