"""Runs the modules of two files on the same inputs, with initial values that depend on names alone, and compares results.
Usage: compare.py HEDDLE FOLDER ONE.heddle OTHER.heddle [FLAG ...]"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../../tools"))
import stageinputs  # noqa: E402
from stageinputs import tensorfile  # noqa: E402

heddle, folder, *files = sys.argv[1:5]
flags = sys.argv[5:]
os.makedirs(folder, exist_ok=True)


def run(*arguments):
    done = subprocess.run([heddle, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


modules = re.findall(r"^module (\w+)", open(files[0]).read(), re.M)
for module in modules:
    text = run("compile", files[0], f"--module={module}", "--emit=graph", *flags)
    inputs, results = os.path.join(folder, "in.safetensors"), []
    tensorfile.write(inputs, stageinputs.draw(text, "run"))
    for i, file in enumerate(files):
        out = os.path.join(folder, f"out-{i}.safetensors")
        run("run", file, module, "--in", inputs, "--out", out, "--backend=interp", *flags)
        results.append(tensorfile.read(out)["out"])
    one, other = results
    assert one.shape == other.shape and len(one.data) > 0, module
    largest = max(abs(x) for x in one.data)
    worst = max(abs(x - y) for x, y in zip(one.data, other.data))
    assert largest > 0 and worst <= 1e-6 * largest, (module, worst, largest)
print(f"{len(modules)} modules agree")
