"""New faces: latents from N(0, I), decoded, as they are and sharpened."""

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.generation.nodes import (
    decode_latents,
    draw_grid,
    encode_training_images,
    sample_latents,
    sharpen_images,
)
from celeba_vae.pipelines.generation.paths import (
    animate_interpolation,
    choose_faces,
    draw_attribute_grid,
    draw_interpolation,
    draw_traversals,
    find_attribute_directions,
)


def create_pipeline(variant: str) -> Pipeline:
    """Build the pipeline for the variant whose decoder makes the images."""
    return _latents_pipeline(variant) + _images_pipeline(variant) + _paths_pipeline(variant)


def _latents_pipeline(variant: str) -> Pipeline:
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


def _images_pipeline(variant: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                sample_latents,
                inputs=[f"{variant}.decoder", "params:generation"],
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
                sharpen_images,
                inputs=["generated_images", "params:generation"],
                outputs="sharpened_images",
                name="sharpen_images",
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
