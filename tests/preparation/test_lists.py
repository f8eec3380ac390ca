import itertools
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from celeba_vae.errors import DataError
from celeba_vae.preparation.lists import Attributes, ListFile, read_attributes, read_partition

WriteList = Callable[..., ListFile]
NAMES = [f"{i:06d}.jpg" for i in range(1, 41)]
# as in CelebA: train, train, train, validation, test
SPLITS = [(0, 0, 0, 1, 2)[i % 5] for i in range(40)]
COLUMNS = ["5_o_Clock_Shadow", "Bald", "Young"]
VALUES = np.random.default_rng(0).choice([-1, 1], (40, 3)).tolist()
PARTITION = [[name, str(split)] for name, split in zip(NAMES, SPLITS, strict=True)]
ATTRIBUTES = [[name, *map(str, values)] for name, values in zip(NAMES, VALUES, strict=True)]


@pytest.fixture
def listing(tmp_path: Path) -> WriteList:
    def write(text: str | bytes, name: str = "list_eval_partition.csv") -> ListFile:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ListFile.at(file)

    return write


def text_of(rows: list[list[str]], between: str = ",") -> str:
    return "".join(between.join(row) + "\n" for row in rows)


def with_index(rows: list[list[str]], first: int = 0) -> list[list[str]]:
    return [[str(i), *row] for i, row in enumerate(rows, start=first)]


def quoted(rows: list[list[str]]) -> list[list[str]]:
    return [[f'"{cell}"' for cell in row] for row in rows]


def renamed(rows: list[list[str]], rename: Callable[[str], str]) -> list[list[str]]:
    return [[rename(name), *values] for name, *values in rows]


def assert_says_all(attributes: Attributes, columns: list[str] = COLUMNS) -> None:
    assert list(attributes.table.columns) == columns
    assert attributes.table.index.tolist() == NAMES
    assert attributes.table.to_numpy().tolist() == [[row[COLUMNS.index(name)] for name in columns] for row in VALUES]
    assert not attributes.faults


HEAD = [["image_id", "partition"]]
WORDS = {"0": "Train", "1": "valid", "2": "TEST"}
PARTITIONS = {
    "celeba": text_of(PARTITION, " "),
    "count": "40\n" + text_of(PARTITION, "  "),
    "other line ends": text_of(PARTITION[::-1], " ").replace("\n", "\r\n\r\n"),
    "old line ends": text_of(HEAD + PARTITION).replace("\n", "\r"),
    "kaggle": text_of(HEAD + PARTITION),
    "semicolons": text_of(HEAD + PARTITION, ";"),
    "tabs": text_of(PARTITION, "\t"),
    "bars": text_of(PARTITION, " | "),
    "comma and space": text_of(HEAD + PARTITION, ", "),
    "spaces and tabs": text_of(PARTITION, " \t "),
    "quoted": text_of(quoted(HEAD + PARTITION)),
    "quoted names": text_of([[f'"{name}"', split] for name, split in PARTITION], " "),
    "other titles": text_of([["filename", "split"], *PARTITION]),
    "no titles": text_of(PARTITION),
    "titles behind a sign": "# image_id partition\n" + text_of(PARTITION, " "),
    "a line above": "CelebA, evaluation\n" + text_of(HEAD + PARTITION),
    "index": text_of([["", *HEAD[0]], *with_index(PARTITION)]),
    "index without title": text_of(HEAD + with_index(PARTITION, first=1)),
    "index without titles": text_of(with_index(PARTITION), " "),
    "split first": text_of([row[::-1] for row in HEAD + PARTITION]),
    "other columns": text_of(
        [[*row, "0", "x"] for row in PARTITION[:0]] + [["id", "image", "identity", "split", "note"]]
    )
    + text_of([[str(i), name, str(i * 7), split, "of 2009"] for i, (name, split) in enumerate(PARTITION)]),
    "decimal": text_of(HEAD + [[name, f"{split}.0"] for name, split in PARTITION]),
    "words": text_of(HEAD + [[name, WORDS[split]] for name, split in PARTITION]),
    "ends in delimiters": text_of([[*row, "", ""] for row in HEAD + PARTITION]) + ",,,\n,,,\n",
    "line ends in delimiters": text_of(HEAD + [[*row, ""] for row in PARTITION]),
    "paths": text_of(renamed(PARTITION, lambda name: f"img_align_celeba/{name}")),
    "windows paths": text_of(renamed(PARTITION, lambda name: rf"C:\data\img_align_celeba\{name}")),
    "dot paths": text_of(renamed(PARTITION, lambda name: f"./{name}"), " "),
    "png": text_of(renamed(PARTITION, lambda name: name.replace(".jpg", ".png"))),
    "capitals": text_of(renamed(PARTITION, str.upper)),
    "no suffix": text_of(renamed(PARTITION, lambda name: name[:-4]), " "),
    "no suffix, index": text_of([["", "id", "split"], *with_index(renamed(PARTITION, lambda name: name[:-4]))]),
    "paths to png": text_of(renamed(PARTITION, lambda name: f"celeba/{name[:-4]}.PNG")),
}


@pytest.mark.parametrize("text", PARTITIONS.values(), ids=PARTITIONS)
def test_partition_files_of_all_forms_say_the_same(listing: WriteList, text: str) -> None:
    partition = read_partition(listing(text), NAMES)
    assert partition.splits.tolist() == SPLITS
    assert not partition.faults
    assert (partition.listed, partition.missing) == (40, 0)
    assert partition.given == {0, 1, 2}


R_HEAD = [f'"{title}"' for title in ["image_id", *COLUMNS]]
ATTRIBUTE_LISTS = {
    "celeba": f"40\n{' '.join(COLUMNS)} \n" + text_of(ATTRIBUTES, "  "),
    "no count": f"{' '.join(COLUMNS)}\n" + text_of(ATTRIBUTES, " "),
    "kaggle": text_of([["image_id", *COLUMNS], *ATTRIBUTES]).replace("\n", "\r\n"),
    "index": text_of([["", "image_id", *COLUMNS], *with_index(ATTRIBUTES)]),
    "index of R": text_of(
        [R_HEAD, *[[f'"{i}"', f'"{name}"', *rest] for i, name, *rest in with_index(ATTRIBUTES, 1)]], " "
    ),
    "unnamed index": text_of([["Unnamed: 0", "file", *COLUMNS], *with_index(ATTRIBUTES)], ";"),
    "zero and one": text_of([["", *COLUMNS], *ATTRIBUTES]).replace(",-1", ",0"),
    "true and false": text_of([["id", *COLUMNS], *ATTRIBUTES]).replace(",-1", ",False").replace(",1", ",True"),
    "capitals": text_of([["id", *COLUMNS], *ATTRIBUTES], ";").replace(";-1", ";FALSE").replace(";1", ";TRUE"),
    "decimal": text_of([["id", *COLUMNS], *[[name, *(f"{value}.0" for value in rest)] for name, *rest in ATTRIBUTES]]),
    "paths": text_of([["path", *COLUMNS], *renamed(ATTRIBUTES, lambda name: f"train/{name}")]),
    "columns of other things": text_of(
        [["celeb_id", "image_id", "partition", *COLUMNS, "note"]]
        + [[str(2880 + i), name, "0", *rest, "x"] for i, (name, *rest) in enumerate(ATTRIBUTES)]
    ),
    "ends in delimiters": text_of([["id", *COLUMNS], *[[*row, ""] for row in ATTRIBUTES]]) + ",,,,\n",
    "an order of its own": text_of([["id", *COLUMNS], *ATTRIBUTES[::-1]]),
}


@pytest.mark.parametrize("text", ATTRIBUTE_LISTS.values(), ids=ATTRIBUTE_LISTS)
def test_attribute_lists_of_all_forms_say_the_same(listing: WriteList, text: str) -> None:
    assert_says_all(read_attributes(listing(text), NAMES))


def test_columns_that_are_passed_over_are_named(listing: WriteList, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    read_attributes(listing(ATTRIBUTE_LISTS["columns of other things"]), NAMES)
    assert "list_eval_partition.csv: passed over are its columns celeb_id, partition, note." in caplog.text


def test_some_of_the_attributes_in_any_order_will_do(listing: WriteList) -> None:
    rows = [
        ["Young", "image_id", "5_o_Clock_Shadow"],
        *[[young, name, shadow] for name, shadow, _, young in ATTRIBUTES],
    ]
    assert_says_all(read_attributes(listing(text_of(rows)), NAMES), ["Young", "5_o_Clock_Shadow"])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_text_is_read_in_whatever_encoding(listing: WriteList, encoding: str) -> None:
    # the letter outside ASCII comes late
    names = [*NAMES[:-1], "Zoë.jpg"]
    rows = renamed(PARTITION, dict(zip(NAMES, names, strict=True)).__getitem__)
    text = f"image_id,partition\r\n{text_of(rows)}"
    assert read_partition(listing(text.encode(encoding)), names).splits.tolist() == SPLITS


@pytest.mark.parametrize("length", [10, 16, 17, 300])
def test_names_of_any_length_are_found_in_any_order(listing: WriteList, length: int) -> None:
    names = [f"{i:0{length}d}.jpg" for i in range(500)]
    shuffled = np.random.default_rng(0).permutation(500)
    text = "\n".join(["Even", *(f"{names[i]} {1 - 2 * (i % 2)}" for i in shuffled)])
    assert read_attributes(listing(text), names).table["Even"].tolist() == [1, -1] * 250
    partition = read_partition(listing("\n".join(f"{names[i]} {i % 3}" for i in shuffled)), names)
    assert partition.splits.tolist() == [i % 3 for i in range(500)]


def test_forty_attributes_of_many_images_are_kept(listing: WriteList) -> None:
    values = np.random.default_rng(0).choice([-1, 1], (9000, 40))
    names = [f"{i:06d}.jpg" for i in range(9000)]
    lines = [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, values, strict=True)]
    text = "\n".join(["9000", " ".join(f"a{i}" for i in range(40)), *lines])
    attributes = read_attributes(listing(text), names)
    np.testing.assert_array_equal(attributes.table, values)


def test_names_with_spaces_and_delimiters_are_found(listing: WriteList) -> None:
    names = ["a face.jpg", "a, b.jpg", 'called "c".jpg', "new\nline.jpg", "x;y.jpg"]
    rows = [[f'"{name.replace(chr(34), chr(34) * 2)}"', str(i % 3)] for i, name in enumerate(names)]
    assert read_partition(listing(text_of(rows)), names).splits.tolist() == [0, 1, 2, 0, 1]
    rows = [[name, str(i % 3)] for i, name in enumerate(["a face.jpg", "a b.jpg", "one more face.jpg"])]
    assert read_partition(listing(text_of(rows)), [name for name, _ in rows]).splits.tolist() == [0, 1, 2]


def test_numbers_for_names_are_told_from_an_index_and_from_splits(listing: WriteList) -> None:
    names = [f"{i}.jpg" for i in range(10)]
    order = np.random.default_rng(1).permutation(10).tolist()
    rows = [[str(row), str(i), str(i % 3)] for row, i in enumerate(order)]
    expected = [i % 3 for i in range(10)]
    assert read_partition(listing(text_of([row[1:] for row in rows])), names).splits.tolist() == expected
    assert read_partition(listing(text_of([["", "image", "split"], *rows])), names).splits.tolist() == expected
    with pytest.raises(DataError, match="has no column with the names of the images"):
        read_partition(listing(text_of(rows)), names)


def test_a_name_means_the_one_image_that_is_most_like_it(listing: WriteList) -> None:
    images = ["A.jpg", "a.png", "b.jpg", "b.png", "c/1.jpg", "d/1.jpg", "d/2.jpg", "e.f.jpg", "g.jpeg"]
    names = {
        "A.jpg": "0",
        "a.png": "1",
        "b.webp": "1",  # two images could be meant
        "1.jpg": "1",  # likewise
        "celeba/d/1.jpg": "2",
        "other/2.png": "1",
        "e.f": "2",
        "G.JPG": "1",
        "h.jpg": "0",
    }
    partition = read_partition(listing(text_of([[*pair] for pair in names.items()])), images)
    assert partition.splits.tolist() == [0, 1, -1, -1, -1, 2, 1, 2, 1]
    assert set(partition.faults.values()) == {"not in list_eval_partition.csv"}
    assert sorted(partition.absent) == ["1.jpg", "b.webp", "h.jpg"]


def test_the_same_name_counts_before_one_that_is_alike(listing: WriteList) -> None:
    text = "1.png,2\n1.jpg,0\nx/1.jpg,1\n2.png,1\n"
    partition = read_partition(listing(text), ["1.jpg", "2.jpg"])
    assert partition.splits.tolist() == [0, 1]
    assert partition.listed == 4
    assert sorted(partition.absent) == ["1.png", "x/1.jpg"]


def test_lines_that_do_not_fit_are_named_with_their_image(listing: WriteList) -> None:
    text = text_of(PARTITION) + "a.jpg,3\nb.jpg,x\nc.jpg\nd.jpg,1,2\ne.jpg,0\ne.jpg,2\nf.jpg,2\nf.jpg,2\n"
    names = sorted([*NAMES, *(f"{letter}.jpg" for letter in "abcdefg")])
    partition = read_partition(listing(text), names)
    faults = {names[position]: reason for position, reason in partition.faults.items()}
    assert "line 41 of list_eval_partition.csv, 'a.jpg,3', says '3', not 0, 1 or 2" in faults["a.jpg"]
    assert "says 'x', not 0, 1 or 2" in faults["b.jpg"]
    assert "has 1 cells, not 2" in faults["c.jpg"]
    assert "'d.jpg,1,2', has 3 cells, not 2" in faults["d.jpg"]
    assert "twice" in faults["e.jpg"]
    assert faults["g.jpg"] == "not in list_eval_partition.csv"
    assert len(faults) == 6
    assert [partition.splits[names.index(name)] for name in faults] == [-1] * 6
    assert partition.splits[names.index("f.jpg")] == 2


def test_attributes_that_do_not_fit_are_named_with_their_image(listing: WriteList) -> None:
    head = [["image_id", "A", "B", "C"]]
    rows = [[f"{i}.jpg", "1", "-1", "1"] for i in range(10)]
    rows[1] = ["1.jpg", "1", "-1"]
    rows[2] = ["2.jpg", "1", "?", "1"]
    rows[3] = ["3.jpg", "1", "0", "1"]
    rows.append(["4.jpg", "1", "1", "1"])
    attributes = read_attributes(listing(text_of(head + rows), "list_attr_celeba.csv"), [f"{i}.jpg" for i in range(12)])
    assert attributes.table.to_numpy().tolist() == [[1, -1, 1]] + [[0] * 3] * 4 + [[1, -1, 1]] * 5 + [[0] * 3] * 2
    assert list(attributes.faults) == [1, 2, 3, 4, 10, 11]
    reasons = list(attributes.faults.values())
    assert reasons[0] == "line 3 of list_attr_celeba.csv, '1.jpg,1,-1', has 3 cells, not 4"
    assert "says '?', not 1 or -1" in reasons[1]
    assert "has 0 for it" in reasons[2]
    assert "twice" in reasons[3]
    assert reasons[4] == "not in list_attr_celeba.csv"


def zip_of(text: str, folder: Path) -> bytes:
    with zipfile.ZipFile(folder / "made.zip", "w") as archive:
        archive.writestr("list.csv", text)
    return (folder / "made.zip").read_bytes()


OTHER_FILES = {
    "web page": (
        "<!DOCTYPE html>\n<html><title>Quota exceeded</title>",
        "is a web page, not a list: download it again",
    ),
    "web page in UTF-16": ("\n  <HTML>".encode("utf-16"), "is a web page, not a list: download it again"),
    "xml": ("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "is an XML document, not a list"),
    "json": (json.dumps([{"image_id": "000001.jpg", "partition": 0}]), "is JSON, not a list: save it as CSV"),
    "json object": (json.dumps({"000001.jpg": 0}, indent=1), "is JSON, not a list"),
    "rich text": (r"{\rtf1\ansi 000001.jpg 0\par}", "is a rich text document, not a list: save it as plain text"),
    "pointer": ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a pointer of Git LFS, not a list"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", "is an archive, not a list: unpack it"),
    "parquet": (b"PAR1\x15\x04\x15", "is a parquet file, not a list"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "is an image, not a list"),
    "office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an office document, not a list: save it as CSV"),
    "binary": (bytes(range(256)) * 20, "is no text, so not a list"),
    "zeros": (bytes(5000), "is no text, so not a list"),
    "nothing": ("", "is empty: download it again"),
    "blank lines": (" \n\n\t\r\n", "is empty: download it again"),
    "a count": ("40\n", "has no line with an image: line 1 is '40'"),
    "titles": ("image_id,partition\n", "has no line with an image: line 1 is 'image_id,partition'"),
    "an error": ("404: Not Found", "has no line with an image: line 1 is '404: Not Found'"),
}


@pytest.mark.parametrize(("content", "expected"), OTHER_FILES.values(), ids=OTHER_FILES)
@pytest.mark.parametrize("read", [read_partition, read_attributes])
def test_what_is_no_list_is_one_message_about_the_file(
    listing: WriteList, read: Callable, content: str | bytes, expected: str
) -> None:
    file = listing(content)
    with pytest.raises(DataError) as error:
        read(file, NAMES)
    assert str(error.value).startswith(f"{file.name} {expected}")
    assert len(str(error.value).splitlines()) == 1


def test_an_archive_in_place_of_a_list_is_to_be_unpacked(listing: WriteList, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a zip archive or a spreadsheet, not a list: unpack it"):
        read_partition(listing(zip_of(text_of(PARTITION), tmp_path)), NAMES)


IDENTITIES = text_of([[name, str(2880 + i)] for i, name in enumerate(NAMES)], " ")
WRONG_PARTITIONS = {
    "identities": (IDENTITIES, "has no column of splits, 0, 1 or 2", "000001.jpg 2880"),
    "attributes": (ATTRIBUTE_LISTS["celeba"], "more than one column that may be splits", "000001.jpg "),
    "other words": (text_of(HEAD + [[name, "a"] for name in NAMES]), "says 'a', not 0, 1 or 2", "000001.jpg,a"),
    "names alone": (text_of([[name] for name in NAMES]), "has no column of splits", "000001.jpg"),
    "of other images": (text_of(renamed(PARTITION, "x{}".format)), "names none of the 40 images", "x000001.jpg"),
    "no names": (text_of([[f"person {i}", "0"] for i in range(9)]), "has no column with the names", "person 0,0"),
    "open quote": (
        text_of([["name", "split"], ['"000001.jpg', "0"], *PARTITION[1:]]),
        "line 2 opens a quote",
        "000001.jpg",
    ),
    "open quotes": ("".join(f'"{name},{split}\n' for name, split in PARTITION), "line 1 opens a quote", "000001.jpg"),
    "one long line": ("x" * 300_000, "can't be read from line 1 on", "field larger"),
    "quoted lines": ("".join(f'"{name},{split}"\n' for name, split in PARTITION), "has no line", "000001.jpg"),
}


@pytest.mark.parametrize(("text", "expected", "line"), WRONG_PARTITIONS.values(), ids=WRONG_PARTITIONS)
def test_what_all_lines_get_wrong_is_one_message_with_one_line(
    listing: WriteList, text: str, expected: str, line: str
) -> None:
    file = listing(text)
    with pytest.raises(DataError) as error:
        read_partition(file, NAMES)
    message = str(error.value)
    assert message.startswith(file.name)
    assert expected in message
    assert line in message
    assert len(message) < 600


WRONG_ATTRIBUTES = {
    "no titles": (text_of(ATTRIBUTES), "does not begin with a line of the attributes' names"),
    "a cell too many": (text_of([["image_id", *COLUMNS], *[[*row, "1"] for row in ATTRIBUTES]]), "does not begin"),
    "a cell too few": (text_of([["image_id", *COLUMNS], *[row[:-1] for row in ATTRIBUTES]]), "does not begin"),
    "a partition": (text_of(HEAD + PARTITION), "has no column of attributes"),
    "boxes": (text_of([["image_id", "x_1", "y_1"], *[[name, "95", "71"] for name in NAMES]]), "has no column of"),
    "a title twice": (text_of([["image_id", "Bald", "Bald", "Young"], *ATTRIBUTES]), "names the attribute Bald twice"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG_ATTRIBUTES.values(), ids=WRONG_ATTRIBUTES)
def test_a_list_without_attributes_is_one_message_with_one_line(listing: WriteList, text: str, expected: str) -> None:
    file = listing(text, "list_attr_celeba.csv")
    with pytest.raises(DataError, match=expected) as error:
        read_attributes(file, NAMES)
    assert str(error.value).startswith(file.name)
    assert "remove it to do without attributes" in str(error.value)


def test_most_lines_wrong_are_one_message(listing: WriteList) -> None:
    rows = [[*row, "" if i % 3 else "-2"][: 3 if i % 3 == 0 else 2] for i, row in enumerate(PARTITION)]
    wrong = [[name, "9"] if i % 4 else [name, split] for i, (name, split) in enumerate(PARTITION)]
    assert len(read_partition(listing(text_of(rows)), NAMES).faults) == 14
    with pytest.raises(DataError, match=r"30 of the 40 lines .* can't be used. The first: line 3 of .*,9', says '9'"):
        read_partition(listing(text_of(HEAD + wrong)), NAMES)


def test_a_list_of_more_images_than_there_are_counts_them(listing: WriteList) -> None:
    many = [f"{i:06d}.jpg {min(i // 4000, 2)}" for i in range(1, 10_001)]
    # the first that are there stand late in the list
    images = [f"{i:06d}.png" for i in (4001, 9000, 9999)]
    partition = read_partition(listing("\n".join(many)), images)
    assert partition.splits.tolist() == [1, 2, 2]
    assert (partition.listed, partition.missing) == (10_000, 9997)
    assert partition.given == {0, 1, 2}
    assert len(partition.absent) == 1000
    bare = "\n".join(line.replace(".jpg", "") for line in many)
    assert read_partition(listing(bare), images).splits.tolist() == [1, 2, 2]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_cut_or_mixed_up_ends_in_a_list_or_one_message(listing: WriteList, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [*PARTITIONS.values(), *ATTRIBUTE_LISTS.values(), *(content for content, _ in OTHER_FILES.values())]
    messages = []
    for content, read in itertools.product(texts, (read_partition, read_attributes)):
        data = bytearray(content.encode() if isinstance(content, str) else content)
        for place in rng.integers(0, max(1, len(data)), 4).tolist() if data else ():
            data[place] = rng.integers(256)
        try:
            read(listing(bytes(data[: rng.integers(len(data) + 1)])), NAMES)
        except DataError as error:
            messages.append(str(error))
    assert messages
    assert all(len(message.splitlines()) == 1 and "list_eval_partition.csv" in message for message in messages)


@pytest.mark.parametrize("above", ["", "image_id partition\n"])
def test_names_with_spaces_are_found_between_spaces(listing: WriteList, above: str) -> None:
    images = ["a.jpg", "my  photo 1.jpg", "my photo (2).jpg", "photo 1.jpg"]
    text = "".join(f"{i} {name}  {split}\n" for i, (name, split) in enumerate(zip(images, (0, 1, 2, 0), strict=True)))
    partition = read_partition(listing(above + text), images)
    assert partition.splits.tolist() == [0, 1, 2, 0]
    assert not partition.faults
