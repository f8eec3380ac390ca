"""Images from points: enhanced by Pillow's own means, shown, and each made again from its row in the table."""

import json

import numpy as np
import pytest
from base_config import base_config
from PIL import Image, ImageEnhance, ImageFilter

from celeba_vae.config import GenerationConfig, LayersConfig
from celeba_vae.config.plugins import create_component
from celeba_vae.datasets import ImageFolder, ImageFolderDataset
from celeba_vae.errors import DataError
from celeba_vae.latent.points import LatentPoints
from celeba_vae.latent.samplers import EncodedImages
from celeba_vae.models.decoders import ConvTransposeDecoder
from celeba_vae.pipelines.generation import remake_image
from celeba_vae.pipelines.generation.nodes import (
    decode_latents,
    draw_grid,
    draw_sharpening_series,
    enhance_images,
)

LATENT_DIM = 12
CHAIN = [{"name": "sharpness", "factor": 2.5}, {"name": "detail"}]


def conv_decoder(seed=0):
    return ConvTransposeDecoder().build((32, 32, 3), LATENT_DIM, base_config(LayersConfig), "float32", seed)


def generate(folder, decoder, parameters, fitted=None):
    """Generate and enhance as the pipeline does; gives both datasets as they are loaded, and the points."""
    sampler = create_component("samplers", parameters.sampler)
    latents = LatentPoints(sampler, parameters.count, LATENT_DIM, parameters.seed, fitted or {})
    latents = np.concatenate(list(latents))
    generated, sharpened = (ImageFolderDataset(filepath=str(folder / name)) for name in ("generated", "sharpened"))
    generated.save(decode_latents(decoder, latents, parameters))
    sharpened.save(enhance_images(generated.load(), parameters))
    return generated.load(), sharpened.load(), latents


def test_table_says_where_each_image_comes_from(tmp_path):
    parameters = base_config(GenerationConfig, count=70, seed=3, sampler={"name": "uniform"}, enhancer=CHAIN)

    generated, sharpened, latents = generate(tmp_path, conv_decoder(), parameters)

    table = generated.index
    assert list(table["id"]) == list(range(70))
    assert {json.loads(text)["name"] for text in table["sampler"]} == {"uniform"}
    # options that were not given, too: a default may change
    assert json.loads(table["sampler"][0]) == {"name": "uniform", "limit": 1.0}
    assert set(table["seed"]) == {3}
    assert set(table["variant"]) == {"vae"}
    np.testing.assert_allclose(table["distance"], np.sqrt((latents.astype(float) ** 2).sum(axis=1)), rtol=1e-12)
    assert set(table["enhancer"]) == {'[{"name": "none"}]'}
    assert json.loads(sharpened.index["enhancer"][69]) == CHAIN
    assert sharpened.index.drop(columns="enhancer").equals(table.drop(columns="enhancer"))


def test_enhanced_images_are_pillows_of_the_generated_ones(tmp_path):
    parameters = base_config(GenerationConfig, count=70, enhancer=CHAIN)

    generated, sharpened, _ = generate(tmp_path, conv_decoder(), parameters)

    assert len(sharpened.images) == 70
    for image, result in zip(generated.images, sharpened.images, strict=True):
        expected = ImageEnhance.Sharpness(Image.fromarray(image)).enhance(2.5).filter(ImageFilter.DETAIL)
        assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("enhancer", ["none", "unsharp_mask", CHAIN])
def test_any_image_is_made_again_from_its_row_to_the_byte(tmp_path, enhancer):
    decoder = conv_decoder()
    parameters = base_config(
        GenerationConfig, count=150, seed=5, sampler={"name": "uniform", "limit": 2.0}, enhancer=enhancer
    )
    generate(tmp_path, decoder, parameters)

    for name in ("generated", "sharpened"):
        index = ImageFolderDataset(filepath=str(tmp_path / name)).load().index
        for row in (0, 1, 63, 64, 100, 149):
            remade = remake_image(index.loc[row], decoder)
            assert remade.tobytes() == Image.open(tmp_path / name / f"{row:06d}.png").tobytes(), (name, row)


def test_image_of_a_fitted_sampler_needs_the_arrays_that_it_was_fitted_with(tmp_path):
    decoder = conv_decoder()
    parameters = base_config(GenerationConfig, count=70, sampler={"name": "gaussian"})
    random = np.random.default_rng(0)
    sampler = create_component("samplers", parameters.sampler)
    fitted, others = (
        sampler.fit(EncodedImages(random.normal(size=(200, LATENT_DIM)).astype(np.float32), None)) for _ in range(2)
    )
    _, sharpened, _ = generate(tmp_path, decoder, parameters, fitted)

    row = sharpened.index.loc[66]

    assert remake_image(row, decoder, fitted).tobytes() == sharpened.images[66].tobytes()
    with pytest.raises(DataError, match="fitted to something else"):
        remake_image(row, decoder, others)


def test_another_decoder_is_refused(tmp_path):
    generated, _, _ = generate(tmp_path, conv_decoder(), base_config(GenerationConfig, count=3))

    with pytest.raises(DataError, match=r"another version of vae\.decoder"):
        remake_image(generated.index.loc[2], conv_decoder(seed=1))


def place_of(image, picture):
    """(top, left) of an image, drawn at twice its size, in a picture; fails where it is not there."""
    tile = np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC))
    picture = np.asarray(picture)
    windows = np.lib.stride_tricks.sliding_window_view(picture[..., 0], (64, 64))
    places = np.argwhere((windows[..., 0, 0] == tile[0, 0, 0]) & (windows[..., 63, 63] == tile[63, 63, 0]))
    found = [(y, x) for y, x in places if (picture[y : y + 64, x : x + 64] == tile).all()]
    assert len(found) == 1
    return found[0]


def test_sharpening_series_has_a_row_a_factor_with_the_same_faces(tmp_path):
    parameters = base_config(GenerationConfig, count=9, columns=4, sharpening_factors=[0, 3, 6])
    generated, _, _ = generate(tmp_path, conv_decoder(), parameters)

    picture = draw_sharpening_series(generated, parameters)

    places = [
        [
            place_of(np.asarray(ImageEnhance.Sharpness(Image.fromarray(face)).enhance(factor)), picture)
            for face in generated.images[:4]
        ]
        for factor in (0, 3, 6)
    ]
    tops, lefts = np.moveaxis(np.array(places), 2, 0)
    assert (tops == tops[:, :1]).all()
    assert (lefts == lefts[:1]).all()
    assert (np.diff(tops[:, 0]) > 0).all()
    assert (np.diff(lefts[0]) > 0).all()
    # labels at the left
    assert lefts[0, 0] > 40


def test_grid_shows_the_first_images_of_very_many():
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 3), np.uint8)
    index = decode_latents(conv_decoder(), np.zeros((300, LATENT_DIM), np.float32), base_config(GenerationConfig)).index

    many = draw_grid(ImageFolder(images, index), base_config(GenerationConfig, columns=10))
    fewer = draw_grid(ImageFolder(images[:140], index[:140]), base_config(GenerationConfig, columns=10))

    assert many.height - fewer.height < 40
