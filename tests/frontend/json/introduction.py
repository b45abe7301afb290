"""The JSON of the page is what the command prints, and every field of it stands in the page's table:
introduction.py PAGE HEDDLE FOLDER."""
import json
import pathlib
import re
import subprocess
import sys

page, heddle, folder = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
(folder / "model.heddle").write_text("dim T\nmodule M(spelling: f32[T]) -> f32[T] {\n  return speling * 2\n}\n")
run = subprocess.run([heddle, "check", "--json", "model.heddle"], cwd=folder, capture_output=True, text=True)
assert run.returncode == 1 and run.stderr == "", run
shown = re.search(r"^```json\n(.*?)^```$", page, re.S | re.M)[1]
if shown != run.stdout:
    sys.exit("the page shows another answer than\n" + run.stdout)
described = set(re.findall(r"`\"?([a-z_]+)(?:`|\")", page))


def fields(value):
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in fields(inner)}
    return {name for inner in value for name in fields(inner)} if isinstance(value, list) else set()


missing = fields(json.loads(shown)) - described - {"start", "end", "character", "end_line", "end_column"}
if missing:
    sys.exit(f"the page does not describe {missing}")
