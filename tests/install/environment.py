#!/usr/bin/env python3
"""What stands around Heddle, wrong on purpose: compiler, HEDDLE_HOME, TMPDIR, CPU, pages, locale, denormals, limits, cache. Whatever
fails leaves no output, and nothing in TMPDIR. Usage: environment.py BUILD_FOLDER
"""
import ctypes
import filecmp
import os
import re
import resource
import signal
import subprocess
import sys
import time

import planted
from planted import call, script

build = os.path.realpath(sys.argv[1])
heddle = os.path.join(build, "bin", "heddle")
check = planted.Checks()
scratch = planted.scratch_folder()
folder = os.path.realpath(scratch.name)
inside = lambda name: os.path.join(folder, name)
model = planted.model(folder)
temporary = inside("tmp")
os.mkdir(temporary)
out = inside("program")
compile = [heddle, "compile", model, "--target", "baseline", "-o", out]


def refused(title, words, command=(), code=3, absent=(), **changes):
    """heddle compile fails with `words`, writes nothing, and leaves nothing behind."""
    changes.setdefault("TMPDIR", temporary)
    done = call(*command, *compile, **changes)
    words = [words] if isinstance(words, str) else words
    ok = (done.returncode == code and all(w in done.stderr for w in words) and not any(w in done.stderr for w in absent)
          and not os.path.exists(out) and not os.listdir(temporary))
    check(ok, title, f"exit {done.returncode}, left {os.listdir(temporary)}\n{done.stdout}{done.stderr}")


def train(name, *flags, command=None, **changes):
    """A run by JIT, in folder/name."""
    done = call(*(command or [heddle, "train", model]), "--out", inside(name), *flags, **changes)
    return done


def same_run(title, name, other="plain"):
    runs = [inside(r) for r in (name, other)]
    ok = all(os.path.exists(r + "/step-20.safetensors") for r in runs)
    check(ok and planted.metrics(runs[0]) == planted.metrics(runs[1])
          and filecmp.cmp(*[r + "/step-20.safetensors" for r in runs], shallow=False), title)


def compiler():
    os.mkdir(inside("empty"))
    refused("no compiler", "there is no C++ compiler 'c++' on PATH; install g++, or name another in CXX", PATH=inside("empty"))
    refused("CXX names nothing", "/nonexistent cannot be run: No such file or directory", CXX="/nonexistent")
    script(inside("old"), 'exec g++ -U__GNUC__ -D__GNUC__=4 "$@"\n')
    refused("the compiler is too old", "native programs need GCC 11 or Clang 12", CXX=inside("old"))
    # The question for the version is answered; then the compiler dies.
    later = 'for a; do [ "$a" != -E ] || exec g++ "$@"; done\n'
    script(inside("killed"), later + "kill -9 $$\n")
    refused("the compiler is killed", ["was ended by signal 9", "want of memory"], CXX=inside("killed"))
    script(inside("hungry"), later + 'ulimit -v 90000; exec g++ "$@"\n')
    refused("the compiler is out of memory", "the C++ compiler", CXX=inside("hungry"))
    script(inside("half"), later + 'g++ "$@"; for a; do [ "$last" != -o ] || echo half > "$a"; last=$a; done; exit 1\n')
    with open(out, "w") as file:
        file.write("what stood there")
    done = call(*compile, TMPDIR=temporary, CXX=inside("half"))
    check(done.returncode == 3 and open(out).read() == "what stood there", "a failing compiler leaves the old output alone")
    os.remove(out)
    script(inside("slow"), later + f'sleep 600 & echo $! > {inside("sleeper")}; wait\n')
    for number in (signal.SIGINT, signal.SIGTERM):
        child = subprocess.Popen(compile, env=planted.environment(TMPDIR=temporary, CXX=inside("slow")), stderr=subprocess.PIPE, text=True)
        for _ in range(600):
            if os.path.exists(inside("sleeper")) and open(inside("sleeper")).read():
                break
            time.sleep(0.1)
        sleeper = int(open(inside("sleeper")).read())
        child.send_signal(number)
        said = child.communicate(timeout=60)[1]
        time.sleep(0.2)
        alive = os.path.exists(f"/proc/{sleeper}") and "Z" not in open(f"/proc/{sleeper}/stat").read().split()[2]
        check(child.returncode == 130 and "interrupted while compiling" in said and not alive and not os.listdir(temporary)
              and not os.path.exists(out), f"{number.name} while compiling", f"exit {child.returncode}, sleeper lives {alive}\n{said}")
        os.remove(inside("sleeper"))
    os.mkdir(inside("my tools"))
    os.symlink("/usr/bin/g++", inside("my tools/g++"))
    for title, cxx in (("CXX is a path with a blank", inside("my tools/g++")), ("CXX has a launcher", "env LANG=C g++")):
        done = call(*compile, TMPDIR=temporary, CXX=cxx)
        check(done.returncode == 0 and os.path.exists(out), title, done.stderr)
        os.remove(out)


def home():
    started = inside("started")
    script(inside("never"), f"touch {started}\nexit 1\n")
    def damaged(title, words, name, **more):
        refused(title, words, HEDDLE_HOME=inside(name), CXX=inside("never"), **more)
    os.mkdir(inside("nothing"))
    damaged("HEDDLE_HOME is empty: each missing file is named",
            [f"no {folder}/nothing/lib/heddle/libheddle_runtime.a", "no " + inside("nothing/include/heddle/runtime/Abi.h"),
             "runtime/Kernel.h", "runtime/NativeMain.h", "HEDDLE_HOME names that folder"], "nothing")
    damaged("HEDDLE_HOME is not there", "no " + inside("nowhere/lib"), "nowhere")
    good = planted.installation(build, inside("good"))
    done = call(*compile, TMPDIR=temporary, HEDDLE_HOME=good)
    check(done.returncode == 0 and call(out, "--help").returncode == 0, "HEDDLE_HOME is an installation", done.stderr)
    os.remove(out)
    library, header = "/lib/heddle/libheddle_runtime.a", "/include/heddle/runtime/Abi.h"
    planted.replace(planted.installation(build, inside("abi")) + library, b", ABI ", b", ABI 9")
    damaged("a library of another ABI is refused by name", [inside("abi") + library + " is of Heddle", "; this command is Heddle"], "abi")
    planted.replace(planted.installation(build, inside("version")) + header, b'HEDDLE_VERSION "', b'HEDDLE_VERSION "9')
    damaged("headers of another version are refused by name", [header + " is of Heddle 9", "; this command is Heddle"], "version",
            absent=["libheddle_runtime.a is of"])
    with open(planted.installation(build, inside("junk")) + library, "wb") as file:
        file.write(b"!<arch>\n" + os.urandom(5000))
    damaged("a library of junk", "is not a library of Heddle's runtime", "junk")
    os.truncate(planted.installation(build, inside("cut")) + "/include/heddle/runtime/Kernel.h", 0)
    damaged("an empty header", "Kernel.h is empty", "cut")
    check(not os.path.exists(started), "no compiler was started for any of them")


def temporary_folders():
    refused("TMPDIR is not there", "cannot make a temporary folder in `/nonexistent`: No such file or directory; set TMPDIR",
            TMPDIR="/nonexistent")
    refused("TMPDIR is a file", "Not a directory", TMPDIR=model)
    for title, name in (("with blanks and quotes", "it's \"a\" $(touch x) folder"), ("starting with a dash", "-o"), ("a link", "link")):
        os.mkdir(inside(name)) if name != "link" else os.symlink(temporary, inside("link"))
        done = call(*compile, cwd=folder, TMPDIR=name if name == "-o" else inside(name))
        check(done.returncode == 0 and call(out, "--help").returncode == 0 and not os.listdir(inside(name)), "TMPDIR " + title, done.stderr)
        if done.returncode == 0:
            os.remove(out)
    done = call(*compile, TMPDIR=None)
    check(done.returncode == 0, "TMPDIR is not set", done.stderr)
    os.remove(out)
    mounted = lambda options: planted.namespaces() + [
        "sh", "-c", f'mount -t tmpfs -o {options} none "$1"; shift; exec "$@"', "sh", temporary]
    refused("TMPDIR is read-only", "Read-only file system; set TMPDIR", mounted("ro"))
    done = call(*mounted("noexec"), heddle, "train", model, "--aot", "--out", inside("aot"), TMPDIR=temporary)
    check(done.returncode == 3 and "mounted noexec" in done.stderr and "leave --aot out" in done.stderr
          and not os.path.exists(inside("aot")), "TMPDIR is mounted noexec, and --aot wants it", done.stderr)
    done = call(*mounted("noexec"), *compile, TMPDIR=temporary)
    check(done.returncode == 0, "a native program is built there all the same", done.stderr)
    os.remove(out)


def processor():
    dry = [heddle, "train", model, "--dry-run", "--json"]
    for limit in ("baseline", "avx2"):
        done = call(*dry, HEDDLE_CPU=limit)
        check(done.returncode != 0 or f'"target": "{limit}"' in done.stdout, f"a CPU that runs no more than {limit}", done.stdout + done.stderr)
    done = call(*dry, HEDDLE_CPU="avx2", HEDDLE_TARGET="avx512")
    check(done.returncode == 3 and "this CPU does not run the target class 'avx512'" in done.stderr, "HEDDLE_TARGET above it", done.stderr)
    done = call(heddle, "compile", model, "--target", "avx512", "-o", out, HEDDLE_CPU="baseline")
    check(done.returncode == 3 and "does not run the target class 'avx512'" in done.stderr, "--target above it", done.stderr)
    done = call(*dry, HEDDLE_CPU="none")
    check(done.returncode == 3 and "lacks x86-64-v2" in done.stderr, "a CPU below every class", done.stderr)
    done = call(*dry, HEDDLE_CPU="z80")
    check(done.returncode == 2 and "HEDDLE_CPU is 'z80'" in done.stderr, "HEDDLE_CPU is no class", done.stderr)
    check(call(*compile).returncode == 0, "a native program")
    run = [out, "train", "--data", inside("batches.safetensors")]
    for title, words, changes in (
            ("on a CPU below its class", "was compiled for baseline, which this CPU does not run", {"HEDDLE_CPU": "none"}),
            ("asked for a class that it lacks", "was not compiled for the target class 'avx2'", {"HEDDLE_TARGET": "avx2"})):
        done = train("unrunnable", command=run, **changes)
        check(done.returncode == 3 and words in done.stderr and not os.path.exists(inside("unrunnable")), title, done.stderr)
    done = train("native", command=run)
    check(done.returncode == 0, "and trains", done.stderr)
    check(train("baseline", HEDDLE_TARGET="baseline").returncode == 0, "the same by JIT")
    same_run("with the same bits", "native", "baseline")


def pages():
    def forbid():  # PR_SET_THP_DISABLE, which execve keeps
        if ctypes.CDLL(None).prctl(41, 1, 0, 0, 0):
            os._exit(97)
    wide = ["--set", "N=1200", "--set", "K=1100", "--data", inside("wide.safetensors"), "--steps", "2"]  # arenas of 10 MB and more
    numbers = __import__("array").array("f", [(i * 7 % 13) / 6 - 1 for i in range(4800)])
    planted.tensorfile.write(inside("wide.safetensors"), {"x": planted.tensorfile.Tensor((4, 1200), numbers)})
    done = [train("huge", *wide), train("small", *wide, preexec=forbid)]
    check(not any(d.returncode for d in done) and planted.metrics(inside("huge")) == planted.metrics(inside("small")),
          "no large pages: the same run", done[1].stderr)


def locales():
    os.mkdir(inside("locales"))
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", inside("locales/de_DE.UTF-8")], check=True)
    german = {"LOCPATH": inside("locales"), "LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"}
    check(call("locale", "decimal_point", **german).stdout == ",\n", "there is a locale with a decimal comma")
    emitted = [call(heddle, "compile", model, f"--emit={stage}", **changes).stdout
               for changes in ({}, german) for stage in ("ast", "graph", "grad", "plan", "cpp")]
    check(emitted[:5] == emitted[5:] and all(emitted) and "0.0416" in emitted[0], "every stage prints the same text")
    reports = [call(heddle, "train", model, "--dry-run", "--json", "--set", "steps=7", **c).stdout for c in ({}, german)]
    check(reports[0] == reports[1] and reports[0], "--dry-run --json prints the same")
    check(train("german", **german).returncode == 0, "it trains")
    same_run("the same run by JIT", "german")
    done = call(*compile, **german)
    check(done.returncode == 0 and train("german-native", command=[out, "train", "--data", inside("batches.safetensors")],
                                         **german).returncode == 0, "and as a native program", done.stderr)
    same_run("with the same bits", "german-native", "baseline")


def denormals():
    library = inside("flush.so")
    script(inside("empty.c"), "")
    with open(inside("empty.c"), "w") as file:
        file.write("__attribute__((constructor)) static void flush(void) { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-msse", inside("empty.c"), "-o", library], check=True)
    with open(model) as text, open(inside("tiny.heddle"), "w") as file:
        file.write(text.read().replace("0.0416", "0.0416 + 1e-40 * 1e-3 * 1e5"))
    texts = [call(heddle, "compile", inside("tiny.heddle"), f"--emit={stage}", **c).stdout
             for c in ({}, {"LD_PRELOAD": library}) for stage in ("graph", "plan", "kernel", "cpp")]
    check(texts[:4] == texts[4:] and all(texts), "flush-to-zero preset: the compiler prints the same")
    check(train("flush", LD_PRELOAD=library).returncode == 0, "it trains")
    same_run("the same run", "flush")


def limits():
    def little():
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    done = train("little", preexec=little)
    check(done.returncode == 0, "a stack of 1 MiB and 24 descriptors", f"exit {done.returncode}\n{done.stderr}")
    same_run("the same run", "little")
    def none():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    done = train("none", preexec=none)
    check(done.returncode in (3, 127) and done.stderr and "internal" not in done.stderr, "no descriptor left: an error",
          f"exit {done.returncode}\n{done.stderr}")


def caches():
    """Whatever the folder of the cache is, a model trains, to the same bits, and nothing is said of it."""
    def trains(title, name, command=(), **changes):
        done = train(name, command=[*command, heddle, "train", model], **changes)
        check(done.returncode == 0 and not re.search("cannot|error|warning", done.stderr), title, f"exit {done.returncode}\n{done.stderr}")
        same_run("the same run", name)
    place = inside("cache")
    os.mkdir(place, 0o700)
    mounted = lambda options: planted.namespaces() + [
        "sh", "-c", f'mount -t tmpfs -o {options} none "$1"; shift; exec "$@"', "sh", place]
    trains("a cache", "cached", HEDDLE_CACHE=place)
    trains("what it holds", "from-cache", HEDDLE_CACHE=place)
    trains("on a full disk", "cache-full", mounted("size=16k,mode=700"), HEDDLE_CACHE=place)
    trains("on a read-only disk", "cache-ro", mounted("ro,mode=700"), HEDDLE_CACHE=place)
    trains("on a disk mounted noexec", "cache-noexec", mounted("noexec,mode=700"), HEDDLE_CACHE=place)
    trains("HOME is not there", "no-home", HEDDLE_CACHE=None, XDG_CACHE_HOME=None, HOME="/proc/nobody")
    trains("HOME is not set", "home-unset", HEDDLE_CACHE=None, XDG_CACHE_HOME=None, HOME=None)
    def short():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
    done = train("short", "--steps", "1", preexec=short, HEDDLE_CACHE=inside("short-cache"))
    check(done.returncode in (0, 3) and "internal" not in done.stderr, "files of at most 2 KiB", f"exit {done.returncode}\n{done.stderr}")
    check(all(os.path.getsize(inside("short-cache/" + name)) <= 2048 for name in os.listdir(inside("short-cache"))), "and of the cache too")


wanted = sys.argv[2:] or ["compiler", "home", "temporary_folders", "processor", "pages", "locales", "denormals", "limits", "caches"]
done = train("plain")
check(done.returncode == 0, "a run to compare with", done.stderr)
if "locales" in wanted and "processor" not in wanted:
    train("baseline", HEDDLE_TARGET="baseline")
for name in wanted:
    print(f"== {name}", flush=True)
    globals()[name]()
scratch.cleanup()
check.finish()
