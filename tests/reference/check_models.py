"""Compares Heddle with the implementations that people trust (make_models.py made their results), on Python's standard
library alone.

Usage: check_models.py HEDDLE [--doors interp,jit,aot] [--only REGEX] [--table]
For every configuration models/MODEL-X.safetensors of models/MODEL.heddle, same weights, same inputs:
  - the loss is within 1e-5 of the reference's, relative;
  - each gradient g: |g - expected| <= 1e-4 |expected| + 1e-6 of the largest gradient norm of the model;
  - its weights, exported by the table models/MODEL.map and imported again, have the same bits;
  - every softmax of the file is fused attention, forward and backward, which takes and gives no tensor of rows x keys.
Doors are the interpreter, in double precision, and JIT for all, a native library for one configuration of each model.
A model with a memory runs two segments; the second gets the memory that Heddle's own step over the first has left.
Every failure is listed before the exit. --table prints the worst ratios as docs/testing.md has them.
"""
import argparse
import collections
import glob
import math
import os
import re
import sys
import tempfile

import tensorfile
from checking import check, distance, failures, norm, run_heddle

here = os.path.dirname(os.path.abspath(__file__))
worst = collections.defaultdict(lambda: (0.0, ""))


def heddle(*arguments):
    return run_heddle(options.heddle, *arguments)


def under(prefix, tensors):
    return {name[len(prefix):]: t for name, t in tensors.items() if name.startswith(prefix)}


def compare(title, got, want):
    """Loss and gradients; notes how much of what is allowed they take."""
    name, door = title.split()[0].rsplit("-", 1)[0], title.split()[1]
    value, expected = got["out"].data[0], want["loss"].data[0]
    loss_share = abs(value - expected) / abs(expected) / 1e-5
    gradients = under("grad.", want)
    largest = max(norm(t.data) for t in gradients.values())
    check(set(gradients) == set(under("grad.", got)), f"{title}: a gradient for every weight and float input")
    share = (0.0, "")
    for weight, t in gradients.items():
        mine = got.get("grad." + weight)
        if mine is None or mine.shape != t.shape:
            check(False, f"{title}: {weight} has shape {list(t.shape)}")
            continue
        of_allowed = distance(mine.data, t.data) / (1e-4 * norm(t.data) + 1e-6 * largest)
        of_allowed = math.inf if math.isnan(of_allowed) else of_allowed
        share = max(share, (of_allowed, weight))
        if of_allowed > 1:
            check(False, f"{title}: {weight} is off by {of_allowed:.1f} times what is allowed")
    check(loss_share <= 1 and share[0] <= 1, f"{title}: loss {value:.6f}, {loss_share:.4f} of what is allowed; "
                                            f"{len(gradients)} gradients, {share[1]} at {share[0]:.4f} of it")
    worst[name, door, "loss"] = max(worst[name, door, "loss"], (loss_share, ""))
    worst[name, door, "gradient"] = max(worst[name, door, "gradient"], share)


def fused(title, remarks, temps):
    """Every softmax that the file has is fused; attention and its derivative are one op each, without a score in memory."""
    remarks = [line for line in remarks.splitlines() if "remark: " in line]
    refused = [line for line in remarks if not re.search(r"attention over `\w+` is fused$", line)]
    with open(os.path.join(temps, "Loss.3-fused.mlir")) as f:
        text = f.read()
    forward, backward = (len(re.findall(rf"= heddle\.{op} over ", text)) for op in ("attention", "attention_backward"))
    for keys, rows, types in re.findall(r'= heddle\.attention\w* over "(\w+)" rows \["(\w+)"\]\(.*?\) : (.*)', text):
        refused += [f"holds {t}" for t in re.findall(r"\[(.*?)\]", types) if {rows, keys} <= set(re.findall(r"(\w+)=", t))]
    check(remarks and not refused and forward and forward == backward,
          "\n".join([f"{title}: {forward} fused attentions, each forward and backward", *refused]))


def run(model, door, sets, folder, inputs, params, entry):
    """What one run gives, and what it says; None if it fails."""
    paths = [os.path.join(folder, name) for name in ("in.safetensors", "params.safetensors", "out.safetensors")]
    tensorfile.write(paths[0], inputs)
    tensorfile.write(paths[1], params)
    done = heddle("run", model, *entry, *sets, "--in", paths[0], "--params", paths[1], "--out", paths[2],
                  f"--backend={door}")
    return None if done is None else (tensorfile.read(paths[2]), done)


def there_and_back(title, path, folder):
    """`heddle export` and `import` by the model's table are the inverse of one another."""
    want, model = tensorfile.read(path), re.sub(r"-[ab]\.safetensors$", "", path)
    with open(model + ".heddle") as f:
        dims = dict(re.findall(r"(\w+): \w+\[([\w,]+)\]", re.search(r"module Loss\((.*?)\)", f.read())[1]))
    sizes = dict(pair.split("=") for pair in tensorfile.metadata(path)["set"].split())
    for name, t in under("in.", want).items():
        sizes |= dict(zip(dims[name].split(","), t.shape, strict=True))
    common = ["--module", "Loss", "--table", model + ".map", *(w for n, s in sizes.items() for w in ("--set", f"{n}={s}"))]
    params = under("param.", want)
    paths = [os.path.join(folder, os.path.basename(path) + end) for end in (".in", ".theirs", ".out")]
    tensorfile.write(paths[0], params)
    done = heddle("export", model + ".heddle", paths[0], "--out", paths[1], *common)
    if done is not None and heddle("import", model + ".heddle", paths[1], "--out", paths[2], *common) is not None:
        theirs, back = tensorfile.read(paths[1]), tensorfile.read(paths[2])
        check(back == params and not set(theirs) & set(params),
              f"{title}: {len(params)} weights, {len(theirs)} tensors of the other's, and back")


def compare_door(title, path, door, folder):
    want, model = tensorfile.read(path), re.sub(r"-[ab]\.safetensors$", ".heddle", path)
    sets = [word for pair in tensorfile.metadata(path)["set"].split() for word in ("--set", pair)]
    inputs, params = under("in.", want), under("param.", want)
    temps = os.path.join(folder, os.path.basename(path))
    watched = ["--remarks", "--save-temps=" + temps] if door == "jit" else []
    done = run(model, door, sets, folder, inputs, params, ["Loss", "--grad", *watched])
    if done:
        compare(title, done[0], want)
        if watched:
            fused(title, done[1], temps)
    if "second.loss" not in want:
        return
    sizes = [word for name, size in zip("BT", inputs["ids"].shape) for word in ("--set", f"{name}={size}")]
    kept = run(model, door, sets + sizes, folder, inputs, params, ["segments", "--entry=eval"])
    if kept:
        memory = {name: t for name, t in under("variable.", kept[0]).items() if name not in params}
        check(bool(memory), f"{title}: {len(memory)} memories")
        second = under("second.", want)
        done = run(model, door, sets, folder, under("in.", second), params | memory, ["Loss", "--grad"])
        if done:
            compare(title + " (second segment)", done[0], second)


def print_table():
    doors = options.doors.split(",")
    print("| model | " + " | ".join(f"loss, {d} | gradients, {d}" for d in doors) + " |")
    for name in sorted({key[0] for key in worst}):
        cells = [f"{worst[name, d, what][0]:.4f}" if (name, d, what) in worst else "-"
                 for d in doors for what in ("loss", "gradient")]
        print(f"| {name} | " + " | ".join(cells) + " |")


parser = argparse.ArgumentParser()
parser.add_argument("heddle")
parser.add_argument("--doors", default="interp,jit,aot")
parser.add_argument("--only", default="")
parser.add_argument("--table", action="store_true")
options = parser.parse_args()
paths = sorted(glob.glob(os.path.join(here, "models", "*.safetensors")))
with tempfile.TemporaryDirectory() as folder:
    for number, path in enumerate(paths):
        name = os.path.basename(path).removesuffix(".safetensors")
        if not re.search(options.only, name):
            continue
        if "jit" in options.doors:
            there_and_back(name, path, folder)
        for door in options.doors.split(","):
            if door != "aot" or number % 4 in (0, 3):
                compare_door(f"{name} {door}", path, door, folder)
check(len(paths) == 18, f"{len(paths)} configurations")
if options.table:
    print_table()
print(f"{len(failures)} failures")
sys.exit(bool(failures))
