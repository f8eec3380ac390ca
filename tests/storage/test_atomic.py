"""Half-written outputs never appear under the final name."""

import os
import signal
import subprocess
import sys

import pytest

from celeba_vae.storage.atomic import link_or_copy, written_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "new" / "model.keras"

    with written_atomically(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.suffix == ".keras"
        assert temporary.name.startswith(".")
        temporary.write_text("whole")

    assert target.read_text() == "whole"
    assert names(target.parent) == ["model.keras"]


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "image.png"
    target.write_text("old")

    def fail():
        with written_atomically(target) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert target.read_text() == "old"
    assert names(tmp_path) == ["image.png"]


def test_a_folder_is_put_in_place_as_a_whole_and_never_over_another(tmp_path):
    target = tmp_path / "generated"

    def write(text):
        with written_atomically(target) as temporary:
            temporary.mkdir()
            (temporary / "0.txt").write_text(text)
            assert names(tmp_path) == sorted([temporary.name, *(["generated"] if target.exists() else [])])

    write("first")
    with pytest.raises(OSError):  # noqa: PT011  the system's own message
        write("second")

    assert names(tmp_path) == ["generated"]
    assert (target / "0.txt").read_text() == "first"


def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path):
    script = """
import sys, time
from pathlib import Path
from celeba_vae.storage.atomic import written_atomically
with written_atomically(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "x.npy")], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert all(name.startswith(".") for name in names(tmp_path))


@pytest.mark.parametrize("before", [None, "old"])
def test_a_link_replaces_what_is_there_at_once(tmp_path, before):
    source, target = tmp_path / "source.npy", tmp_path / "a" / "target.npy"
    source.write_text("content")
    if before:
        target.parent.mkdir()
        target.write_text(before)

    link_or_copy(source, target)
    link_or_copy(source, target)

    assert target.read_text() == "content"
    assert names(target.parent) == ["target.npy"]


def test_without_links_it_is_a_copy(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("this file system has no links")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "source").write_text("content")

    link_or_copy(tmp_path / "source", tmp_path / "target")

    assert (tmp_path / "target").read_text() == "content"
    assert not (tmp_path / "target").samefile(tmp_path / "source")
