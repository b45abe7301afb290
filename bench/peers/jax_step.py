"""Times one training step of a workload in JAX (jit, donated buffers); prints one JSON object.

Usage: jax_step.py WORKLOAD [--bf16] [--steps N] [--threads N]
Requires jax and jaxlib. XLA takes its threads from the process's CPUs, so --threads narrows those.
"""
import argparse
import json
import math
import os
import resource
import statistics
import time

from workloads import WORKLOADS, seconds_since_start

parser = argparse.ArgumentParser()
parser.add_argument("workload", choices=WORKLOADS)
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
a = parser.parse_args()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: a.threads])
import jax
import jax.numpy as jnp


def init(w, key):
    D, L, V, T = w["D"], w["L"], w["V"], w["T"]
    keys = iter(jax.random.split(key, 10))
    n = lambda *s: 0.02 * jax.random.normal(next(keys), s)
    norm = lambda *s: (jnp.ones((*s, D)), jnp.zeros((*s, D)))
    linear = lambda *s: (n(*s), jnp.zeros((*s[:-2], s[-1])))
    params = dict(tok=n(V, D), pos=n(T, D), ln=norm(),
                  blocks=dict(ln1=norm(L), qkv=linear(L, D, 3 * D), proj=linear(L, D, D), ln2=norm(L),
                              fc=linear(L, D, 4 * D), fc2=linear(L, 4 * D, D)))
    if w["kind"] == "bert":
        params |= dict(seg=n(2, D), bias=jnp.zeros(V), t1=linear(D, D), t2=norm(), pool=linear(D, D), nsp=linear(D, 2))
    return params


def make_batch(w):
    B, T, V = w["B"], w["T"], w["V"]
    keys = iter(jax.random.split(jax.random.PRNGKey(1), 5))
    ids = lambda high, *shape: jax.random.randint(next(keys), shape, 0, high)
    if w["kind"] == "gpt":
        return ids(V, B, T), ids(V, B, T)
    return ids(V, B, T), ids(2, B, T), ids(V, B, T), jax.random.uniform(next(keys), (B, T)) < 0.15, ids(2, B)


def layer_norm(p, x, eps):
    x = x.astype(jnp.float32)
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + eps) * p[0] + p[1]


def linear(p, x, dt):
    return (x.astype(dt) @ p[0].astype(dt)) + p[1].astype(dt)


def attention(b, h, H, causal, dt):
    i, j, K = jnp.arange(h.shape[1])[:, None], jnp.arange(h.shape[1])[None], h.shape[2] // H
    heads = lambda t: t.reshape(*t.shape[:2], H, K)
    q, k, v = map(heads, jnp.split(linear(b["qkv"], h, dt), 3, -1))
    s = jnp.einsum("bthd,bshd->bhts", q, k).astype(jnp.float32) / math.sqrt(K)
    p = jax.nn.softmax(jnp.where(j <= i, s, -1e30) if causal else s, -1).astype(dt)
    return linear(b["proj"], jnp.einsum("bhts,bshd->bthd", p, v).reshape(h.shape), dt)


def losses(logits, y):
    logits = logits.astype(jnp.float32)
    return jax.nn.logsumexp(logits, -1) - jnp.take_along_axis(logits, y[..., None], -1)[..., 0]


def gpt_loss(params, batch, w, dt):
    x, y = batch

    def block(h, b):
        h = h + attention(b, layer_norm(b["ln1"], h, 1e-5), w["H"], True, dt)
        return h + linear(b["fc2"], jax.nn.gelu(linear(b["fc"], layer_norm(b["ln2"], h, 1e-5), dt)), dt), None

    h, _ = jax.lax.scan(block, params["tok"][x] + params["pos"], params["blocks"])
    return losses(layer_norm(params["ln"], h, 1e-5).astype(dt) @ params["tok"].T.astype(dt), y).mean()


def bert_loss(params, batch, w, dt):
    x, seg, y, chosen, follows = batch
    norm = lambda p, x: layer_norm(p, x, 1e-12)
    gelu = lambda x: jax.nn.gelu(x, approximate=False)

    def block(h, b):
        h = norm(b["ln1"], h + attention(b, h, w["H"], False, dt))
        return norm(b["ln2"], h + linear(b["fc2"], gelu(linear(b["fc"], h, dt)), dt)), None

    h, _ = jax.lax.scan(block, norm(params["ln"], params["tok"][x] + params["pos"] + params["seg"][seg]), params["blocks"])
    mlm = losses(linear((params["tok"].T, params["bias"]), norm(params["t2"], gelu(linear(params["t1"], h, dt))), dt), y)
    nsp = losses(linear(params["nsp"], jnp.tanh(linear(params["pool"], h[:, 0], dt)), dt), follows)
    return (mlm * chosen).sum() / chosen.sum() + nsp.mean()


w = WORKLOADS[a.workload]
dt = jnp.bfloat16 if a.bf16 else jnp.float32
loss_fn = gpt_loss if w["kind"] == "gpt" else bert_loss
params, batch = init(w, jax.random.PRNGKey(0)), make_batch(w)
m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))


def step(params, m, v, t, batch):
    loss, g = jax.value_and_grad(loss_fn)(params, batch, w, dt)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    update = lambda p, m, v: p - 1e-4 * ((m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8) + 0.1 * p)
    return jax.tree.map(update, params, m, v), m, v, loss


step = jax.jit(step, donate_argnums=(0, 1, 2))
times, seen = [], []
for i in range(a.steps + 2):
    begin = time.perf_counter()
    params, m, v, loss = step(params, m, v, jnp.float32(i + 1), batch)
    seen.append(float(loss))
    jax.block_until_ready(params)
    times.append(time.perf_counter() - begin)
    if i == 0:
        first = seconds_since_start()
print(json.dumps({
    "peer": "jax-jit" + ("-bf16" if a.bf16 else "-f32"), "workload": a.workload, "threads": a.threads,
    "parameters": sum(p.size for p in jax.tree.leaves(params)),
    "median_ms": round(1e3 * statistics.median(times[2:]), 2), "min_ms": round(1e3 * min(times[2:]), 2),
    "first_step_s": round(first, 2), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    "first_loss": round(seen[0], 4), "last_loss": round(seen[-1], 4)}))
