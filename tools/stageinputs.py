"""Random inputs for an entry of a program, made from the text of its stage graph or grad: what compare-stages and the tests of
stages feed to every stage alike.

Floats are normal numbers of deviation 1; ids lie within the range that heddle.config gives, else in [0, 2); bools are
drawn too. Counters ($seed, $step, $micro) are left to `heddle run`, which knows them.
"""
import array
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "reference"))
import tensorfile  # noqa: E402

ARGUMENT = re.compile(r'%arg\d+: !heddle\.tensor<\[([^\]]*)\], (f32|i32|i1)> \{heddle\.name = "([^"]*)"\}')


def config(text):
    """heddle.config of a module's text, as a dictionary."""
    quoted = re.search(r'heddle\.config = "((?:[^"\\]|\\.)*)"', text).group(1)
    return json.loads(re.sub(r"\\([0-9A-F]{2})", lambda hex: chr(int(hex.group(1), 16)), quoted))


def arguments(text, entry):
    """[(name, sizes, element type)] of an entry at stage graph, grad, fused or plan."""
    line = next(line for line in text.splitlines() if f"func.func @{entry}(" in line)
    found = []
    for dims, element, name in ARGUMENT.findall(line.split(") -> (")[0] + ")"):
        found.append((name, tuple(int(size.split("=")[1]) for size in dims.split(", ") if size), element))
    return found


def draw(text, entry, seed=1):
    """{name: Tensor} for every input but counters."""
    source = random.Random(seed)
    ranges = config(text).get("ranges", {})
    tensors = {}
    for name, sizes, element in arguments(text, entry):
        if name.startswith("$"):
            continue
        count = 1
        for size in sizes:
            count *= size
        if element == "f32":
            data = array.array("f", [source.gauss(0, 1) for _ in range(count)])
        elif element == "i32":
            data = array.array("i", [source.randrange(ranges.get(name, 2)) for _ in range(count)])
        else:
            data = array.array("B", [source.randrange(2) for _ in range(count)])
        tensors[name] = tensorfile.Tensor(sizes, data)
    return tensors


if __name__ == "__main__":  # stageinputs.py GRAPH_TEXT ENTRY OUT.safetensors
    with open(sys.argv[1]) as graph:
        tensorfile.write(sys.argv[3], draw(graph.read(), sys.argv[2]))
