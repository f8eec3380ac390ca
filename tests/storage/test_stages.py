"""Long stages that can be run again."""

import os
import subprocess
import sys

import pytest

from celeba_vae.errors import CelebaVaeError
from celeba_vae.storage.stages import Stage, differences, end_fresh_run, fingerprint


def test_a_fingerprint_depends_on_values_not_on_the_order_of_keys():
    one = fingerprint({"a": 1, "b": {"c": [1, 2], "d": None}})

    assert one == fingerprint({"b": {"d": None, "c": (1, 2)}, "a": 1})
    assert one != fingerprint({"a": 1, "b": {"c": [2, 1], "d": None}})
    assert one != fingerprint({"a": 1.5, "b": {"c": [1, 2], "d": None}})
    assert len(one) == 16
    assert int(one, 16) >= 0


def test_differences_are_named_with_both_values():
    old = {"crop": 148, "split": {"by": "auto", "seed": 1}, "gone": True}
    new = {"crop": 178, "split": {"by": "auto", "seed": 2}, "added": "x"}

    assert differences(old, new) == ["added: None -> x", "crop: 148 -> 178", "gone: True -> None", "split.seed: 1 -> 2"]
    assert differences(old, old) == []


def test_an_unfinished_stage_goes_on_and_a_finished_one_hands_on_its_result(tmp_path):
    with Stage(tmp_path, {"a": 1}) as stage:
        assert stage.result is None
        (stage.path / "work").write_text("half")
    with Stage(tmp_path, {"a": 1}) as again:
        assert again.path == stage.path
        assert (again.path / "work").read_text() == "half"
        again.finish({"count": 3})
    with Stage(tmp_path, {"a": 1}) as finished:
        assert finished.result == {"count": 3}
    with Stage(tmp_path, {"a": 2}) as other:
        assert other.result is None
        assert other.path != stage.path
    with Stage(tmp_path, {"a": 1}) as back:
        assert back.result == {"count": 3}


def test_fresh_starts_anew_and_leaves_other_stages_alone(tmp_path):
    for a in (1, 2):
        with Stage(tmp_path, {"a": a}) as stage:
            (stage.path / "work").touch()
            stage.finish({})

    with Stage(tmp_path, {"a": 1}, fresh=True) as stage:
        assert stage.result is None
        assert not (stage.path / "work").exists()
    with Stage(tmp_path, {"a": 2}) as other:
        assert other.result == {}


def test_a_fresh_run_goes_on_where_it_was_interrupted_and_the_next_one_starts_anew(tmp_path):
    def run(a, work):
        with Stage(tmp_path / "stages", {"a": a}, fresh=True) as stage:
            before = sorted(path.name for path in stage.path.glob("work_*"))
            (stage.path / f"work_{work}").touch()
            if work != "half":
                stage.finish({})
            return before

    for a in (1, 2):
        run(a, "old")
    end_fresh_run(tmp_path / "stages")

    # interrupted in the second stage
    assert run(1, "new") == run(2, "half") == []
    assert run(1, "new") == ["work_new"]
    assert run(2, "rest") == ["work_half"]
    # folders of stages may lie in the folder
    end_fresh_run(tmp_path)
    assert run(1, "newest") == run(2, "newest") == []


def test_an_unfinished_fresh_stage_outlives_the_end_of_another_run(tmp_path):
    with Stage(tmp_path, {"a": 1}, fresh=True) as stage:
        (stage.path / "work").touch()
    end_fresh_run(tmp_path)
    with Stage(tmp_path, {"a": 1}, fresh=True) as stage:
        assert (stage.path / "work").exists()


def test_what_a_fresh_stage_replaces_is_kept_until_it_is_finished(tmp_path):
    with Stage(tmp_path, {"a": 1}) as stage:
        (stage.path / "work").write_text("old")
        stage.finish({})
    with Stage(tmp_path, {"a": 1}, fresh=True) as fresh:
        assert fresh.path == stage.path
        (kept,) = tmp_path.glob("*/work")
        assert kept.read_text() == "old"
        (fresh.path / "work").write_text("new")
        fresh.finish({})
    assert [file.read_text() for file in tmp_path.glob("*/work")] == ["new"]


def test_what_changed_is_told_against_the_stage_used_last(tmp_path):
    with Stage(tmp_path, {"shape": (96, 96), "crop": 1}) as first:
        assert first.changes_since_last() == []
    with Stage(tmp_path, {"shape": (96, 96), "crop": 2}) as second:
        # tuples come back from the file as lists: that is no change
        assert second.changes_since_last() == ["crop: 1 -> 2"]
    long_ago = 1_000_000_000
    os.utime(second.path / "identity.json", (long_ago, long_ago))
    with Stage(tmp_path, {"shape": (96, 96), "crop": 3}) as third:
        assert third.changes_since_last() == ["crop: 1 -> 3"]


WORKER = """
import sys, time
from pathlib import Path
from celeba_vae.storage.stages import Stage
with Stage(Path(sys.argv[1]), {"a": 1}):
    print("open", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_has_ended_however_it_ended(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"

    with pytest.raises(CelebaVaeError, match="Another process is working in"):
        Stage(tmp_path, {"a": 1}).__enter__()
    with Stage(tmp_path, {"a": 2}):
        pass
    process.kill()
    process.communicate()
    with Stage(tmp_path, {"a": 1}) as stage:
        assert stage.result is None


def test_an_error_inside_lets_the_stage_go(tmp_path):
    def fail():
        with Stage(tmp_path, {"a": 1}):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with Stage(tmp_path, {"a": 1}) as stage:
        assert stage.result is None


def test_what_a_killed_process_was_writing_is_removed(tmp_path):
    with Stage(tmp_path, {"a": 1}) as stage:
        (stage.path / "ranges").mkdir()
        for name in ("kept.npy", ".half.npy", "ranges/.half.json", "ranges/kept.json"):
            (stage.path / name).touch()
    with Stage(tmp_path, {"a": 1}) as stage:
        files = {str(file.relative_to(stage.path)) for file in stage.path.rglob("*") if file.is_file()}
    assert files == {"identity.json", "kept.npy", "ranges/kept.json"}
