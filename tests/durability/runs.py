"""What the durability tests share: a corpus, runs of a program, and the comparison of what two runs left behind."""
import os
import re
import shutil
import subprocess

CORPUS = "".join("abcdefg"[i * i % 97 % 7] for i in range(600))


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def metrics(out):
    """The lines of metrics.jsonl without the time, or [] if there is none."""
    try:
        return re.sub(rb',"tokens_per_s":[0-9.]+', b"", read(os.path.join(out, "metrics.jsonl"))).splitlines()
    except FileNotFoundError:
        return []


def checkpoints(out):
    """{step: bytes} of a run directory; {} if there is none."""
    if not os.path.isdir(out):
        return {}
    found = (re.fullmatch(r"step-(\d+)\.safetensors", name) for name in os.listdir(out))
    return {int(m[1]): read(os.path.join(out, m[0])) for m in found if m}


def difference(out, whole, since=0):
    """What distinguishes the run in `out` from the uninterrupted one, or "". Checkpoints up to step `since`, which the
    run may have skipped with a warning, may be missing, but not differ."""
    ours, theirs = checkpoints(out), checkpoints(whole)
    for step, data in theirs.items():
        if step not in ours and step > since:
            return f"step-{step} is missing"
        if ours.get(step, data) != data:
            return f"step-{step} differs"
    if set(ours) - set(theirs):
        return f"there are checkpoints of steps {sorted(set(ours) - set(theirs))}"
    a, b = metrics(out), metrics(whole)
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return f"line {i + 1} of metrics.jsonl is {x.decode(errors='replace')}, not {y.decode()}"
    return "" if len(a) == len(b) else f"metrics.jsonl has {len(a)} lines, not {len(b)}"


def run(command, cwd, timeout=60, **variables):
    """Returns (exit code, stderr); the code is -N after signal N, None after the timeout."""
    environment = {**os.environ, "NO_COLOR": "1", **variables}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout)
        return done.returncode, done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None, ""


def fresh(folder, corpus=CORPUS):
    """An empty folder with the corpus in it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    write(os.path.join(folder, "corpus.txt"), corpus)
    return folder
