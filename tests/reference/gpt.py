"""Makes the results that check_gpt.py compares Heddle with. Requires torch 2.13; run it by hand, commit what it writes.

Writes into gpt/:
  params.safetensors    f32, the initial parameters: drawn from seed 20
  batches.safetensors   i32, `ids` and `next` [200*B, T]: walks of a random Markov chain of seed 21, so there is
                        something to learn
  expected.safetensors  f64: `loss.f32` and `loss.f64`, the curves of 200 steps in either precision; `out`, the logits
                        of the first batch; `grad.NAME`, the gradients of its loss, all at the initial parameters
The model and its optimizer are those of gpt.heddle. torch runs on one thread, so that the f32 curve repeats.
"""
import os

import gpt_torch as gpt
import torch

torch.set_num_threads(1)
here = os.path.dirname(os.path.abspath(__file__))
c = gpt.Config(L=2, H=4, D=32, T=16, B=4, V=31)
STEPS, WARMUP, PEAK, LAST = 200, 20, 3e-3, 3e-4


def chain(rows, length):
    g = torch.Generator().manual_seed(21)
    table = torch.softmax(2 * torch.randn(c.V, c.V, generator=g), -1)
    at = torch.randint(c.V, (rows,), generator=g)
    walk = [at]
    for _ in range(length - 1):
        at = torch.multinomial(table[at], 1, generator=g)[:, 0]
        walk.append(at)
    return torch.stack(walk, 1)


def curve(initial, batches, kind):
    p = {name: t.to(kind).clone().requires_grad_() for name, t in initial.items()}
    optimizer = gpt.adamw(p, 0.95, 0.1)
    losses = []
    for step, (ids, following) in enumerate(batches, 1):
        value = gpt.loss(p, ids, following, c)
        losses.append(value.item())
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        gpt.set_rate(optimizer, gpt.rate(step, STEPS, WARMUP, PEAK, LAST))
        optimizer.step()
    return torch.tensor(losses, dtype=torch.float64)


walk = chain(STEPS * c.B, c.T + 1)
ids, following = walk[:, :-1].contiguous(), walk[:, 1:].contiguous()
batches = list(zip(ids.split(c.B), following.split(c.B)))
initial = gpt.initial(c, 20)

double = {name: t.double().requires_grad_() for name, t in initial.items()}
out = gpt.logits(double, ids[: c.B], c)
gpt.loss(double, ids[: c.B], following[: c.B], c).backward()
expected = {"loss.f32": curve(initial, batches, torch.float32), "loss.f64": curve(initial, batches, torch.float64)}
expected |= {"out": out} | {"grad." + name: t.grad for name, t in double.items()}

folder = os.path.join(here, "gpt")
os.makedirs(folder, exist_ok=True)
gpt.save(os.path.join(folder, "params.safetensors"), initial)
gpt.save(os.path.join(folder, "batches.safetensors"), {"ids": ids.int(), "next": following.int()})
gpt.save(os.path.join(folder, "expected.safetensors"), expected, {"torch": torch.__version__})
gap = (expected["loss.f32"] - expected["loss.f64"]).abs().max().item()
print(f"loss {expected['loss.f64'][0]:.4f} -> {expected['loss.f64'][-1]:.4f}, f32 and f64 part by {gap:.1e} at most")
