"""What the comparisons with references share: checks that are printed and counted, and the command."""
import math
import subprocess

failures = []


def check(ok, what):
    print(("ok    " if ok else "FAIL  ") + what, flush=True)
    if not ok:
        failures.append(what)


def run_heddle(heddle, *arguments):
    """The command's output, stdout and stderr; None, listed as a failure, if it fails."""
    done = subprocess.run([heddle, *arguments], capture_output=True, text=True)
    if done.returncode:
        failures.append(" ".join(arguments))
        print(f"FAIL  heddle {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return None
    return done.stdout + done.stderr


def norm(values):
    return math.sqrt(sum(v * v for v in values))


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
