"""Components by name: built-ins, and a plugin package as pip would install it."""

import pytest

from celeba_vae.config import ComponentConfig
from celeba_vae.config.plugins import create_component, known_names
from celeba_vae.errors import SettingError

PLUGIN = """
from pydantic import BaseModel, ConfigDict

class Huber(BaseModel):
    model_config = ConfigDict(extra="forbid")
    delta: float = 1.0

def a_function(delta=1.0):
    return delta
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Installs a package with a reconstruction loss; gives a function that registers more."""
    (tmp_path / "loss_plugin.py").write_text(PLUGIN)
    info = tmp_path / "loss_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loss-plugin\nVersion: 1.0\n")

    def register(*lines: str) -> None:
        (info / "entry_points.txt").write_text("\n".join(["[celeba_vae.reconstruction_losses]", *lines]))

    register("huber = loss_plugin:Huber")
    monkeypatch.syspath_prepend(str(tmp_path))
    return register


def loss(name: str, **options):
    return create_component("reconstruction_losses", ComponentConfig(name=name, **options))


def test_built_ins_are_registered_as_plugins_are():
    assert {"bce", "mse"} <= set(known_names("reconstruction_losses"))
    assert {"celeba", "folder", "synthetic"} <= set(known_names("sources"))
    assert create_component("sources", ComponentConfig(name="synthetic", count=5)).count == 5


def test_an_option_that_a_plugin_does_not_have_is_refused(tmp_path, monkeypatch):
    (tmp_path / "lenient_plugin.py").write_text(
        "from pydantic import BaseModel\n\nclass Huber(BaseModel):\n    delta: float = 1.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingError, match=r"delt: unknown name; did you mean 'delta'"):
        create_component("reconstruction_losses", ComponentConfig(name="lenient_plugin:Huber", delt=3))


def test_a_plugin_is_found_by_name_and_by_import_string(plugin):
    assert loss("huber", delta=2).delta == 2.0
    assert loss("loss_plugin:Huber").delta == 1.0
    assert "huber" in known_names("reconstruction_losses")


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "hubert",
            {},
            ["Unknown reconstruction loss 'hubert'", "Did you mean 'huber'?", "bce", "package.module:object"],
        ),
        ("zzz", {}, ["Unknown reconstruction loss 'zzz'. Known: "]),
        ("loss_plugin:Nothing", {}, ["can't be imported", "Nothing"]),
        ("no_such_package:Loss", {}, ["can't be imported", "no_such_package"]),
        (":Loss", {}, ["can't be imported"]),
        ("loss_plugin:a_function", {}, ["no component", "BaseModel"]),
        ("huber", {"delta": "wide"}, ["'huber'", "delta: ", "(given 'wide')"]),
        ("huber", {"detla": 1}, ["'huber'", "detla: unknown name; did you mean 'delta'?"]),
    ],
)
def test_a_wrong_name_or_option_is_one_clear_error(plugin, name, options, expected):
    with pytest.raises(SettingError) as caught:
        loss(name, **options)

    assert all(text in str(caught.value) for text in expected), str(caught.value)


def test_a_name_registered_twice_is_refused_not_drawn_by_lot(plugin):
    plugin("bce = loss_plugin:Huber")

    with pytest.raises(SettingError, match=r"'bce' is registered more than once.*loss_plugin:Huber"):
        loss("bce")
    assert loss("loss_plugin:Huber").delta == 1.0
