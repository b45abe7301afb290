"""Programs of up to 1 MiB of several evil shapes: large-programs.py HEDDLE FOLDER [SHAPE ...].

`heddle check` answers each with exit code 0 or 1 in 10 seconds of processor time and 1 GiB of memory. A shape is a
function that fills the limit of a source file, 1 MiB, where nothing stops it before.
"""
import os
import pathlib
import resource
import subprocess
import sys

LIMIT = 1 << 20
SECONDS, BYTES = 10, 1 << 30
BODY = "module M(x: f32[T]) -> f32[T] {{\n  return {}\n}}\n"


def fill(head, row, tail=""):
    """head, row(0), row(1), ... as many as fit, tail."""
    size, rows, k = len(head) + len(tail), [], 0
    while True:
        text = row(k)
        size += len(text)
        if size > LIMIT:
            return head + "".join(rows) + tail
        rows.append(text)
        k += 1


def block(model, loss, sizes="T = 4", data="x: f32[T]"):
    return model + (f"train t {{\n  data = tensors(\"x.safetensors\", {data})\n  size {sizes}\n  loss e = {loss}\n"
                    "  optim = sgd(lr = 0.1)\n  steps = 5\n}\n")


def doubling(levels, leaf, body="M{0}(M{0}(x))"):
    text = f"dim T\nmodule M0(x: f32[T]) -> f32[T] {{\n{leaf}}}\n"
    for k in range(1, levels):
        text += f"module M{k}(x: f32[T]) -> f32[T] {{ return {body.format(k - 1)} }}\n"
    return block(text, f"mean(M{levels - 1}(data.x))")


SHAPES = {
    # long in one direction
    "one-expression": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n  return x", lambda k: "+x", "\n}\n"),
    "one-sum-of-sums": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n  y = x\n", lambda k: "  y=" + "+".join("y" * 400) + "\n",
                                    "  return y\n}\n"),
    "one-line": lambda: fill("dim T module M(x: f32[T]) -> f32[T] { return max(x", lambda k: ",x", ") }"),
    "long-line-of-ops": lambda: block(fill("dim T\nmodule M(x: f32[T]) -> f32[T] {", lambda k: "\n x=" + "+".join("x" * 300),
                                           "\n return x\n}\n")[:LIMIT - 400], "mean(M(data.x))"),
    "one-name": lambda: "dim " + "a" * (LIMIT - 5) + "\n",
    "one-string": lambda: 'train t { data = text("' + "a" * (LIMIT - 40) + '") }\n',
    "one-number": lambda: "dim A = " + "1" * (LIMIT - 10) + "\n",
    "one-comment": lambda: "# " + "a" * (LIMIT - 3) + "\n",
    "one-type": lambda: fill("module M(x: f32[A", lambda k: f",A{k}", "]) -> f32 {\n return sum(x)\n}\n"),
    "one-call": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] { return M(x", lambda k: f",a{k}=x", ") }\n"),
    "one-tuple": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] { return ", lambda k: "x,", "x }\n"),
    # many of a kind
    "dims": lambda: fill("dim A", lambda k: f",A{k}", "\n"),
    "dims-with-sizes": lambda: fill("dim A0 = 1\n", lambda k: f"dim A{k + 1} = A{k} + 1\n"),
    "dims-that-double": lambda: fill("dim A0\n", lambda k: f"dim A{k + 1} = A{k} * A{k}\n"),
    "dims-without-algebra": lambda: fill("dim A0\n", lambda k: f"dim A{k + 1} = A{k} % A{k}\n"),
    "dims-of-many-terms": lambda: fill("dim A0\n", lambda k: f"dim B{k}, A{k + 1} = (A{k} + B{k}) * (A{k} - B{k})\n"),
    "modules": lambda: fill("dim T\n", lambda k: f"module M{k}(x:f32[T])->f32[T]{{return x}}\n"),
    "modules-in-a-row": lambda: fill("dim T\nmodule M0(x:f32[T])->f32[T]{return x}\n",
                                     lambda k: f"module M{k + 1}(x:f32[T])->f32[T]{{return M{k}(x)}}\n"),
    "modules-of-own-dims": lambda: fill("", lambda k: f"module M{k}(x:f32[D])->f32[D]{{return x}}\n"),
    "modules-of-one-name": lambda: fill("dim T\n", lambda k: "module M(x:f32[T])->f32[T]{return x}\n"),
    "modules-and-dims": lambda: fill("dim A" + "".join(f",A{k}" for k in range(60000)) + "\nmodule M(x:f32[A])->f32[A]{return x}\n",
                                     lambda k: f"module M{k}(x:f32[A])->f32[A]{{return M(x)}}\n"),
    "arguments": lambda: fill("module M(x0: f32[T]", lambda k: f",x{k + 1}:f32[T]", ") -> f32[T] { return x0 }\n"),
    "values": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"x{k}=x\n", "return x\n}\n"),
    "parameters": lambda: block(fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"param a{k}:f32~ones\nx=x*a{k}\n",
                                     "return x\n}\n")[:LIMIT - 400].rsplit("param", 1)[0] + "return x\n}\n", "mean(M(data.x))"),
    "calls": lambda: block(fill("use std.nn\ndim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: "x=LayerNorm(x)\n",
                                "return x\n}\n")[:LIMIT - 400].rsplit("x=", 1)[0] + "return x\n}\n", "mean(M(data.x))"),
    "loops": lambda: block(fill("dim T, L = 2\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"repeat L as h{k} {{ x=x*2 }}\n",
                                "return x\n}\n")[:LIMIT - 400].rsplit("repeat", 1)[0] + "return x\n}\n", "mean(M(data.x))"),
    "names-and-loops": lambda: fill("dim T, L = 2\nmodule M(x: f32[T]) -> f32[T] {\n" + "".join(f"a{k}=x\n" for k in range(50000)),
                                    lambda k: f"repeat L as h{k} {{}}\n", "return x\n}\n"),
    "axes-of-a-value": lambda: fill("dim A0" + "".join(f",A{k}" for k in range(1, 30000)) +
                                    "\nmodule M(x: f32[A0]) -> f32[A0] {\n  y = pos(A0)\n",
                                    lambda k: f"y=y+pos(A{k % 30000})\n", "return x\n}\n"),
    "train-blocks": lambda: fill("", lambda k: f"train t{k} {{ steps = 5 }}\n"),
    "settings": lambda: fill("train t {\n", lambda k: "steps = 5\n", "}\n"),
    # deep
    **{f"nested-{name}": (lambda opening: lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n  return ", lambda k: opening))(opening)
       for name, opening in [("parentheses", "("), ("indices", "x[T="), ("calls", "tanh("), ("minus", "-"), ("not", "not "),
                             ("powers", "x^"), ("contractions", "x@("), ("as", "M(x) as "), ("types", "x[T->(")]},
    "nested-braces": lambda: fill("dim L\nmodule M(x: f32[L]) -> f32[L] {\n", lambda k: "repeat L as h {"),
    "nested-braces-alone": lambda: "{" * LIMIT,
    "closing-braces": lambda: "}" * LIMIT,
    "depth-through-calls": lambda: block(
        "dim T\nmodule M0(x: f32[T]) -> f32[T] { return x }\n" + "".join(
            f"module M{k + 1}(x: f32[T]) -> f32[T] {{ return {'-(' * 120}M{k}(x){')' * 120} }}\n" for k in range(250)),
        "mean(M250(data.x))"),
    # that grow
    "doubling-calls": lambda: doubling(60, "  return x * 2\n"),
    "doubling-parameters": lambda: doubling(60, "  param w: f32 ~ ones\n  return x * w\n"),
    "doubling-values": lambda: doubling(60, "  return x * 2\n", "M{0}(x) + M{0}(x)"),
    "doubling-loops": lambda: doubling(60, "  return x * 2\n").replace("dim T\n", "dim T, L = 2\n"),
    # of bytes
    "zeros": lambda: "\0" * LIMIT,
    "quotes": lambda: '"' * LIMIT,
    "line-breaks": lambda: "\n" * LIMIT,
    "commas": lambda: "dim A" + "," * (LIMIT - 5),
    "unknown-names": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"y=name_{k}\n", "return x\n}\n"),
    "unknown-dims": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"y=mean(x, over D{k})\n", "return x\n}\n"),
    "unknown-calls": lambda: fill("dim T\nmodule M(x: f32[T]) -> f32[T] {\n", lambda k: f"y=function_{k}(x)\n", "return x\n}\n"),
}


def main():
    heddle, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    failures, worst = 0, {"seconds": (0, ""), "MiB": (0, "")}
    for name in sys.argv[3:] or SHAPES:
        text = SHAPES[name]()
        assert len(text.encode()) <= LIMIT, name
        path = folder / f"{name}.heddle"
        path.write_text(text)
        # Past these the process is ended: the test fails, and the machine goes on.
        limits = lambda: (resource.setrlimit(resource.RLIMIT_CPU, (3 * SECONDS, 3 * SECONDS)),
                          resource.setrlimit(resource.RLIMIT_DATA, (4 * BYTES, 4 * BYTES)))
        process = subprocess.Popen([heddle, "check", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        seconds, memory = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
        first = said.decode(errors="replace").split("\n")[0][:100]
        print(f"{name:24} {len(text) >> 10:5} KiB  exit {code:3}  {seconds:5.1f} s  {memory >> 20:5} MiB  {first}", flush=True)
        if code not in (0, 1) or seconds > SECONDS or memory > BYTES or len(said) > 200_000:
            print(f"{path}: FAILED")
            failures += 1
        else:
            path.unlink()
        worst["seconds"] = max(worst["seconds"], (seconds, name))
        worst["MiB"] = max(worst["MiB"], (memory >> 20, name))
    print(f"{failures} failures; slowest {worst['seconds']}, largest {worst['MiB']}")
    sys.exit(failures > 0)


main()
