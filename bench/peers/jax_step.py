"""Times one training step of a GPT workload in JAX (jit, donated buffers); prints one JSON object.

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

from workloads import WORKLOADS

parser = argparse.ArgumentParser()
parser.add_argument("workload", choices=[name for name, w in WORKLOADS.items() if w["kind"] == "gpt"])
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
a = parser.parse_args()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: a.threads])
start = time.perf_counter()
import jax
import jax.numpy as jnp


def init(w, key):
    D, L, V, T = w["D"], w["L"], w["V"], w["T"]
    keys = iter(jax.random.split(key, 8))
    n = lambda *s: 0.02 * jax.random.normal(next(keys), s)
    norm = lambda: (jnp.ones((L, D)), jnp.zeros((L, D)))
    linear = lambda i, o: (n(L, i, o), jnp.zeros((L, o)))
    return dict(wte=n(V, D), wpe=n(T, D), lnf=(jnp.ones(D), jnp.zeros(D)),
                blocks=dict(ln1=norm(), qkv=linear(D, 3 * D), proj=linear(D, D), ln2=norm(),
                            fc=linear(D, 4 * D), fc2=linear(4 * D, D)))


def layer_norm(p, x):
    x = x.astype(jnp.float32)
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * p[0] + p[1]


def loss_fn(params, x, y, w, dt):
    D, H, T = w["D"], w["H"], x.shape[1]
    i, j = jnp.arange(T)[:, None], jnp.arange(T)[None]
    linear = lambda p, t: (t.astype(dt) @ p[0].astype(dt)) + p[1].astype(dt)

    def block(h, b):
        q, k, v = jnp.split(linear(b["qkv"], layer_norm(b["ln1"], h)), 3, -1)
        heads = lambda t: t.reshape(*t.shape[:2], H, D // H)
        s = jnp.einsum("bthd,bshd->bhts", heads(q), heads(k)).astype(jnp.float32) / math.sqrt(D // H)
        p = jax.nn.softmax(jnp.where(j <= i, s, -1e30), -1).astype(dt)
        o = jnp.einsum("bhts,bshd->bthd", p, heads(v)).reshape(h.shape)
        h = h + linear(b["proj"], o)
        return h + linear(b["fc2"], jax.nn.gelu(linear(b["fc"], layer_norm(b["ln2"], h)))), None

    h, _ = jax.lax.scan(block, params["wte"][x] + params["wpe"][:T], params["blocks"])
    logits = (layer_norm(params["lnf"], h).astype(dt) @ params["wte"].T.astype(dt)).astype(jnp.float32)
    return (jax.nn.logsumexp(logits, -1) - jnp.take_along_axis(logits, y[..., None], -1)[..., 0]).mean()


w = WORKLOADS[a.workload]
dt = jnp.bfloat16 if a.bf16 else jnp.float32
key = jax.random.PRNGKey(0)
params = init(w, key)
m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
x = jax.random.randint(key, (w["B"], w["T"]), 0, w["V"])
y = jax.random.randint(jax.random.PRNGKey(1), x.shape, 0, w["V"])


def step(params, m, v, t, x, y):
    loss, g = jax.value_and_grad(loss_fn)(params, x, y, w, dt)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    update = lambda p, m, v: p - 1e-4 * ((m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8) + 0.1 * p)
    return jax.tree.map(update, params, m, v), m, v, loss


step = jax.jit(step, donate_argnums=(0, 1, 2))
times, losses = [], []
for i in range(a.steps + 2):
    begin = time.perf_counter()
    params, m, v, loss = step(params, m, v, jnp.float32(i + 1), x, y)
    losses.append(float(loss))
    jax.block_until_ready(params)
    times.append(time.perf_counter() - begin)
    if i == 0:
        first = time.perf_counter() - start
print(json.dumps({
    "peer": "jax-jit" + ("-bf16" if a.bf16 else "-f32"), "workload": a.workload, "threads": a.threads,
    "median_ms": round(1e3 * statistics.median(times[2:]), 2), "min_ms": round(1e3 * min(times[2:]), 2),
    "first_step_s": round(first, 2), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    "first_loss": round(losses[0], 4), "last_loss": round(losses[-1], 4)}))
