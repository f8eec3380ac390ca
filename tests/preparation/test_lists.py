from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from celeba_vae.errors import DataError
from celeba_vae.preparation.lists import ListFile, read_attributes, read_partition


@pytest.fixture
def listing(tmp_path: Path) -> Callable[[str], ListFile]:
    def write(text: str) -> ListFile:
        file = tmp_path / "list"
        file.write_text(text)
        return ListFile.at(file)

    return write


@pytest.mark.parametrize(
    "text",
    [
        "000001.jpg 0\n000002.jpg  1\n000003.jpg 2",
        "3\n000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
        "000003.jpg 2\r\n000001.jpg 0\r\n\r\n000002.jpg 1\r\n",
        "\ufeffimage_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n",
    ],
)
def test_partition_files_of_all_forms_say_the_same(listing: Callable[[str], ListFile], text: str) -> None:
    partition = read_partition(listing(text))
    assert partition.splits == {"000001.jpg": 0, "000002.jpg": 1, "000003.jpg": 2}
    assert not partition.faults


@pytest.mark.parametrize(
    "text",
    [
        "2\nBald Smiling Young \n1.jpg  1 -1  1\n2.jpg -1 -1 -1",
        "Bald Smiling Young\n1.jpg 1 -1 1\n2.jpg -1 -1 -1\n",
        "image_id,Bald,Smiling,Young\r\n2.jpg,-1,-1,-1\r\n1.jpg,1,-1,1\r\n",
    ],
)
def test_attribute_lists_of_all_forms_say_the_same(listing: Callable[[str], ListFile], text: str) -> None:
    attributes = read_attributes(listing(text), ["1.jpg", "2.jpg"])
    assert attributes.table.to_dict("split") == {
        "index": ["1.jpg", "2.jpg"],
        "columns": ["Bald", "Smiling", "Young"],
        "data": [[1, -1, 1], [-1, -1, -1]],
    }
    assert not attributes.faults


def test_forty_attributes_of_many_images_are_kept(listing: Callable[[str], ListFile]) -> None:
    values = np.random.default_rng(0).choice([-1, 1], (9000, 40))
    names = [f"{i:06d}.jpg" for i in range(9000)]
    lines = [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, values, strict=True)]
    text = "\n".join(["9000", " ".join(f"a{i}" for i in range(40)), *lines])
    attributes = read_attributes(listing(text), names)
    np.testing.assert_array_equal(attributes.table, values)


def test_lines_that_do_not_fit_are_named(listing: Callable[[str], ListFile]) -> None:
    text = "4\nBald Smiling Young\n1.jpg 1 -1 1\n2.jpg 1 -1\n3.jpg 1 -1 2\n5.jpg 1 1 1\n,\n"
    attributes = read_attributes(listing(text), ["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
    assert attributes.faults == {
        1: "the attribute list has 2 values for it, not 3",
        2: "the attribute list says '2' where 1 or -1 is expected",
        3: "not in the attribute list",
    }
    assert attributes.table.to_numpy().tolist() == [[1, -1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("text", ["", "2\n", "1.jpg 1 -1 1\n2.jpg 1 1 1\n"])
def test_a_list_without_the_attributes_names_is_an_error(listing: Callable[[str], ListFile], text: str) -> None:
    with pytest.raises(DataError, match="does not begin with the attributes' names"):
        read_attributes(listing(text), ["1.jpg"])


@pytest.mark.parametrize("length", [10, 16, 17, 300])
def test_names_of_any_length_are_found_in_any_order(listing: Callable[[str], ListFile], length: int) -> None:
    names = [f"{i:0{length}d}.jpg" for i in range(500)]
    shuffled = np.random.default_rng(0).permutation(500)
    text = "\n".join(["Even", *(f"{names[i]} {1 - 2 * (i % 2)}" for i in shuffled)])
    attributes = read_attributes(listing(text), names)
    assert attributes.table["Even"].tolist() == [1, -1] * 250
    partition = read_partition(listing("\n".join(f"{names[i]} {i % 3}" for i in shuffled)))
    assert partition.splits == {name: i % 3 for i, name in enumerate(names)}
