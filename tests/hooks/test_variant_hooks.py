"""What --params says over the parameter files, before Kedro builds the pipelines."""

from PIL import Image


def test_a_component_renamed_by_params_loses_the_options_of_the_one_it_replaces(project, run_kedro):
    """The demo's source is synthetic with a count and a seed, which the source folder does not have."""
    photos = project / "data/demo/01_raw/mine"
    photos.mkdir(parents=True)
    for value in range(20):
        Image.new("RGB", (160, 160), (value * 10, 80, 80)).save(photos / f"{value}.png")
    source = "data_engineering.source.name=folder,data_engineering.source.folder=mine"
    result = run_kedro(project, "--env", "demo", "--pipelines", "data_engineering", "--params", source)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (project / "data/demo/05_model_input/train_images.npy").exists()


def test_options_of_the_same_component_stay(project, run_kedro):
    count = "data_engineering.source.count=12"
    result = run_kedro(project, "--env", "demo", "--pipelines", "data_engineering", "--params", count)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(list((project / "data/demo/01_raw/synthetic/img_align_celeba").iterdir())) == 12
