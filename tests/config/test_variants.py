"""Blocks of parameters that shape the graph, by themselves and in Kedro's sessions."""

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from celeba_vae.config.variants import GraphShape, expand_variants, graph_shape
from celeba_vae.errors import SettingError

PARAMETERS = {
    "training": {
        "variants": ["vae"],
        "epochs": 24,
        "layers": {"dropout": 0.0, "activation": "relu"},
        "encoder": {"name": "conv", "filters": [32, 64]},
    },
    "variants": {
        "vae": {"kl_weight": 3.0},
        "ae": {"model": "ae", "epochs": 2, "layers": {"dropout": 0.5}, "encoder": {"filters": [8]}},
        "other": {"encoder": {"name": "plugin", "depth": 3}},
        "plain": None,
    },
    "generation": {"variant": "vae", "compared": ["vae", "ae"]},
    "evaluation": {"variants": ["ae", "vae"]},
}


def test_a_variant_is_what_all_share_with_its_own_values_on_top():
    blocks = expand_variants(PARAMETERS)["variants"]

    shared = {key: value for key, value in PARAMETERS["training"].items() if key != "variants"}
    assert blocks["plain"] == {**shared, "name": "plain"}
    assert blocks["vae"] == {**shared, "name": "vae", "kl_weight": 3.0}
    assert blocks["ae"] == {
        "name": "ae",
        "model": "ae",
        "epochs": 2,
        "layers": {"dropout": 0.5, "activation": "relu"},
        "encoder": {"name": "conv", "filters": [8]},
    }
    # another component takes none of the shared one's options
    assert blocks["other"]["encoder"] == {"name": "plugin", "depth": 3}


def test_expanding_leaves_the_input_as_it_is_and_can_be_repeated():
    before = yaml.safe_dump(PARAMETERS)

    once = expand_variants(PARAMETERS)

    assert yaml.safe_dump(PARAMETERS) == before
    assert expand_variants(once) == once


def test_the_graphs_shape_is_read_from_three_places():
    assert graph_shape(PARAMETERS) == GraphShape(
        trained=("vae",),
        every=("vae", "ae", "other", "plain"),
        generated="vae",
        sampled=("vae", "ae"),
        compared=("ae", "vae"),
        tried=(),
    )
    one = {**PARAMETERS, "training": {"variants": "ae"}, "evaluation": {"variants": "ae"}}
    assert (graph_shape(one).trained, graph_shape(one).compared) == (("ae",), ("ae",))
    assert graph_shape({**PARAMETERS, "training": {}}).trained == ("vae", "ae", "other", "plain")


def test_experiments_are_blocks_on_one_budget_each_once():
    experiments = {
        "variants": ["vae", "ae"],
        "like": "vae",
        "kl_weights": [0.5, 5.0],
        "latent_dims": [8],
        "image_count": "none",
        "epochs": 3,
    }
    parameters = {
        "training": {"variants": ["vae"], "epochs": 24, "batch_size": 16},
        "variants": {"vae": {"model": "vae", "kl_weight": 5.0}, "ae": {"model": "ae", "epochs": 5}},
        "experiments": experiments,
        "generation": PARAMETERS["generation"],
        "evaluation": PARAMETERS["evaluation"],
    }

    expanded = expand_variants(parameters)

    budget = {"epochs": 3, "image_count": None, "batch_size": 16}
    # the block's own KL weight is tried once
    assert {name: block for name, block in expanded["variants"].items() if name.startswith("trial_")} == {
        "trial_vae": {**budget, "name": "trial_vae", "model": "vae", "kl_weight": 5.0},
        "trial_ae": {**budget, "name": "trial_ae", "model": "ae"},
        "trial_kl_weight_0_5": {**budget, "name": "trial_kl_weight_0_5", "model": "vae", "kl_weight": 0.5},
        "trial_latent_dim_8": {
            **budget,
            "name": "trial_latent_dim_8",
            "model": "vae",
            "kl_weight": 5.0,
            "latent_dim": 8,
        },
    }
    shape = graph_shape(expanded)
    assert shape.tried == ("trial_vae", "trial_ae", "trial_kl_weight_0_5", "trial_latent_dim_8")
    assert shape.trained == ("vae",)
    assert expand_variants(expanded) == expanded
    with pytest.raises(SettingError, match=r"experiments names 'x', but .* no such block .* Known: vae, ae"):
        expand_variants({**parameters, "experiments": {**experiments, "variants": ["x"]}})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"generation": {"variant": "vea", "compared": ["vae"]}},
            "generation.variant names 'vea'.*Known: vae, ae, other, plain",
        ),
        ({"generation": {"variant": "vae", "compared": ["x"]}}, "generation.compared names 'x'"),
        ({"evaluation": {"variants": ["ae", "x"]}}, "evaluation.variants names 'x'"),
        ({"evaluation": {"variants": ["ae", "ae"]}}, "evaluation.variants names 'ae' more than once"),
        ({"training": {"variants": ["y"]}}, "training.variants names 'y'"),
        ({"variants": {"my-vae": {}}}, "'my-vae'.*identifier"),
        ({"variants": {"vae": 3}}, "variants.vae .* not 3"),
        ({"variants": ["vae"]}, "variants .* must be a block"),
        ({"training": 3}, "training .* must be a block"),
    ],
)
def test_names_that_can_not_work_are_refused(change, expected):
    with pytest.raises(SettingError, match=expected):
        graph_shape(expand_variants({**PARAMETERS, **change}))


def load(project, env=None, **runtime_params):
    """The context of a new session, as in ``kedro run``, ``kedro viz`` and notebooks."""
    bootstrap_project(project)
    with KedroSession.create(project, env=env, runtime_params=runtime_params) as session:
        return session.load_context()


def namespaces(pipeline: str) -> set[str]:
    return {node.namespace for node in pipelines[pipeline].nodes}


def test_two_sessions_in_one_process_have_each_its_own_variants(project):
    (project / "conf/local/parameters.yml").write_text(yaml.safe_dump({"variants": {"mine": {"latent_dim": 8}}}))

    first = load(project)
    assert namespaces("training") == {"vae", "ae"}
    assert namespaces("variants") > {"vae", "ae", "mine"}
    second = load(project, training={"variants": ["mine"]}, generation={"variant": "mine"})
    assert namespaces("training") == {"mine"}
    assert "mine.decoder" in pipelines["generation"].inputs()
    load(project)
    assert namespaces("training") == {"vae", "ae"}

    assert first.params["variants"]["mine"].latent_dim == 8
    assert second.params["variants"]["vae_dense"].encoder.name == first.params["variants"]["vae"].encoder.name


def test_settings_of_the_command_line_reach_one_variant_or_all(project):
    params = load(project, variants={"vae": {"kl_weight": 3}}, training={"epochs": 2}).params["variants"]

    assert (params["vae"].kl_weight, params["ae"].kl_weight) == (3, 5)
    assert (params["vae"].epochs, params["ae"].epochs) == (2, 2)


def test_another_environment_holds_only_what_differs(project):
    base, demo = load(project).params["variants"]["vae"], load(project, env="demo").params["variants"]["vae"]

    assert demo.batch_size != base.batch_size
    assert demo.layers.batch_normalization_momentum != base.layers.batch_normalization_momentum
    assert demo.layers.activation == base.layers.activation
    assert demo.encoder == base.encoder


def test_a_wrong_name_stops_the_session(project):
    with pytest.raises(SettingError, match=r"evaluation\.variants names 'vae_2'"):
        load(project, evaluation={"variants": ["vae_2"]})
