"""Trains the model of examples/gpt-char or examples/gpt-bpe in PyTorch: Heddle's batches, schedule and optimizer, and, with
--init, its initial parameters. The data are made before, by the example's get-data; ids are those of `heddle tok encode`.

Usage: twin.py [--example gpt-char] [--heddle build/bin/heddle] [--init P.safetensors] [--lr 4e-3] [--steps 2000]
               [--seed 1337] [--out P.safetensors] [--sample N]
       twin.py [--example gpt-char] --eval CKPT.safetensors      losses of a checkpoint, Heddle's or its own
       twin.py [--example gpt-char] --against HEDDLE             trains both from the same parameters; exit 1 if their
                                                                 perplexities end over 1 % apart
With --keep DIR, the run of Heddle stays in DIR/heddle, and DIR/torch/metrics.jsonl has PyTorch's losses in the same form.
Prints JSON lines. `eval` is the loss on the windows of Heddle's `eval(lm, batches = 20)`; `valid` that on every window
of the held-back tenth, without overlap, and `perplexity` its exponential.
"""
import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

import gpt_torch as gpt
import heddle_batches
import torch

here = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = {"gpt-char": gpt.Config(), "gpt-bpe": gpt.Config(L=3, B=16)}
parser = argparse.ArgumentParser()
parser.add_argument("--example", choices=list(EXAMPLES), default="gpt-char")
parser.add_argument("--heddle", default=os.path.join(here, "../../build/bin/heddle"))
parser.add_argument("--data", help="default: the example's corpus.txt")
for name, value in (("lr", 4e-3), ("beta2", 0.99), ("decay", 0.1), ("temperature", 0.5)):
    parser.add_argument("--" + name, type=float, default=value)
for name, value in (("warmup", 100), ("steps", 2000), ("seed", 1337), ("threads", 1), ("every", 250), ("sample", 0)):
    parser.add_argument("--" + name, type=int, default=value)
for name in ("init", "out", "eval", "against", "keep"):
    parser.add_argument("--" + name)
a = parser.parse_args()
a.heddle = a.against or a.heddle
example = os.path.normpath(os.path.join(here, "../../examples", a.example))
a.data = a.data or os.path.join(example, "corpus.txt")
tokenizer = os.path.join(example, "tokenizer.json")
torch.set_num_threads(a.threads)

def heddle(*arguments, **more):
    return subprocess.run([a.heddle, *arguments], check=True, stdout=subprocess.PIPE, text=True, **more).stdout


if a.example == "gpt-char":
    with open(a.data, encoding="utf-8") as f:
        text = f.read()
    letters = sorted(set(text))
    code = {letter: i for i, letter in enumerate(letters)}
    ids, first = [code[letter] for letter in text], code["\n"]
    decode = lambda ids: "".join(letters[i] for i in ids)
    vocabulary = len(letters)
else:
    ids = [int(i) for i in heddle("tok", "encode", tokenizer, a.data, "--whole").split()]
    first = int(heddle("tok", "encode", tokenizer, "--whole", input="\n"))
    decode = lambda ids: heddle("tok", "decode", tokenizer, input=" ".join(map(str, ids)))
    with open(tokenizer, encoding="utf-8") as f:
        vocabulary = len(json.load(f)["model"]["vocab"])
tokens = torch.tensor(ids)
trained = int(len(tokens) * 0.9)
c = EXAMPLES[a.example]
c.V = vocabulary


def windows(starts):
    return tokens[torch.tensor(starts)[:, None] + torch.arange(c.T + 1)]


@torch.no_grad()
def losses(p):
    def mean(starts):
        parts = windows(starts).split(60)
        return sum(gpt.loss(p, w[:, :-1], w[:, 1:], c).item() * len(w) for w in parts) / len(starts)

    valid = mean(list(range(trained, len(tokens) - c.T, c.T)))
    return {"eval": round(mean(heddle_batches.evaluation(20, c.B, c.T, trained, len(tokens))), 4), "valid": round(valid, 4),
            "perplexity": round(math.exp(valid), 3)}


@torch.no_grad()
def sample(p):
    g = torch.Generator().manual_seed(a.seed)
    ids = [first]
    for _ in range(a.sample):
        y = gpt.logits(p, torch.tensor([ids[-c.T :]]), c)[0, -1] / a.temperature
        ids.append(torch.multinomial(torch.softmax(y, -1), 1, generator=g).item())
    return decode(ids[1:])


def train(p):
    p = {name: p[name].clone().requires_grad_() for name in gpt.shapes(c)}
    optimizer = gpt.adamw(p, a.beta2, a.decay)
    begin = time.perf_counter()
    metrics = os.path.join(a.keep, "torch/metrics.jsonl") if a.keep else os.devnull
    if a.keep:
        os.makedirs(os.path.dirname(metrics))
    metrics = open(metrics, "w", encoding="utf-8")
    for step in range(1, a.steps + 1):
        w = windows(heddle_batches.training(a.seed, step, c.B, c.T, trained))
        value = gpt.loss(p, w[:, :-1], w[:, 1:], c)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        gpt.set_rate(optimizer, gpt.rate(step, a.steps, a.warmup, a.lr, a.lr / 10))
        optimizer.step()
        line = {"step": step, "loss": {"lm": value.item()}}
        if step % a.every == 0 or step == a.steps:
            found = losses(p)
            line["eval"] = {"lm": found["eval"]}
            print(json.dumps({"step": step, "train": round(value.item(), 4)} | found
                             | {"seconds": round(time.perf_counter() - begin, 1)}), flush=True)
        print(json.dumps(line), file=metrics)
    metrics.close()
    return p


def against():
    """Heddle draws the initial parameters (a step at learning rate 0 saves them), then both train from them."""
    with open(os.path.join(example, a.example + ".heddle"), encoding="utf-8") as f:
        program = f.read()
    still = program.replace("warmup(100) then cosine(4e-3, 4e-4)", "0.0")
    assert still != program
    with tempfile.TemporaryDirectory() as folder:
        if os.path.exists(tokenizer):
            shutil.copy(tokenizer, folder)
        with open(os.path.join(folder, "still.heddle"), "w", encoding="utf-8") as f:
            f.write(still)
        data = ["--data", a.data]
        heddle("train", f.name, "--steps", "1", "--out", os.path.join(folder, "still"), *data)
        initial = gpt.load(os.path.join(folder, "still/step-1.safetensors"))
        out = os.path.join(a.keep or folder, "heddle")
        heddle("train", os.path.join(example, a.example + ".heddle"), "--steps", str(a.steps), "--out", out, *data)
        ours = losses(gpt.load(os.path.join(out, f"step-{a.steps}.safetensors")))
    print(json.dumps({"heddle": ours}), flush=True)
    theirs = losses(train(initial))
    apart = abs(ours["valid"] - theirs["valid"])
    print(json.dumps({"heddle": ours, "torch": theirs, "apart": round(apart, 4)}))
    return apart > math.log(1.01)


if a.against:
    sys.exit(against())
if a.eval:
    p = gpt.load(a.eval)
    print(json.dumps({"checkpoint": os.path.basename(a.eval)} | losses(p)))
else:
    p = train(gpt.load(a.init) if a.init else gpt.initial(c, a.seed))
    if a.out:
        gpt.save(a.out, p)
if a.sample:
    print(sample(p))
