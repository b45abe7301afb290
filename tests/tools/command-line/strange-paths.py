"""Compiles a program under strange names and trains it: strange-paths.py HEDDLE FOLDER, which holds fit.heddle and its data."""
import os
import pathlib
import shutil
import subprocess
import sys

heddle, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
os.chdir(folder)
NAMES = ["-x", "--help", "a b", "it's \"quoted\"", "$(touch owned)", "`touch owned`", "a;touch owned", "two\nlines", "100%d{}",
         "@file", "back\\slash", "*?[a]", "\u00e4\U0001d11e"]


def run(*command, code=0):
    done = subprocess.run([*command], capture_output=True, text=True)
    assert done.returncode == code, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


for name in NAMES:
    program = name + ".heddle"
    shutil.copy("fit.heddle", program)
    run(heddle, "check", "--", program)
    run(heddle, "check", "--json", "--", program)
    # Through the C++ of one class; the output's name is as strange as the input's.
    graph = run(heddle, "compile", "--emit=graph", "--", program)
    assert "func.func @train" in graph
    run(heddle, "compile", "--emit=cpp", "--target=baseline", "-o", name + ".cpp", "--", program)
    assert "HWY_NAMESPACE" in pathlib.Path(name + ".cpp").read_text()
    run(heddle, "train", "--out", name + ".run", "--", program)
    assert (pathlib.Path(name + ".run")).is_dir()
    broken = "broken " + name
    pathlib.Path(broken).write_text("dim $\n")
    said = run(heddle, "check", "--", broken, code=1)
    assert "\n --> broken " in said and said.count("-->") == 1, said
    said = run(heddle, "check", "--", "missing " + name, code=3)

# One native program whose path holds all of it, twice: as a folder and as a file.
whole = "-x it's \"q\" $(touch owned)\n;`touch owned` 100%d{}"
os.mkdir(whole)
shutil.copy("fit.heddle", f"{whole}/{whole}.heddle")
shutil.copy("x.safetensors", whole)
run(heddle, "compile", "--target=baseline", "-o", f"{whole}/{whole}", "--", f"{whole}/{whole}.heddle")
run(os.path.abspath(f"{whole}/{whole}"), "train", "--out", f"{whole}/run")
assert os.path.isdir(f"{whole}/run")
assert not os.path.exists("owned") and not os.path.exists(f"{whole}/owned")
