"""Each notebook runs from top to bottom in a project, as ``kedro jupyter`` opens it."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SMALL = {
    "training": {
        "latent_dim": 4,
        "encoder": {"filters": [4, 8], "kernel_sizes": [3, 3], "strides": [2, 2]},
        "decoder": {"filters": [4, 3], "kernel_sizes": [3, 3], "strides": [2, 2], "start_filters": 8},
        "epochs": 2,
    }
}


@pytest.fixture
def finished_demo(project, run_kedro):
    """A project with everything that a demo's run makes, on random images and small networks."""
    random = np.random.default_rng(0)
    folder = project / "data/demo/05_model_input"
    folder.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.save(folder / f"{split}_images.npy", random.integers(0, 256, (32, 16, 16, 3), np.uint8))
    (folder / "train_attributes.csv").write_text("image_id\n")
    (project / "conf/demo/parameters_training.yml").write_text(yaml.safe_dump(SMALL))
    result = run_kedro(project, "--env", "demo", "--pipelines", "training,generation")
    assert result.returncode == 0, result.stdout + result.stderr
    return project


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]

    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, finished_demo, monkeypatch):
    monkeypatch.setenv("KEDRO_ENV", "demo")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    folder = finished_demo / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()

    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert sum("image/png" in data for data in shown) >= 4
