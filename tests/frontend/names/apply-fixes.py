"""Applies the fixes that `heddle check --json` offers: apply-fixes.py HEDDLE FOLDER PROGRAM ...

Each program has one error with one fix; with the fix in place, by its bytes, the program has no error. The range of the
Language Server Protocol and the lines and columns say the same place.
"""
import json
import pathlib
import subprocess
import sys

heddle, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
failures = 0


def check(path):
    return json.loads(subprocess.run([heddle, "check", "--json", path], capture_output=True, text=True).stdout)


def offset(text, place):
    """The byte offset of a place of the Language Server Protocol: UTF-16 units in a line."""
    lines = text.split("\n")
    before = lines[place["line"]].encode("utf-16-le")[:2 * place["character"]].decode("utf-16-le")
    return len("".join(line + "\n" for line in lines[:place["line"]]).encode()) + len(before.encode())


for program in map(pathlib.Path, sys.argv[3:]):
    text = program.read_text()
    found = check(program)["diagnostics"]
    fixes = [fix for diagnostic in found for fix in diagnostic["fixes"]]
    if len(found) != 1 or len(fixes) != 1:
        print(f"{program}: {len(found)} errors, {len(fixes)} fixes")
        failures += 1
        continue
    fix = fixes[0]
    raw = text.encode()
    begin, end = fix["byte"], fix["end_byte"]
    if (offset(text, fix["range"]["start"]), offset(text, fix["range"]["end"])) != (begin, end):
        print(f"{program}: the range {fix['range']} is not bytes {begin} to {end}")
        failures += 1
    line = raw[:begin].decode().split("\n")
    if (len(line), len(line[-1]) + 1) != (fix["line"], fix["column"]):
        print(f"{program}: line {fix['line']}, column {fix['column']} is not byte {begin}")
        failures += 1
    mended = folder / program.name
    mended.write_bytes(raw[:begin] + fix["replacement"].encode() + raw[end:])
    left = check(mended)["diagnostics"]
    if left:
        print(f"{program}: with the fix in place: {[d['message'] for d in left]}")
        failures += 1
sys.exit(failures > 0)
