"""Reads and writes safetensors files with Python's standard library alone.

Format: 8 bytes length N of the header (little endian), N bytes of JSON {name: {dtype, shape, data_offsets}}, then the
data. `read` gives {name: Tensor}; a Tensor is its shape and a flat array ('f' f32, 'd' f64, 'i' i32, 'q' i64).
Written here and not taken from a package so that the reference test runs on a bare Python.
"""
import array
import json
import struct
import sys
from collections import namedtuple

Tensor = namedtuple("Tensor", "shape data")
CODES = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "BOOL": "B", "U8": "B"}
NAMES = {"f": "F32", "d": "F64", "i": "I32", "q": "I64", "B": "BOOL"}
assert sys.byteorder == "little"


def read(path):
    with open(path, "rb") as f:
        raw = f.read()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = array.array(CODES[entry["dtype"]])
        data.frombytes(raw[8 + length + begin : 8 + length + end])
        count = 1
        for size in entry["shape"]:
            count *= size
        if count != len(data):
            raise ValueError(f"{path}: {name}: shape {entry['shape']} does not fit {len(data)} elements")
        tensors[name] = Tensor(tuple(entry["shape"]), data)
    return tensors


def metadata(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        return json.loads(f.read(length)).get("__metadata__", {})


def write(path, tensors, metadata=None):
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        size = len(tensor.data) * tensor.data.itemsize
        header[name] = {"dtype": NAMES[tensor.data.typecode], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            f.write(tensor.data.tobytes())
