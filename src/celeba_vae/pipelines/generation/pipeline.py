"""New faces: points of the latent space, decoded, as they are and sharpened, and on the way through that space."""

from collections.abc import Callable, Sequence
from typing import Any

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.generation.nodes import encode_training_images
from celeba_vae.pipelines.generation.nodes_images import (
    decode_latents,
    draw_grid,
    draw_sharpening_series,
    enhance_images,
)
from celeba_vae.pipelines.generation.nodes_paths import (
    animate_interpolation,
    choose_faces,
    draw_attribute_grid,
    draw_interpolation,
    draw_traversals,
    find_attribute_directions,
)
from celeba_vae.pipelines.generation.nodes_sampling import (
    draw_distance_series,
    draw_sampler_comparison,
    fit_compared_sampler,
    fit_sampler,
    sample_latents,
)


def create_pipeline(variant: str, compared: Sequence[str]) -> Pipeline:
    """Build the pipeline for the variant whose decoder makes the images, and those whose samples are compared."""
    return sum(
        [
            *(_encoding_pipeline(each) for each in dict.fromkeys([variant, *compared])),
            _fitting_pipeline(variant, fit_sampler, "fitted_sampler"),
            *(_fitting_pipeline(each, fit_compared_sampler, "fitted_compared_sampler") for each in compared),
            _images_pipeline(variant),
            _samplers_pipeline(variant, compared),
            _paths_pipeline(variant),
        ],
        Pipeline([]),
    )


def _encoding_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                encode_training_images,
                inputs=["encoder", "train_images", "latent_stages", "params:generation"],
                outputs="train_latents",
                name="encode_training_images",
                tags="tensorflow",
            ),
        ],
        namespace=variant,
        inputs="train_images",
        parameters="params:generation",
    )


def _fitting_pipeline(variant: str, fit: Callable[..., Any], fitted: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                fit,
                inputs=["encoder", "train_latents", "test_images", "latent_stages", "params:generation"],
                outputs=fitted,
                name=fit.__name__,
                tags="tensorflow",
            ),
        ],
        namespace=variant,
        inputs="test_images",
        parameters="params:generation",
    )


def _images_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                sample_latents,
                inputs=[f"{variant}.decoder", f"{variant}.fitted_sampler", "params:generation"],
                outputs="generated_latents",
                name="sample_latents",
                tags="tensorflow",
            ),
            Node(
                decode_latents,
                inputs=[f"{variant}.decoder", "generated_latents", "params:generation"],
                outputs="generated_images",
                name="decode_latents",
                tags="tensorflow",
            ),
            Node(
                enhance_images,
                inputs=["generated_images", "params:generation"],
                outputs="sharpened_images",
                name="enhance_images",
            ),
            Node(
                draw_grid,
                inputs=["generated_images", "params:generation"],
                outputs="generated_grid",
                name="draw_generated_grid",
            ),
            Node(
                draw_grid,
                inputs=["sharpened_images", "params:generation"],
                outputs="sharpened_grid",
                name="draw_sharpened_grid",
            ),
            Node(
                draw_sharpening_series,
                inputs=["generated_images", "params:generation"],
                outputs="sharpening_series",
                name="draw_sharpening_series",
            ),
        ]
    )


def _samplers_pipeline(variant: str, compared: Sequence[str]) -> Pipeline:
    decoders = [f"{each}.decoder" for each in compared]
    fitted = [f"{each}.fitted_compared_sampler" for each in compared]
    return Pipeline(
        [
            Node(
                draw_distance_series,
                inputs=[f"{variant}.decoder", "params:generation"],
                outputs="distance_series",
                name="draw_distance_series",
                tags="tensorflow",
            ),
            Node(
                draw_sampler_comparison,
                inputs=["params:generation", *decoders, *fitted],
                outputs="sampler_comparison",
                name="draw_sampler_comparison",
                tags="tensorflow",
            ),
        ]
    )


def _paths_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                choose_faces,
                inputs=[
                    f"{variant}.encoder",
                    "generated_latents",
                    "test_images",
                    "own_photos",
                    "params:generation",
                    "params:data_engineering",
                ],
                outputs=["interpolated_faces", "moved_faces"],
                name="choose_faces",
                tags="tensorflow",
            ),
            Node(
                draw_interpolation,
                inputs=[f"{variant}.decoder", "interpolated_faces", "params:generation"],
                outputs="interpolation_strip",
                name="draw_interpolation",
                tags="tensorflow",
            ),
            Node(
                animate_interpolation,
                inputs=[f"{variant}.decoder", "interpolated_faces", "params:generation"],
                outputs="interpolation_animation",
                name="animate_interpolation",
                tags="tensorflow",
            ),
            Node(
                find_attribute_directions,
                inputs=[f"{variant}.train_latents", "train_attributes"],
                outputs=f"{variant}.attribute_directions",
                name="find_attribute_directions",
            ),
            Node(
                draw_attribute_grid,
                inputs=[
                    f"{variant}.decoder",
                    "moved_faces",
                    f"{variant}.attribute_directions",
                    "params:generation",
                ],
                outputs="attribute_grid",
                name="draw_attribute_grid",
                tags="tensorflow",
            ),
            Node(
                draw_traversals,
                inputs=[f"{variant}.decoder", f"{variant}.train_latents", "params:generation"],
                outputs="traversal_grid",
                name="draw_traversals",
                tags="tensorflow",
            ),
        ]
    )
