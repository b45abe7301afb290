"""Compares a run with `accumulate = 2` with one of twice as many steps without, both of momentum 0.9 with lr = 0, so that the
weights stay and gradients are told by the buffers: a mean is that of two steps, a sum theirs, a state that of the second.
Usage: halves.py SINGLE PARTS, run directories."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "reference"))
import tensorfile


def read(run, steps):
    losses = [json.loads(line)["loss"] for line in open(os.path.join(run, "metrics.jsonl"))]
    files = [tensorfile.read(os.path.join(run, f"step-{step}.safetensors")) for step in range(1, steps + 1)]
    buffers = [{name: tensor.data for name, tensor in file.items() if name.startswith("momentum.")} for file in files]
    gradients = [{name: [b - 0.9 * a for a, b in zip(buffers[i - 1][name] if i else [0] * len(data), data)]
                  for name, data in buffer.items()} for i, buffer in enumerate(buffers)]
    states = [{name: tensor.data for name, tensor in file.items() if name.endswith((".mem", ".seen"))} for file in files]
    return losses, gradients, states


def near(a, b, what):
    norm = math.sqrt(sum(x * x for x in a))
    off = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))
    assert norm > 0 and off <= 2e-6 * norm, (what, off, norm)


single, parts = read(sys.argv[1], 4), read(sys.argv[2], 2)
for step in range(2):
    first, second = 2 * step, 2 * step + 1
    one, other, both = single[0][first], single[0][second], parts[0][step]
    near([one["lm"] / 2 + other["lm"] / 2], [both["lm"]], "lm")
    near([one["letters_seen"] + other["letters_seen"]], [both["letters_seen"]], "letters_seen")
    for name, gradient in parts[1][step].items():
        near([x / 2 + y / 2 for x, y in zip(single[1][first][name], single[1][second][name])], gradient, name)
    assert len(parts[2][step]) == 3
    for name, state in parts[2][step].items():
        near(single[2][second][name], state, name)
print(f"{len(parts[1][0])} gradients and {len(parts[2][0])} states agree")
