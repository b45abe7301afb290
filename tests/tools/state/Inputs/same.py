"""Tensors of two safetensors files, by name, are the same and not all zero. Usage: same.py FILE FILE NAME..."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "reference"))
import tensorfile

one, other = (tensorfile.read(path) for path in sys.argv[1:3])
for name in sys.argv[3:]:
    assert any(one[name].data) and one[name] == other[name], name
