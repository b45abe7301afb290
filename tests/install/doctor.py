#!/usr/bin/env python3
"""heddle doctor, on a machine that is well and with defects planted. Usage: doctor.py BUILD_FOLDER"""
import json
import os
import shutil
import sys

import planted
from planted import call, script

build = os.path.realpath(sys.argv[1])
heddle = os.path.join(build, "bin", "heddle")
check = planted.Checks()
native = {"runtime library", "runtime headers", "Highway", "TMPDIR", "C++ compiler", "static linking", "native program"}
training = {"CPU class", "cores", "memory", "denormals", "JIT"}


def examine(command=(), **changes):
    """Exit code, and state, words and mending of each part."""
    done = call(*command, heddle, "doctor", "--json", **changes)
    parts = {p["part"]: p for p in json.loads(done.stdout)["parts"]} if done.stdout else {}
    return done, parts, json.loads(done.stdout or "{}")


def expect(title, missing, words, train=True, command=(), also=(), **changes):
    """The parts `missing` are told missing, and the first says `words`; those of `also` cannot work then either."""
    done, parts, report = examine(command, **changes)
    said = {name for name, part in parts.items() if part["state"] == "missing"}
    first = parts.get(missing[0], {"found": "", "mend": ""})
    ok = (done.returncode == 3 and set(missing) <= said <= set(missing) | set(also) and words in first["found"]
          and first["mend"] and report["train"] == train and not report["native"] and not done.stderr)
    check(ok, title, f"exit {done.returncode}, missing {said}\n{done.stdout}{done.stderr}")


with planted.scratch_folder() as folder:
    inside = lambda name: os.path.join(folder, name)
    done, parts, report = examine()
    check(done.returncode == 0 and report["train"] and report["native"] and native | training <= set(parts)
          and not [p for p in parts.values() if p["state"] == "missing"], "all is well here", done.stdout + done.stderr)
    check("trains two steps" in parts["JIT"]["found"] and "trains two steps" in parts["native program"]["found"],
          "it trained by both doors")
    text = call(heddle, "doctor")
    columns = {line.index(part) for line in text.stdout.splitlines() for part in ("CPU class", "JIT", "TMPDIR") if part in line[:20]}
    check(text.returncode == 0 and len(columns) == 1 and not text.stderr and
          text.stdout.endswith("training in memory: works; native programs and --aot: work\n"), "the same as text", text.stdout)
    full = call("sh", "-c", f"exec '{heddle}' doctor > /dev/full")
    check(full.returncode == 3 and "cannot write the output" in full.stderr, "stdout on a full disk")

    program = ("native program",)
    os.mkdir(inside("empty"))
    expect("HEDDLE_HOME is empty", ["runtime library", "runtime headers"], f"no {folder}/empty/lib/heddle/libheddle_runtime.a",
           also=program, HEDDLE_HOME=inside("empty"))
    home = planted.installation(build, inside("junk"))
    with open(home + "/lib/heddle/libheddle_runtime.a", "wb") as file:
        file.write(os.urandom(100000))
    expect("the library is junk", ["runtime library"], "is not a library of Heddle's runtime", also=program, HEDDLE_HOME=home)
    home = planted.installation(build, inside("halved"))
    os.truncate(home + "/lib/heddle/libheddle_runtime.a", os.path.getsize(home + "/lib/heddle/libheddle_runtime.a") // 2)
    done, parts, report = examine(HEDDLE_HOME=home)
    check(done.returncode == 3 and not report["native"] and "missing" in (parts["runtime library"]["state"], parts["native program"]["state"]),
          "half of the library is there", done.stdout)
    home = planted.installation(build, inside("other"))
    planted.replace(home + "/lib/heddle/libheddle_runtime.a", b", ABI ", b", ABI 9")
    expect("the library is of another ABI", ["runtime library"], "; this command is Heddle ", also=program, HEDDLE_HOME=home)
    home = planted.installation(build, inside("headers"))
    os.truncate(home + "/include/heddle/runtime/Kernel.h", 0)
    expect("a header is empty", ["runtime headers"], "Kernel.h is empty", also=program, HEDDLE_HOME=home)
    home = planted.installation(build, inside("highway"))
    os.makedirs(home + "/include/heddle/hwy")
    for header in ("highway.h", "foreach_target.h"):
        shutil.copy("/usr/include/hwy/" + header, home + "/include/heddle/hwy")
    planted.replace(home + "/include/heddle/hwy/highway.h", b"#define HWY_MAJOR 1", b"#define HWY_MAJOR 0")
    expect("Highway is too old", ["Highway"], "1.0.3 or later is needed", also=program, HEDDLE_HOME=home)

    chain = ("static linking",) + program
    expect("there is no compiler", ["C++ compiler"], "there is no C++ compiler 'c++' on PATH", also=chain, PATH=inside("empty"))
    expect("CXX names nothing", ["C++ compiler"], "/nonexistent cannot be run: No such file", also=chain, CXX="/nonexistent")
    script(inside("says4"), "echo 'g++ (GCC) 4.9.2'\n")
    expect("CXX prints version 4", ["C++ compiler"], "is not a C++ compiler of the kind", also=chain, CXX=inside("says4"))
    script(inside("is4"), 'exec g++ -U__GNUC__ -D__GNUC__=4 "$@"\n')
    expect("CXX is too old", ["C++ compiler"], "is GCC 4.", also=chain, CXX=inside("is4"))
    script(inside("nostatic"), 'for a; do [ "$a" != -static ] || { echo "cannot find -lc"; exit 1; }; done; exec g++ "$@"\n')
    expect("no static libraries", ["static linking"], "cannot find -lc", also=program, CXX=inside("nostatic"))
    done, parts, _ = examine(CXX="env LANG=C g++")
    check(done.returncode == 0 and "GCC" in parts["C++ compiler"]["found"], "CXX with a launcher", done.stdout)

    expect("TMPDIR is not there", ["TMPDIR"], "cannot make a temporary folder in `/nonexistent`",
           also=("C++ compiler",) + chain, TMPDIR="/nonexistent")
    os.mkdir(inside("noexec"))
    noexec = planted.namespaces() + ["sh", "-c", 'mount -t tmpfs -o noexec none "$1"; shift; exec "$@"', "sh", inside("noexec")]
    expect("TMPDIR is mounted noexec", ["TMPDIR"], "mounted noexec", also=chain, command=noexec, TMPDIR=inside("noexec"))

    expect("the CPU is too old", ["CPU class", "JIT"], "this CPU lacks x86-64-v2", train=False, also=program, HEDDLE_CPU="none")
    expect("HEDDLE_TARGET is above the CPU", ["CPU class", "JIT"], "does not run the target class 'avx512'", train=False,
           also=program, HEDDLE_CPU="avx2", HEDDLE_TARGET="avx512")
    expect("HEDDLE_THREADS is no number", ["cores"], "HEDDLE_THREADS wants a whole number", train=False, also=("native program",),
           HEDDLE_THREADS="many")
    with open(inside("never"), "w") as file:
        file.write("always madvise [never]\n")
    never = planted.namespaces() + ["sh", "-c", 'mount --bind "$1" /sys/kernel/mm/transparent_hugepage/enabled; shift; exec "$@"',
                                    "sh", inside("never")]
    done, parts, _ = examine(never)
    check(done.returncode == 0 and parts["huge pages"]["state"] == "slower" and "madvise" in parts["huge pages"]["mend"],
          "huge pages are off: slower, not missing", done.stdout)

    def cache(title, state, words, **changes):
        done, parts, _ = examine(**changes)
        part = parts["cache"]
        check(done.returncode == 0 and part["state"] == state and words in part["found"] and bool(part["mend"]) == (state != "ok"),
              "cache " + title, done.stdout)

    cache("off", "ok", "off (HEDDLE_CACHE)")
    cache("in a folder that is made", "ok", f"{folder}/made/cache, 0.0 MiB of at most 256", HEDDLE_CACHE=inside("made/cache"))
    with open(inside("made/cache/some.heddle-code"), "wb") as file:
        file.write(bytes(3 << 20))
    cache("with something in it", "ok", f"{folder}/made/cache, 3.0 MiB", HEDDLE_CACHE=inside("made/cache"))
    cache("in HOME", "ok", f"{folder}/home/.cache/heddle, ", HEDDLE_CACHE=None, XDG_CACHE_HOME=None, HOME=inside("home"))
    cache("without HOME", "slower", "HOME is not set", HEDDLE_CACHE=None, XDG_CACHE_HOME=None, HOME=None)
    cache("below a file", "slower", "Not a directory", HEDDLE_CACHE=inside("says4/cache"))
    cache("that cannot be made", "slower", "/proc/none cannot be made", HEDDLE_CACHE="/proc/none")
    os.chmod(inside("made/cache"), 0o777)
    cache("that others may write", "slower", "can be written by others", HEDDLE_CACHE=inside("made/cache"))
check.finish()
