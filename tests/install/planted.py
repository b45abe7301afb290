"""What the tests of doctor and environment share: a scratch folder, programs to start, defects to plant."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

source = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(source, "tests", "reference"))
import tensorfile  # noqa: E402


class Checks:
    passed = failed = 0

    def __call__(self, ok, what, more=""):
        Checks.passed, Checks.failed = Checks.passed + bool(ok), Checks.failed + (not ok)
        print(("ok    " if ok else "FAIL  ") + what, flush=True)
        if not ok and more:
            print(more, flush=True)
        return ok

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(self.failed > 0)


def scratch_folder():
    return tempfile.TemporaryDirectory(prefix="heddle-install-")


def environment(**changes):
    """This process's environment without Heddle's variables, and with `changes`; None takes a variable away."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("HEDDLE_") and k not in ("CXX", "TMPDIR")}
    variables["NO_COLOR"] = "1"
    variables["HEDDLE_CACHE"] = "off"
    for name, value in changes.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return variables


def call(*command, cwd=None, preexec=None, **changes):
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, preexec_fn=preexec, env=environment(**changes))


def script(path, text):
    """An executable shell script."""
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def installation(build, folder):
    """What an installation holds for native programs, in `folder`, as files that may be damaged."""
    os.makedirs(os.path.join(folder, "lib"))
    shutil.copytree(os.path.join(build, "lib", "heddle"), os.path.join(folder, "lib", "heddle"))
    for header in ("Abi.h", "Kernel.h", "NativeMain.h"):
        os.makedirs(os.path.join(folder, "include", "heddle", "runtime"), exist_ok=True)
        shutil.copy(os.path.join(source, "runtime", header), os.path.join(folder, "include", "heddle", "runtime"))
    return folder


def replace(path, old, new):
    """Replaces bytes in a file; they must be there."""
    with open(path, "rb") as file:
        data = file.read()
    assert old in data, (path, old)
    with open(path, "wb") as file:
        file.write(data.replace(old, new))


def namespaces():
    """The words that start a command in a mount namespace of its own, where it may mount."""
    for words in (["unshare", "-m"], ["unshare", "-rm"]):
        if subprocess.run(words + ["true"], capture_output=True).returncode == 0:
            return words
    sys.exit("FAIL: neither root nor a user that may make namespaces: what mounts have to do with it cannot be tested")


def model(folder):
    """A program that trains in no time, and its data."""
    path = shutil.copy(os.path.join(source, "tests", "install", "consumer", "model.heddle"), folder)
    numbers = __import__("array").array("f", [(i * 7 % 13) / 6 - 1 for i in range(48)])
    tensorfile.write(os.path.join(folder, "batches.safetensors"), {"x": tensorfile.Tensor((8, 6), numbers)})
    return path


def metrics(run):
    """The lines of a run, without their times."""
    with open(os.path.join(run, "metrics.jsonl")) as lines:
        return [{k: v for k, v in json.loads(line).items() if k != "tokens_per_s"} for line in lines]
