"""New faces: points of the latent space, decoded, as they are and sharpened, and on the way through that space."""

from collections.abc import Callable, Mapping, Sequence

from kedro.pipeline import Node, Pipeline

from celeba_vae.latent.faces import choose_faces
from celeba_vae.pipelines.generation import nodes
from celeba_vae.reporting import face_grids
from celeba_vae.storage import Arrays


def create_pipeline(variant: str, compared: Sequence[str]) -> Pipeline:
    """Build the pipeline for the variant whose decoder makes the images, and those whose samples are compared."""
    fits: dict[str, dict[str, Callable[..., Arrays]]] = {each: {} for each in [variant, *compared]}
    fits[variant]["fitted_sampler"] = nodes.fit_sampler
    for each in compared:
        fits[each]["fitted_compared_sampler"] = nodes.fit_compared_sampler
    return sum(
        (_latents_pipeline(each, fitted) for each, fitted in fits.items()),
        _samples_pipeline(variant, compared) + _images_pipeline(variant) + _paths_pipeline(variant),
    )


def _latents_pipeline(variant: str, fits: Mapping[str, Callable[..., Arrays]]) -> Pipeline:
    """Encode training images, and fit samplers to their latents: from an output to the function that makes it."""
    encode = Node(
        nodes.encode_training_images,
        inputs=["encoder", "train_images", "latent_stages", "params:generation"],
        outputs="train_latents",
        name="encode_training_images",
    )
    fit = [
        Node(
            function,
            inputs=["encoder", "train_latents", "test_images", "latent_stages", "params:generation"],
            outputs=fitted,
            name=function.__name__,
        )
        for fitted, function in fits.items()
    ]
    return Pipeline(
        [encode, *fit],
        namespace=variant,
        inputs={"train_images", "test_images"},
        parameters="params:generation",
        tags="tensorflow",
    )


def _samples_pipeline(variant: str, compared: Sequence[str]) -> Pipeline:
    """Draw points of the latent space, and decode them."""
    decoder = f"{variant}.decoder"
    decoders = [f"{each}.decoder" for each in compared]
    fitted = [f"{each}.fitted_compared_sampler" for each in compared]
    return Pipeline(
        [
            Node(
                nodes.sample_latents,
                inputs=[decoder, f"{variant}.fitted_sampler", "params:generation"],
                outputs="generated_latents",
                name="sample_latents",
            ),
            Node(
                nodes.decode_latents,
                inputs=[decoder, "generated_latents", "params:generation"],
                outputs="generated_images",
                name="decode_latents",
            ),
            Node(
                face_grids.distance_series,
                inputs=[decoder, "params:generation"],
                outputs="distance_series",
                name="draw_distance_series",
            ),
            Node(
                face_grids.sampler_comparison,
                inputs=["params:generation", *decoders, *fitted],
                outputs="sampler_comparison",
                name="draw_sampler_comparison",
            ),
        ],
        tags="tensorflow",
    )


def _paths_pipeline(variant: str) -> Pipeline:
    """Go through the latent space from one face to another, along attributes and along principal components."""
    decoder = f"{variant}.decoder"
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
            ),
            Node(
                face_grids.interpolation_strip,
                inputs=[decoder, "interpolated_faces", "params:generation"],
                outputs="interpolation_strip",
                name="draw_interpolation",
            ),
            Node(
                face_grids.interpolation_frames,
                inputs=[decoder, "interpolated_faces", "params:generation"],
                outputs="interpolation_animation",
                name="animate_interpolation",
            ),
            Node(
                face_grids.attribute_grid,
                inputs=[decoder, "moved_faces", f"{variant}.attribute_directions", "params:generation"],
                outputs="attribute_grid",
                name="draw_attribute_grid",
            ),
            Node(
                face_grids.traversal_grid,
                inputs=[decoder, f"{variant}.train_latents", "params:generation"],
                outputs="traversal_grid",
                name="draw_traversals",
            ),
        ],
        tags="tensorflow",
    )


def _images_pipeline(variant: str) -> Pipeline:
    """Enhance the images and show them; find attributes' directions: what needs no TensorFlow."""
    return Pipeline(
        [
            Node(
                nodes.enhance_images,
                inputs=["generated_images", "params:generation"],
                outputs="sharpened_images",
                name="enhance_images",
            ),
            Node(
                nodes.draw_grid,
                inputs=["generated_images", "params:generation"],
                outputs="generated_grid",
                name="draw_generated_grid",
            ),
            Node(
                nodes.draw_grid,
                inputs=["sharpened_images", "params:generation"],
                outputs="sharpened_grid",
                name="draw_sharpened_grid",
            ),
            Node(
                nodes.draw_sharpening_series,
                inputs=["generated_images", "params:generation"],
                outputs="sharpening_series",
                name="draw_sharpening_series",
            ),
            Node(
                nodes.find_attribute_directions,
                inputs=[f"{variant}.train_latents", "train_attributes"],
                outputs=f"{variant}.attribute_directions",
                name="find_attribute_directions",
            ),
        ]
    )
