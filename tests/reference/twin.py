"""Trains the model of examples/gpt-char in PyTorch: same text, tokenizer, split, schedule and optimizer.

Usage: twin.py [--lr 4e-3] [--steps 2000] [--seed 1] [--out P.safetensors] [--init P.safetensors] [--sample 300]
       twin.py --eval CKPT.safetensors        loss of a checkpoint, Heddle's or its own, on the whole validation text
Prints JSON lines. The validation loss is the mean over every window of T letters of the held-back tenth, without
overlap, so two checkpoints compare without the noise of drawn batches.
"""
import argparse
import json
import os
import time

import gpt_torch as gpt
import torch

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("--data", default=os.path.join(here, "../../examples/gpt-char/corpus.txt"))
parser.add_argument("--lr", type=float, default=4e-3)
parser.add_argument("--beta2", type=float, default=0.99)
parser.add_argument("--decay", type=float, default=0.1)
parser.add_argument("--warmup", type=int, default=100)
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--every", type=int, default=250)
parser.add_argument("--init")
parser.add_argument("--out")
parser.add_argument("--eval")
parser.add_argument("--sample", type=int, default=0)
parser.add_argument("--temperature", type=float, default=0.8)
parser.add_argument("--scale", type=float, default=1.0, help="of the initial matrices")
a = parser.parse_args()
torch.set_num_threads(a.threads)

with open(a.data, encoding="utf-8") as f:
    text = f.read()
letters = sorted(set(text))
code = {letter: i for i, letter in enumerate(letters)}
tokens = torch.tensor([code[letter] for letter in text])
cut = int(0.9 * len(tokens))
train, valid = tokens[:cut], tokens[cut:]
c = gpt.Config(V=len(letters))


@torch.no_grad()
def validation(p):
    n = (len(valid) - 1) // c.T
    ids, following = valid[: n * c.T].view(n, c.T), valid[1 : n * c.T + 1].view(n, c.T)
    total = sum(gpt.loss(p, x, y, c).item() * len(x) for x, y in zip(ids.split(64), following.split(64)))
    return total / n


@torch.no_grad()
def sample(p, count):
    g = torch.Generator().manual_seed(a.seed)
    ids = [code["\n"]]
    for _ in range(count):
        y = gpt.logits(p, torch.tensor([ids[-c.T :]]), c)[0, -1] / a.temperature
        ids.append(torch.multinomial(torch.softmax(y, -1), 1, generator=g).item())
    return "".join(letters[i] for i in ids[1:])


if a.eval and a.sample:
    print(sample(gpt.load(a.eval), a.sample))
    raise SystemExit
if a.eval:
    print(json.dumps({"checkpoint": os.path.basename(a.eval), "valid": round(validation(gpt.load(a.eval)), 4)}))
    raise SystemExit

p = gpt.load(a.init) if a.init else gpt.initial(c, a.seed)
p = {name: (p[name] * (a.scale if p[name].dim() > 1 and name[:2] == "h." else 1)).requires_grad_() for name in gpt.shapes(c)}
optimizer = torch.optim.AdamW(p.values(), lr=0.0, betas=(0.9, a.beta2), eps=1e-8, weight_decay=a.decay)
g = torch.Generator().manual_seed(a.seed)
begin = time.perf_counter()
for step in range(1, a.steps + 1):
    at = torch.randint(len(train) - c.T, (c.B,), generator=g)
    window = train[at[:, None] + torch.arange(c.T + 1)]
    value = gpt.loss(p, window[:, :-1], window[:, 1:], c)
    optimizer.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
    optimizer.param_groups[0]["lr"] = gpt.rate(step, a.steps, a.warmup, a.lr, a.lr / 10)
    optimizer.step()
    if step % a.every == 0 or step == a.steps:
        print(json.dumps({"step": step, "train": round(value.item(), 4), "valid": round(validation(p), 4),
                          "seconds": round(time.perf_counter() - begin, 1)}), flush=True)
if a.out:
    gpt.save(a.out, p)
if a.sample:
    print(sample(p, a.sample))
