"""Writes small data sets with the libraries that people write them with: one folder each inside of the given folder.

Every set holds the same 24 training and 8 test images, of 32x32 RGB pixels unless a format says otherwise, in 4
classes.
"""

import csv
import io
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import webdataset as wds
from PIL import Image

TRAIN, TEST, CLASSES = 24, 8, 4
NAMES = ["ant", "bee", "cat", "dog"]


def pictures(count, seed, channels=3, height=32, width=32):
    """Smooth random pictures, no two alike."""
    random = np.random.default_rng(seed)
    shape = (count, height // 4, width // 4, channels)
    coarse = random.integers(0, 256, shape, dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def file_bytes(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, kind, **options)
    return buffer.getvalue()


def rows(pixels):
    """[count, 3072], channel by channel, as CIFAR and downsampled ImageNet have it."""
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(len(pixels), -1)


def labels(count):
    return [index % CLASSES for index in range(count)]


def dump(value, path, protocol=2):
    path.write_bytes(pickle.dumps(value, protocol=protocol))


def cifar10_python(root, train, test):
    folder = root / "cifar10-python" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    size = TRAIN // 5 + 1
    for batch in range(5):
        part = slice(batch * size, (batch + 1) * size)
        # Protocol 2 is the original's; 4 and 5 are what a newer Python writes.
        value = {b"data": rows(train[part]), b"labels": labels(TRAIN)[part], b"batch_label": b"training batch"}
        dump(value, folder / f"data_batch_{batch + 1}", protocol=[2, 3, 4, 5, 2][batch])
    dump({"data": rows(test), "labels": labels(TEST)}, folder / "test_batch")
    dump({"label_names": NAMES, "num_vis": 3072}, folder / "batches.meta")


def cifar10_binary(root, train, test):
    folder = root / "cifar10-binary" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    records = [bytes([label]) + row.tobytes() for label, row in zip(labels(TRAIN), rows(train))]
    size = TRAIN // 5 + 1
    for batch in range(5):
        (folder / f"data_batch_{batch + 1}.bin").write_bytes(b"".join(records[batch * size : (batch + 1) * size]))
    records = [bytes([label]) + row.tobytes() for label, row in zip(labels(TEST), rows(test))]
    (folder / "test_batch.bin").write_bytes(b"".join(records))
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")


def cifar100_python(root, train, test):
    folder = root / "cifar100-python" / "cifar-100-python"
    folder.mkdir(parents=True)
    for name, pixels in [("train", train), ("test", test)]:
        fine = labels(len(pixels))
        coarse = [label // 2 for label in fine]
        dump({"data": rows(pixels), "fine_labels": fine, "coarse_labels": coarse}, folder / name)
    dump({"fine_label_names": NAMES, "coarse_label_names": ["insect", "mammal"]}, folder / "meta")


def cifar100_binary(root, train, test):
    folder = root / "cifar100-binary" / "cifar-100-binary"
    folder.mkdir(parents=True)
    for name, pixels in [("train", train), ("test", test)]:
        records = [bytes([0, label]) + row.tobytes() for label, row in zip(labels(len(pixels)), rows(pixels))]
        (folder / f"{name}.bin").write_bytes(b"".join(records))
    (folder / "fine_label_names.txt").write_text("\n".join(NAMES) + "\n")


def imagenet32(root, train, test):
    mean = train.mean(axis=0)
    plain, packed = root / "imagenet32-pickle", root / "imagenet32-npz"
    plain.mkdir()
    packed.mkdir()
    for name, part, pixels in [
        ("train_data_batch_1", slice(0, 12), train),
        ("train_data_batch_2", slice(12, TRAIN), train),
        ("val_data", slice(0, TEST), test),
    ]:
        ones = [label + 1 for label in labels(len(pixels))][part]
        dump({"data": rows(pixels[part]), "labels": ones, "mean": mean}, plain / name, protocol=4)
        save = np.savez if name == "val_data" else np.savez_compressed
        save(packed / f"{name}.npz", data=rows(pixels[part]), labels=np.array(ones), mean=mean)


def folders(root, train, test):
    kinds = [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("bmp", "BMP")]
    table = [("file", "label", "split")]
    for split, pixels in [("train", train), ("test", test)]:
        for index, (label, picture) in enumerate(zip(labels(len(pixels)), pixels)):
            ending, kind = kinds[index % len(kinds)]
            path = root / "classes" / split / NAMES[label] / f"{index:03}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file_bytes(picture, kind))
            table.append((f"classes/{split}/{NAMES[label]}/{path.name}", NAMES[label], split))
    with open(root / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows(table)
    for name, channels, kind in [("grey", 1, "PNG"), ("opacity", 4, "PNG")]:
        folder = root / name / "deep" / "er"
        folder.mkdir(parents=True)
        for index, picture in enumerate(pictures(12, 7, channels)):
            (folder / f"{index}.{kind.lower()}").write_bytes(file_bytes(picture, kind))


def mixed(root):
    """Sizes and modes as they come: wide, tall, grey, with a palette, turned by EXIF, progressive, 16 bits deep."""
    folder = root / "mixed"
    folder.mkdir()
    for index in range(12):
        height, width = [(40, 80), (100, 36), (33, 61), (64, 64)][index % 4]
        Image.fromarray(pictures(1, index, 3, height, width)[0]).save(folder / f"{index}.jpg", progressive=index % 2 == 0)
    picture = Image.fromarray(pictures(1, 50, 3, 48, 72)[0])
    picture.convert("P").save(folder / "palette.png")
    picture.convert("L").save(folder / "grey.png")
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    Image.fromarray(pictures(1, 51, 1, 48, 72)[0].squeeze().astype(np.uint16) * 257).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif)


def parquet(root, train, test):
    folder = root / "parquet" / "data"
    folder.mkdir(parents=True)
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("id", pa.string()), ("image", image), ("label", pa.int64())], metadata=metadata)
    for name, part, pixels, compression in [
        ("train-00000-of-00002", slice(0, 12), train, "snappy"),
        ("train-00001-of-00002", slice(12, TRAIN), train, "zstd"),
        ("test-00000-of-00001", slice(0, TEST), test, "none"),
    ]:
        records = [
            {"id": str(index), "image": {"bytes": file_bytes(picture, "PNG"), "path": f"{index}.png"}, "label": label}
            for index, (label, picture) in enumerate(zip(labels(len(pixels))[part], pixels[part]))
        ]
        table = pa.Table.from_pylist(records, schema=schema)
        pq.write_table(table, folder / f"{name}.parquet", compression=compression, row_group_size=5)
        # The names themselves, in a file without a description.
        names = pa.array([NAMES[record["label"]] for record in records])
        plain = table.set_column(2, "label", names).replace_schema_metadata(None)
        (root / "parquet-names").mkdir(exist_ok=True)
        pq.write_table(plain, root / "parquet-names" / f"{name}.parquet", compression="gzip")
        # As ImageNet has it: the labels of the test images are kept back.
        withheld = root / "parquet-withheld"
        withheld.mkdir(exist_ok=True)
        pq.write_table(table, withheld / f"{name.replace('test', 'validation')}.parquet")
        if name.startswith("test"):
            hidden = table.set_column(2, "label", pa.array([-1] * len(records)))
            pq.write_table(hidden.replace_schema_metadata(schema.metadata), withheld / f"{name}.parquet")


def webdataset(root, train, test):
    for kind in ["cls", "json"]:
        folder = root / f"webdataset-{kind}"
        folder.mkdir()
        for split, pixels in [("train", train), ("val", test)]:
            # The library's writer starts a new shard every ten samples.
            with wds.ShardWriter(str(folder / f"{split}-%04d.tar"), maxcount=10, verbose=0) as writer:
                for index, (label, picture) in enumerate(zip(labels(len(pixels)), pixels)):
                    answer = {"label": NAMES[label], "id": index} if kind == "json" else label
                    writer.write({"__key__": f"{split}/{index:04}", "png": file_bytes(picture, "PNG"), kind: answer})


def bad(root, train):
    """What people really have."""
    good = [file_bytes(picture, "PNG") for picture in train[:8]]

    def write(name, files):
        for file, content in files.items():
            path = root / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    photo = file_bytes(pictures(1, 90, 3, 64, 64)[0], "JPEG")
    images = {f"{index}.png": content for index, content in enumerate(good)}
    write("bad-damaged", images | {"cut.jpg": photo[: len(photo) // 2], "empty.png": b"", "page.png": b"<html></html>"})
    write("bad-one", {"only.png": good[0]})
    write("bad-equal", {f"{index}.png": good[0] for index in range(6)})
    write("bad-flat", {f"{index}.png": file_bytes(np.full_like(train[0], 77), "PNG") for index in range(6)})
    two = {"train/ant/0.png": good[0], "train/ant/1.png": good[1], "test/ant/2.png": good[2], "test/bee/3.png": good[3]}
    write("bad-class", two)
    twins = {"ant/0.png": good[0], "ant/1.png": good[1], "bee/0.png": good[0], "bee/1.png": good[2]}
    write("bad-labels", twins)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", image), ("label", pa.int64())], metadata={"huggingface": json.dumps({"info": {"features": features}})}
    )
    records = [{"image": {"bytes": content}, "label": index} for index, content in enumerate(good)]
    (root / "bad-range").mkdir()
    pq.write_table(pa.Table.from_pylist(records, schema=schema), root / "bad-range" / "train.parquet")
    whole = (root / "bad-range" / "train.parquet").read_bytes()
    write("bad-parquet", {"train.parquet": whole[: len(whole) // 2]})
    (root / "bad-lz4").mkdir()
    pq.write_table(pa.Table.from_pylist(records, schema=schema), root / "bad-lz4" / "train.parquet", compression="lz4")
    folder = root / "bad-pickle"
    folder.mkdir()
    content = pickle.dumps({"data": rows(train), "labels": labels(TRAIN)}, protocol=2)
    (folder / "train_data_batch_1").write_bytes(content[: len(content) // 2])
    write("bad-zero", {"train_data_batch_1": content})


def main():
    root = Path(sys.argv[1])
    train, test = pictures(TRAIN, 1), pictures(TEST, 2)
    for write in [cifar10_python, cifar10_binary, cifar100_python, cifar100_binary, imagenet32, folders, parquet, webdataset]:
        write(root, train, test)
    mixed(root)
    bad(root, train)


if __name__ == "__main__":
    main()
