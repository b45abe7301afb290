"""The references that transformers lacks: torch.nn.Transformer, and Transformer-XL from the equations of its paper.

A function gives a model_case.Case for "a" or "b", as in models_hf.py.
"""
import math

import torch
from model_case import Case, draw, from_heads, layer_norm, linear, padded, part, same, to_heads, transposed
from torch import nn


def sinusoid(count, width):
    """[count, width]: sines at even places, cosines at odd ones (Vaswani et al. 2017, section 3.5)."""
    i = torch.arange(width)
    angle = torch.arange(count)[:, None] / 10000.0 ** (2 * (i // 2) / width)
    return torch.where(i % 2 == 0, angle.sin(), angle.cos())


class Translator(nn.Module):
    """torch.nn.Transformer between one table and itself."""

    def __init__(self, L, D, H, F, V):
        super().__init__()
        self.word = nn.Embedding(V, D)
        self.body = nn.Transformer(D, H, L, L, F, dropout=0.0, batch_first=True)

    def forward(self, src, src_valid, tgt, tgt_valid):
        def embed(ids):
            width = self.word.embedding_dim
            return self.word(ids) * math.sqrt(width) + sinusoid(ids.shape[1], width)

        T = tgt.shape[1]
        later = torch.ones(T, T, dtype=torch.bool).triu(1)
        y = self.body(embed(src), embed(tgt), tgt_mask=later, src_key_padding_mask=~src_valid,
                      tgt_key_padding_mask=~tgt_valid, memory_key_padding_mask=~src_valid)
        return y @ self.word.weight.t()


def attention_names(to, of, H):
    names = {to + ".wo": (of + ".out_proj.weight", from_heads(H)), to + ".bo": (of + ".out_proj.bias", same)}
    for j, letter in enumerate("qkv"):
        names[f"{to}.w{letter}"] = (of + ".in_proj_weight", part(j, 3, to_heads(H)))
        names[f"{to}.b{letter}"] = (of + ".in_proj_bias", part(j, 3, to_heads(H)))
    return names


def transformer(which):
    a = which == "a"
    L, D, H, F, V = (2, 16, 4, 32, 51) if a else (3, 14, 2, 24, 37)
    g = torch.Generator().manual_seed(38)
    lengths, N, targets, T = ([14, 14], 14, [9, 9], 9) if a else ([11, 18, 5], 18, [23, 12, 7], 23)
    src_valid, tgt_valid = padded(lengths, N), padded(targets, T)
    src, tgt, target = (torch.randint(0, V, (len(lengths), n), generator=g) for n in (N, T, T))
    model = draw(Translator(L, D, H, F, V).double(), 8)
    names = {"transformer.word": ("word.weight", same)}
    for to, of, blocks in (("enc", "encoder", [("attn", "self_attn")]),
                           ("dec", "decoder", [("attn", "self_attn"), ("cross", "multihead_attn")])):
        names |= layer_norm(f"transformer.{to}_ln", f"body.{of}.norm")
        for i in range(L):
            layer, source = f"transformer.{to}.{i}", f"body.{of}.layers.{i}"
            for name, kind in blocks:
                names |= attention_names(f"{layer}.{name}", f"{source}.{kind}", H)
            names |= linear(layer + ".ff.up", source + ".linear1") | linear(layer + ".ff.down", source + ".linear2")
            for j in range(len(blocks) + 1):
                names |= layer_norm(f"{layer}.ln{j + 1}", f"{source}.norm{j + 1}")

    def loss():
        y = model(src, src_valid, tgt, tgt_valid)
        labels = torch.where(tgt_valid, target, -100)
        return nn.functional.cross_entropy(y.reshape(-1, V), labels.reshape(-1), label_smoothing=0.1)

    return Case(dict(L=L, D=D, H=H, F=F, V=V), model,
                dict(src=src, src_valid=src_valid, tgt=tgt, tgt_valid=tgt_valid, target=target), loss, names)


class RelativeLayer(nn.Module):
    """Dai et al. 2019, section 3.3, for one layer: every entry of the score by its own sum, none by a shift."""

    def __init__(self, D, H, F):
        super().__init__()
        self.heads = H
        for name in "qkvr":
            setattr(self, name, nn.Linear(D, D, bias=False))
        self.out = nn.Linear(D, D, bias=False)
        self.up, self.down = nn.Linear(D, F), nn.Linear(F, D)
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)

    def split(self, t):
        return t.reshape(*t.shape[:-1], self.heads, -1)

    def forward(self, h, memory, u, v):
        B, T, D = h.shape
        M, K = memory.shape[1], D // self.heads
        seen = torch.cat([memory, h], 1)                                    # [B, M+T, D]: SG(m) over h
        q, k, value = self.split(self.q(h)), self.split(self.k(seen)), self.split(self.v(seen))
        distance = torch.arange(T)[:, None] + M - torch.arange(M + T)       # i - j, [T, M+T]
        r = self.split(self.r(sinusoid(M + T, D)[distance.clamp(min=0)]))   # W_kR R_(i-j): [T, M+T, H, K]
        score = (torch.einsum("bihk,bjhk->bhij", q, k) + torch.einsum("bihk,ijhk->bhij", q, r)
                 + torch.einsum("hk,bjhk->bhj", u, k)[:, :, None] + torch.einsum("hk,ijhk->hij", v, r))
        weight = (score / math.sqrt(K)).masked_fill(distance < 0, -math.inf).softmax(-1)
        a = torch.einsum("bhij,bjhk->bihk", weight, value).reshape(B, T, D)
        h = self.norm1(self.out(a) + h)
        return self.norm2(self.down(self.up(h).relu()) + h)


class TransformerXL(nn.Module):
    def __init__(self, L, D, H, F, V):
        super().__init__()
        self.word = nn.Embedding(V, D)
        self.bias = nn.Parameter(torch.zeros(V))
        self.u, self.v = nn.Parameter(torch.zeros(H, D // H)), nn.Parameter(torch.zeros(H, D // H))
        self.layers = nn.ModuleList(RelativeLayer(D, H, F) for _ in range(L))

    def forward(self, ids, memories):
        """Logits [B, T, V], and the last M inputs of each layer, memory included, without their gradient."""
        h, kept = self.word(ids), []
        for layer, memory in zip(self.layers, memories, strict=True):
            kept.append(torch.cat([memory, h], 1)[:, -memory.shape[1]:].detach())
            h = layer(h, memory, self.u, self.v)
        return h @ self.word.weight.t() + self.bias, kept


def transformer_xl(which):
    """Two segments one after the other; the memory before the first is zeros."""
    a = which == "a"
    L, D, H, F, V, B, T, M = (2, 16, 2, 40, 50, 2, 7, 7) if a else (3, 15, 3, 24, 41, 3, 9, 13)
    g = torch.Generator().manual_seed(39)
    text = torch.randint(0, V, (B, 2 * T + 1), generator=g)
    model = draw(TransformerXL(L, D, H, F, V).double(), 9)
    names = {"xl.word": ("word.weight", same)} | {f"xl.{name}": (name, same) for name in ("bias", "u", "v")}
    for i in range(L):
        to, of = f"xl.layer.{i}", f"layers.{i}"
        names |= {f"{to}.attn.w{name}": (f"{of}.{name}.weight", to_heads(H)) for name in "qkvr"}
        names[to + ".attn.wo"] = (of + ".out.weight", from_heads(H))
        names |= linear(to + ".up", of + ".up") | linear(to + ".down", of + ".down")
        names |= layer_norm(to + ".ln1", of + ".norm1") | layer_norm(to + ".ln2", of + ".norm2")

    def segment(s):
        ids, target = text[:, s * T:(s + 1) * T], text[:, s * T + 1:(s + 1) * T + 1]

        def loss():
            memories = [torch.zeros(B, M, D)] * L
            for before in range(s):
                memories = model(text[:, before * T:(before + 1) * T], memories)[1]
            y, _ = model(ids, memories)
            return nn.functional.cross_entropy(y.reshape(-1, V), target.reshape(-1))

        return dict(ids=ids, target=target), loss

    return Case(dict(L=L, D=D, H=H, F=F, V=V, M=M), model, *segment(0), names, more={"second": segment(1)})
