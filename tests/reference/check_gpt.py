"""Compares Heddle with PyTorch's committed results (gpt.py made them), on Python's standard library alone.

Usage: check_gpt.py HEDDLE [--doors interp,jit,aot]
At the same initial parameters and on the same batches:
  - `heddle run`: the logits of the first batch, |out - expected| <= 1e-4 of the norm;
  - `heddle run --grad`: each gradient, |g - expected| <= 1e-4 of its norm + 1e-6 of the largest gradient norm;
  - `heddle train`: the losses of 200 steps, each within max(1e-3, 3 x the gap of PyTorch's own f32 and f64 curves).
Expected values are f64. Every failure is listed before the exit.
"""
import argparse
import array
import json
import math
import os
import sys
import tempfile

import tensorfile
from checking import check, distance, failures, norm, run_heddle

here = os.path.dirname(os.path.abspath(__file__))
model = os.path.join(here, "gpt.heddle")
params = os.path.join(here, "gpt", "params.safetensors")


def heddle(*arguments):
    return run_heddle(options.heddle, *arguments) is not None


def first_batch(path):
    """The first B = 4 rows of every field, as `heddle run` takes a batch."""
    rows = 4
    fields = tensorfile.read(os.path.join(here, "gpt", "batches.safetensors"))
    cut = {name: tensorfile.Tensor((rows, t.shape[1]), array.array("i", t.data[: rows * t.shape[1]]))
           for name, t in fields.items()}
    tensorfile.write(path, cut)


def compare_run(door, folder):
    batch, out = os.path.join(folder, "batch.safetensors"), os.path.join(folder, f"out-{door}.safetensors")
    first_batch(batch)
    if heddle("run", model, "GPT", "--set", "B=4", "--set", "T=16", "--in", batch, "--params", params, "--out", out,
              f"--backend={door}"):
        got, want = tensorfile.read(out)["out"], expected["out"]
        off = distance(got.data, want.data) / norm(want.data)
        check(got.shape == want.shape and off <= 1e-4, f"{door}: logits {list(got.shape)}, off by {off:.1e} of their norm")
    if heddle("run", model, "compare", "--grad", "--in", batch, "--params", params, "--out", out, f"--backend={door}"):
        got = tensorfile.read(out)
        names = [name for name in expected if name.startswith("grad.")]
        check(set(names) == {n for n in got if n.startswith("grad.")}, f"{door}: a gradient for every parameter")
        largest = max(norm(expected[name].data) for name in names)
        worst = (0.0, "")
        for name in names:
            want = expected[name]
            if name not in got or got[name].shape != want.shape:
                check(False, f"{door}: {name} has shape {list(want.shape)}")
                continue
            share = distance(got[name].data, want.data) / (1e-4 * norm(want.data) + 1e-6 * largest)
            worst = max(worst, (share, name))
            if share > 1:
                check(False, f"{door}: {name} is off by {share:.1f} times what is allowed")
        check(worst[0] <= 1, f"{door}: {len(names)} gradients; the worst, {worst[1]}, at {worst[0]:.3f} of what is allowed")
        loss = got["lm"].data[0]
        check(abs(loss - expected["loss.f64"].data[0]) <= 1e-4, f"{door}: loss {loss:.6f}")


def compare_train(door, folder):
    out = os.path.join(folder, f"train-{door}")
    if not heddle("train", model, f"--{door}", "--out", out):
        return
    with open(os.path.join(out, "metrics.jsonl")) as f:
        losses = [line["loss"]["lm"] for line in map(json.loads, f) if "loss" in line]
    single, double = expected["loss.f32"].data, expected["loss.f64"].data
    gap = max(abs(a - b) for a, b in zip(single, double))
    bound = max(1e-3, 3 * gap)
    off = max((abs(a - b) for a, b in zip(losses, double)), default=math.inf)
    check(len(losses) == 200 and off <= bound,
          f"{door}: {len(losses)} losses, off by {off:.1e} at most; allowed {bound:.1e}, PyTorch's f32 is off by {gap:.1e}")


parser = argparse.ArgumentParser()
parser.add_argument("heddle")
parser.add_argument("--doors", default="interp,jit,aot")
options = parser.parse_args()
expected = tensorfile.read(os.path.join(here, "gpt", "expected.safetensors"))
with tempfile.TemporaryDirectory() as folder:
    for door in options.doors.split(","):
        compare_run(door, folder)
        if door != "interp":  # an oracle for single steps; 200 of them take it minutes
            compare_train(door, folder)
print(f"{len(failures)} failures")
sys.exit(bool(failures))
