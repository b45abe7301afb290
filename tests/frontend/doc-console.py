"""Runs the commands of a Markdown page: doc-console.py PAGE HEDDLE FOLDER.

```heddle FILE   is written to FILE
```console      `$ heddle ARGS` runs; the lines behind it must stand in its output, in this order. `...` is any text
"""
import pathlib
import re
import subprocess
import sys

page, heddle, folder = sys.argv[1:]
folder = pathlib.Path(folder)
folder.mkdir(parents=True, exist_ok=True)
text = pathlib.Path(page).read_text()
commands = failures = 0
for block in re.finditer(r"^```(heddle|console)(?: +(\S+))?\n(.*?)^```$", text, re.S | re.M):
    kind, name, body = block.groups()
    if kind == "heddle":
        (folder / name).write_text(body)
        continue
    command, *wanted = body.splitlines()
    commands += 1
    args = command.removeprefix("$ heddle ").split()
    run = subprocess.run([heddle, *args], cwd=folder, capture_output=True, text=True)
    lines = iter((run.stdout + run.stderr).splitlines())
    for want in wanted:
        pattern = re.compile(".*".join(re.escape(part) for part in want.split("...")) + r"(?:.*)?")
        if not any(pattern.match(line) for line in lines):
            failures += 1
            print(f"{page}: `{command}` has no line `{want}` there")
            break
    if run.returncode:
        failures += 1
        print(f"{page}: `{command}` ends with exit code {run.returncode}\n{run.stderr}")
if not commands:
    print(f"{page}: no commands found")
sys.exit(failures > 0 or not commands)
