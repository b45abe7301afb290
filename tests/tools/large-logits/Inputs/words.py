"""Writes 16 sequences of 64 random words, and the words that follow them. Usage: words.py FILE"""
import array
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "reference"))
import tensorfile

source = random.Random(1)
words = {name: tensorfile.Tensor((16, 64), array.array("i", [source.randrange(8192) for _ in range(1024)])) for name in ("ids", "next")}
tensorfile.write(sys.argv[1], words)
