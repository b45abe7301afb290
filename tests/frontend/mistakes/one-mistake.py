"""Makes one mistake at a time in correct programs and checks what `heddle check` says of it.

usage: one-mistake.py HEDDLE [--count N] [--seed S] [--show K] [--out FOLDER] PROGRAM ...

Whatever the mistake, the answer is exit code 0 (it is still a program) or 1, at most three errors, each at a place that
the file has, in under a second of processor time. The mean number of errors is printed: one mistake is one error, where
the mistake shows in one place. `--show K` prints the K mistakes with the most errors; with `--out`, a program that fails is
kept there.

Mistakes are made at the level of tokens: a name misspelt where it is used or where it is declared, a token deleted,
doubled, inserted or exchanged with its neighbour, a line deleted, doubled or exchanged, a name, operator or number in
place of another.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

TOKEN = re.compile(r'#[^\n]*|"[^"\n]*"|[A-Za-z_]\w*|\d+\.?\d*(?:e[+-]?\d+)?|\.\.|->|==|!=|<=|>=|//|\n|[ \t]+|.', re.S)
OPERATORS = ["+", "-", "*", "/", "//", "%", "@", "^", "<", ">=", "==", "=", "->", ".", "~"]
STRAY = [",", ")", "(", "]", "[", "{", "}", "=", ":", ";", "x", "+", "as", "over", "1"]
WORDS = set("and as collect const dim false frozen inf module next not or over param repeat return state then train true "
            "use f32 i32 bool heddle".split())
MOST_ERRORS = 3
MOST_SECONDS = 1.0


def is_name(token):
    return re.match(r"[A-Za-z_]", token) and token not in WORDS


def misspelt(name, rng):
    """Two letters exchanged, one lost, doubled or replaced: another name, and no word of the language."""
    while True:
        i = rng.randrange(len(name))
        letter = rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
        new = rng.choice([name[:i] + name[i + 1:i + 2] + name[i] + name[i + 2:], name[:i] + name[i + 1:],
                          name[:i] + name[i] + name[i:], name[:i] + letter + name[i + 1:]])
        if new and new != name and new not in WORDS and re.fullmatch(r"[A-Za-z_]\w*", new):
            return new


def declarations(tokens):
    """Places of the names that a declaration introduces: after `dim`, `module`, `param`, before `:` and `=`."""
    places = set()
    solid = [i for i, token in enumerate(tokens) if not token.isspace() and not token.startswith("#")]
    for k, i in enumerate(solid):
        before = tokens[solid[k - 1]] if k else ""
        after = tokens[solid[k + 1]] if k + 1 < len(solid) else ""
        if is_name(tokens[i]) and (before in ("dim", "module", "param", "train", "const", "loss") or after in (":", "=")):
            places.add(i)
    return places


def mistake(text, rng):
    """A program with one mistake, and what the mistake is; None if this one changes nothing."""
    tokens = TOKEN.findall(text)
    solid = [i for i, token in enumerate(tokens) if not token.isspace() and not token.startswith("#")]
    declared = declarations(tokens)
    names = [i for i in solid if is_name(tokens[i])]
    kind = rng.choice(["misspelt use"] * 4 + ["misspelt declaration", "other name", "other name", "deleted token",
                      "deleted token", "doubled token", "exchanged tokens", "exchanged tokens", "inserted token",
                      "other operator", "other operator", "other number", "deleted line", "deleted line", "doubled line",
                      "exchanged lines"])
    new = list(tokens)
    if kind in ("misspelt use", "misspelt declaration"):
        places = [i for i in names if (i in declared) == (kind == "misspelt declaration")]
        i = rng.choice(places)
        new[i] = misspelt(tokens[i], rng)
        what = f"{tokens[i]} -> {new[i]}"
    elif kind == "other name":
        i, j = rng.choice(names), rng.choice(names)
        new[i] = tokens[j]
        what = f"{tokens[i]} -> {tokens[j]}"
    elif kind == "deleted token":
        i = rng.choice(solid)
        new[i] = ""
        what = tokens[i]
    elif kind == "doubled token":
        i = rng.choice(solid)
        new[i] = tokens[i] + " " + tokens[i]
        what = tokens[i]
    elif kind == "exchanged tokens":
        k = rng.randrange(len(solid) - 1)
        i, j = solid[k], solid[k + 1]
        new[i], new[j] = tokens[j], tokens[i]
        what = f"{tokens[i]} and {tokens[j]}"
    elif kind == "inserted token":
        i = rng.choice(solid)
        stray = rng.choice(STRAY)
        new[i] = stray + " " + tokens[i]
        what = f"{stray} before {tokens[i]}"
    elif kind == "other operator":
        i = rng.choice([i for i in solid if tokens[i] in OPERATORS])
        new[i] = rng.choice(OPERATORS)
        what = f"{tokens[i]} -> {new[i]}"
    elif kind == "other number":
        i = rng.choice([i for i in solid if tokens[i][0].isdigit()] or names)
        new[i] = rng.choice(["0", "-1", "3", "7", "1e999", "18446744073709551616", "0.5", "inf", "2000000000", "true"])
        what = f"{tokens[i]} -> {new[i]}"
    else:
        lines = text.split("\n")
        full = [i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
        k = rng.randrange(len(full) - 1)
        i, j = full[k], full[k + 1]
        what = lines[i].strip()
        if kind == "deleted line":
            del lines[i]
        elif kind == "doubled line":
            lines.insert(i, lines[i])
        else:
            lines[i], lines[j] = lines[j], lines[i]
        return "\n".join(lines), f"{kind}: {what}"
    changed = "".join(new)
    return None if changed == text else (changed, f"{kind}: {what}")


def judge(heddle, text, path):
    """What is wrong with the answer to a program (a sentence, or ""), and the errors."""
    path.write_text(text)
    process = subprocess.Popen([heddle, "check", "--json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out = process.stdout.read()
    error = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        return f"exit code {process.returncode}: {error.decode(errors='replace')[:300]}", []
    if error:
        return f"output on stderr: {error.decode(errors='replace')[:300]}", []
    errors = [d for d in json.loads(out)["diagnostics"] if d["severity"] == "error"]
    if (process.returncode == 1) != bool(errors):
        return f"exit code {process.returncode} with {len(errors)} errors", errors
    size = len(text.encode())
    for found in errors:
        here = [span for span in found["spans"] if span["file"] == str(path)]
        if not found["spans"] or not here:
            return f"{found['code']} has no place in the file", errors
        for span in here:
            if not 0 <= span["byte"] <= span["end_byte"] <= size:
                return f"{found['code']} stands outside of the file: {span}", errors
    if len(errors) > MOST_ERRORS:
        return f"{len(errors)} errors", errors
    if used.ru_utime + used.ru_stime > MOST_SECONDS:
        return f"{used.ru_utime + used.ru_stime:.1f} seconds", errors
    return "", errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("heddle")
    parser.add_argument("programs", nargs="+", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.time()

    texts = []
    for program in options.programs:
        text = program.read_text()
        problem, errors = judge(options.heddle, text, options.out / program.name)
        if problem or errors:
            sys.exit(f"{program}: not a correct program: {problem} {errors}")
        texts.append((program.stem, text))

    def one(number):
        rng = random.Random(f"{options.seed}/{number}")
        name, text = texts[number % len(texts)]
        made = None
        while made is None:
            made = mistake(text, rng)
        path = options.out / f"{name}-{options.seed}-{number}.heddle"
        problem, errors = judge(options.heddle, made[0], path)
        if not problem:
            path.unlink()
        return problem, errors, made[1], path

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(one, range(options.count)))
    failures = [result for result in results if result[0]]
    for problem, errors, what, path in failures:
        print(f"{path}: {what}: {problem}")
    for problem, errors, what, path in sorted(results, key=lambda r: -len(r[1]))[:options.show]:
        print(f"--- {len(errors)} errors: {path.stem}: {what}")
        for error in errors:
            span = error["spans"][0] if error["spans"] else {"line": 0, "column": 0}
            print(f"    {error['code']} {span['line']}:{span['column']} {error['message']}")
    wrong = [len(errors) for _, errors, _, _ in results if errors]
    most = max(wrong, default=0)
    print(f"{options.count} mistakes, {len(wrong)} found, {sum(wrong) / max(1, len(wrong)):.3f} errors for each on average, "
          f"{sum(n == 1 for n in wrong)} with one, at most {most}; {len(failures)} failures; {time.time() - began:.0f} s")
    sys.exit(len(failures) > 0)


if __name__ == "__main__":
    main()
