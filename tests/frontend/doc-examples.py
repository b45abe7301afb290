"""Compiles the examples of a Markdown page: doc-examples.py PAGE HEDDLE FOLDER.

```heddle            a whole file: `heddle check` must find nothing to say
```heddle FILE       the same; it is written to FILE, which later examples may import
```heddle-fragment   statements of a module: must parse
```heddle-error CODE a whole file: `heddle check` must report exactly this code
Blocks are written to FOLDER, so that a failing one can be looked at. The grammar on the page must be the rules that
stand above the functions of the parser.
"""
import json
import pathlib
import re
import subprocess
import sys

page, heddle, folder = sys.argv[1:]
folder = pathlib.Path(folder)
folder.mkdir(parents=True, exist_ok=True)
text = pathlib.Path(page).read_text()
failures = 0


def fail(line, message):
    global failures
    failures += 1
    print(f"{page}:{line}: {message}")


blocks = list(re.finditer(r"^```(\w[\w-]*)(?: +([\w.-]+))?\n(.*?)^```$", text, re.S | re.M))
kinds = [block[1] for block in blocks]
for block in blocks:
    kind, code, body = block.groups()
    line = text.count("\n", 0, block.start()) + 1
    path = folder / (code if kind == "heddle" and code else f"line-{line}.heddle")
    if kind == "heddle-fragment":
        path.write_text("module Fragment() -> f32 {\n" + body + "}\n")
        command = [heddle, "compile", "--emit=ast", path]
    elif kind in ("heddle", "heddle-error"):
        path.write_text(body)
        command = [heddle, "check", "--json", path]
    else:
        if kind.startswith("heddle"):
            fail(line, f"unknown kind of block `{kind}`")
        continue
    run = subprocess.run(command, capture_output=True, text=True)
    if kind == "heddle-error":
        codes = {d["code"] for d in json.loads(run.stdout)["diagnostics"]}
        if run.returncode != 1 or codes != {code}:
            fail(line, f"expected {code}, got {sorted(codes)}")
    elif run.returncode != 0:
        fail(line, "does not compile\n" + run.stdout + run.stderr)
    elif kind == "heddle" and json.loads(run.stdout)["diagnostics"]:
        fail(line, "compiles with warnings\n" + run.stdout)
if "heddle" not in kinds:
    fail(1, "no examples found")

rule = re.compile(r"^([a-z]+) = (.*)$", re.M)
documented = [m[0] for block in blocks if block[1] == "ebnf" for m in rule.finditer(block[3])]
sources = pathlib.Path(page).resolve().parents[1] / "frontend"
parsed = [m[0][3:] for source in sources.glob("Pars*.cpp")
          for m in re.finditer(r"^// [a-z]+ = .*$", source.read_text(), re.M)]
for missing in sorted(set(parsed) - set(documented)):
    fail(1, f"a rule of the parser is not in the grammar: {missing}")
for stale in sorted(set(documented) - set(parsed)):
    fail(1, f"a rule of the grammar is not in the parser: {stale}")
sys.exit(failures > 0)
