"""New faces: latents from N(0, I), decoded, as they are and sharpened."""

from kedro.pipeline import Node, Pipeline

from celeba_vae.pipelines.generation.nodes import decode_latents, draw_grid, sample_latents, sharpen_images


def create_pipeline(variant: str) -> Pipeline:
    """Build the pipeline for the variant whose decoder makes the images."""
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
