"""Writes the files with which the fuzzers begin.
usage: python3 make_corpus.py SAE_DIST [FOLDER]; the folder is corpus/ beside this file by default."""

import gzip
import pathlib
import subprocess
import sys
import tempfile
import zlib

import h5py
import numpy as np

program = sys.argv[1]
corpus = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "corpus")
for name in "idx", "csv", "npy", "dataset", "checkpoint":
    (corpus / name).mkdir(parents=True, exist_ok=True)

random = np.random.default_rng(1)
images = {"train": random.integers(0, 256, (6, 3, 4), "u1"),
          "test": random.integers(0, 256, (2, 3, 4), "u1")}
labels = {"train": np.array([0, 1, 2, 0, 1, 2], "u1"), "test": np.array([2, 0], "u1")}


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def add_attributes(file, **others):
    file.attrs.update(format="sae-dataset", version=1, name="mine", classes=np.int64(3), **others)


def write_idx(folder):
    (folder / "images").write_bytes(idx(images["train"]))
    (folder / "labels").write_bytes(idx(labels["train"]))
    (folder / "images.gz").write_bytes(gzip.compress(idx(images["train"]), mtime=0))
    (folder / "two_members.gz").write_bytes(gzip.compress(idx(labels["train"])[:7], mtime=0) +
                                            gzip.compress(idx(labels["train"])[7:], mtime=0))


def write_tables(folder):
    # The first byte chooses how each is read; see csv_fuzzer.cpp.
    (folder / "numbers").write_bytes(b"\0a,b\n1,2.5\n-3e2,+4\r\n")
    (folder / "words").write_bytes(b'\x26\xef\xbb\xbfy,x\nno,1\nyes,NA\n,"2"\n')
    (folder / "quotes").write_bytes(b'\x41one;"two ""2"""\n"a\nb";3\n"c";\n')
    (folder / "blanks").write_bytes(b"\x8b  1  2 3\n\n4 5   6 \n? 8 9")
    (folder / "packed").write_bytes(b"\6" + gzip.compress(b"a\tb\n1\t2\n", mtime=0))


def write_arrays(folder):
    np.save(folder / "bytes.npy", images["train"])
    np.save(folder / "half.npy", images["train"].astype("f2"))
    np.save(folder / "big_endian.npy", np.arange(12).reshape(3, 4).astype(">i8"))
    np.save(folder / "fortran.npy", np.asfortranarray(np.arange(12.0).reshape(3, 4)))
    for save, name in (np.savez, "stored.npz"), (np.savez_compressed, "deflated.npz"):
        save(folder / name, x_train=images["train"], y_train=labels["train"],
             x_test=images["test"], y_test=np.eye(3)[labels["test"]])


def write_datasets(folder):
    with h5py.File(folder / "contiguous.h5", "w") as file:
        add_attributes(file, source="h5py")
        for split in "train", "test":
            file[f"{split}/images"] = images[split]
            file[f"{split}/labels"] = labels[split]
    with h5py.File(folder / "fixed_strings.h5", "w", libver="latest") as file:
        for name, text in ("format", "sae-dataset"), ("name", "mine"):
            file.attrs[name] = np.bytes_(text)
        file.attrs.update(version=np.uint8(1), classes=np.int16(3))
        file.create_dataset("train/images", data=images["train"], chunks=(2, 3, 4))
        file["train/labels"] = labels["train"].astype(">i8")
    for name, options in (("packed", {"compression": 9, "shuffle": True}),
                          ("check_sums", {"fletcher32": True})):
        with h5py.File(folder / f"floats_{name}.h5", "w") as file:
            add_attributes(file)
            file.create_dataset("train/images", data=images["train"].reshape(6, 12) / np.float32(255),
                                chunks=(4, 12), **options)
            file.create_dataset("train/labels", data=labels["train"], chunks=(4,), **options)
    with h5py.File(folder / "short_chunk.h5", "w") as file:
        add_attributes(file)
        shape = (2, 12)
        file.create_dataset("train/images", shape, "u1", chunks=shape, compression=9)
        file["train/images"].id.write_direct_chunk((0, 0), zlib.compress(bytes(7)))
    # libhdf5 1.10 takes the size of a string for granted and reads far behind its table.
    damaged = folder / "damaged_heap.h5"
    with h5py.File(damaged, "w", libver="latest") as file:
        add_attributes(file)
        file["train/images"] = images["train"]
    data = bytearray(damaged.read_bytes())
    size_of_first = data.index(b"GCOL") + 24
    data[size_of_first + 4] = 0xFF
    damaged.write_bytes(data)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for split, short in ("train", "train"), ("test", "t10k"):
        (folder / f"{short}-images-idx3-ubyte").write_bytes(idx(images[split]))
        (folder / f"{short}-labels-idx1-ubyte").write_bytes(idx(labels[split]))
    data = corpus / "dataset" / "imported.h5"
    subprocess.run([program, "import", "--from", str(folder), "--output", str(data)], check=True)
    subprocess.run([program, "--data", str(data), "--run", str(folder / "run"), "--units", "2",
                    "--batch-size", "3", "--validation-size", "2", "--pretrain-epochs", "1",
                    "--finetune-epochs", "1", "--momentum", "0.5", "--quiet"], check=True)
    model = (folder / "run" / "model.h5").read_bytes()
    (corpus / "checkpoint" / "model.h5").write_bytes(model)
write_idx(corpus / "idx")
write_tables(corpus / "csv")
write_arrays(corpus / "npy")
write_datasets(corpus / "dataset")
# Lists of changes; see checkpoint_fuzzer.cpp.
(corpus / "checkpoint" / "no_change").write_bytes(bytes(64))
(corpus / "checkpoint" / "changes").write_bytes(random.bytes(256))
