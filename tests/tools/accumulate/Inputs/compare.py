"""Compares one step of sgd with lr = 1 from the same weights: losses, and gradients as the difference of weights, agree
within 1e-6 of themselves and of each gradient's norm. Usage: compare.py BEFORE RUN RUN, safetensors and run directories."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "reference"))
import tensorfile

before = tensorfile.read(sys.argv[1])
losses, weights = [], []
for run in sys.argv[2:4]:
    losses.append(json.loads(open(os.path.join(run, "metrics.jsonl")).readline())["loss"])
    weights.append(tensorfile.read(os.path.join(run, "step-1.safetensors")))
for name, value in losses[0].items():
    assert abs(value - losses[1][name]) <= 1e-6 * abs(value), (name, value, losses[1][name])
assert losses[0]["lm"] != losses[0]["masked"] and weights[0].keys() == weights[1].keys()
for name in weights[0]:
    start = before[name].data
    one, other = ([w - s for w, s in zip(side[name].data, start)] for side in weights)
    norm = math.sqrt(sum(g * g for g in one))
    off = math.sqrt(sum((g - h) ** 2 for g, h in zip(one, other)))
    # The weights are rounded to f32, which the gradient is read off from.
    rounding = 2**-24 * math.sqrt(sum(w * w for w in start)) * 2
    assert norm > 0 and off <= 1e-6 * norm + rounding, (name, off, norm)
print(f"{len(weights[0])} gradients agree")
