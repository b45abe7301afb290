"""Runs the examples of the pages of `heddle explain`: run-pages.py PAGES HEDDLE FOLDER [CODE ...].

A page has one wrong example and one mended one, each a program or a command:
```heddle-error    a whole file: `heddle check` reports the page's code and nothing else
```heddle          a whole file: `heddle check` finds nothing to say; it is program.heddle of the command that follows
```heddle FILE     a file that the others import: the same, and no example of its own
```console-error   `$ COMMAND`: ends with the page's code and no other
```console         `$ COMMAND`: succeeds
A comment `# FILE holds NAME: f32[2,3]` in a command's block makes a safetensors file of that shape first. Each page runs
in a folder of its own under FOLDER.
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

pages, heddle, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
only = sys.argv[4:]
environment = dict(os.environ, PATH=f"{heddle.parent}:{os.environ['PATH']}", NO_COLOR="1")
failures = 0


def write_tensor(path, name, shape):
    count = 1
    for size in shape:
        count *= size
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 0.5) * count)


def check(path):
    """The codes that `heddle check` reports, and its exit code."""
    run = subprocess.run([heddle, "check", "--json", path.name], cwd=path.parent, capture_output=True, text=True)
    return [d["code"] for d in json.loads(run.stdout)["diagnostics"]], run.returncode


def command(line, place):
    """The codes that a command reports, and its exit code."""
    for file, name, shape in re.findall(r"# (\S+) holds (\w+): f32\[([\d,]+)\]", line):
        write_tensor(place / file, name, [int(size) for size in shape.split(",")])
    run = subprocess.run(["bash", "-o", "pipefail", "-c", line.lstrip("$ ")], cwd=place, capture_output=True, text=True,
                         errors="replace", env=environment)
    return re.findall(r"^error\[(H\d+)\]", run.stderr, re.M), run.returncode


for page in sorted(pages.glob("H????.md")):
    code = page.stem
    if only and code not in only:
        continue
    place = folder / code
    place.mkdir(parents=True, exist_ok=True)
    counts = {"wrong": 0, "mended": 0}
    for number, block in enumerate(re.finditer(r"^```([\w-]+)(?: +([\w.-]+))?\n(.*?)^```$", page.read_text(), re.S | re.M)):
        kind, name, body = block.groups()
        wrong = kind.endswith("-error")
        if kind in ("heddle", "heddle-error"):
            file = place / (name or ("wrong.heddle" if wrong else "program.heddle"))
            file.write_text(body)
            codes, ended = check(file)
            # A program that a command then uses is no example of its own.
            counts["wrong" if wrong else "mended"] += not (
                name or re.match(r"\s*(Wrong:\s*)?```console", page.read_text()[block.end():]))
        elif kind in ("console", "console-error"):
            codes, ended = command(body, place)
            counts["wrong" if wrong else "mended"] += 1
        else:
            codes, ended = [f"unknown kind of block `{kind}`"], None
        if wrong and (set(codes) != {code} or ended != 1):
            failures += 1
            print(f"{page.name}: the wrong example gives {codes}, exit code {ended}")
        if not wrong and (codes or ended != 0):
            failures += 1
            print(f"{page.name}: the mended example gives {codes}, exit code {ended}")
    if counts != {"wrong": 1, "mended": 1}:
        failures += 1
        print(f"{page.name}: has {counts['wrong']} wrong and {counts['mended']} mended examples")
sys.exit(failures > 0)
