"""The references from Hugging Face transformers: two configurations each, with the eager form of attention.

A function gives a model.Case for "a" or "b". They differ in sizes, lengths and heads; "b" has padding and odd options.
Labels that transformers leaves out, -100, are a mask in Heddle.
"""
import torch
import transformers as hf
from model_case import (Case, draw, from_heads, layer_norm, linear, multi_head, padded, part, round_to_single, same,
                        to_heads, transposed)

NONE = -100


def random_ids(g, low, high, *shape):
    return torch.randint(low, high, shape, generator=g)


def build(kind, config, seed):
    return draw(kind._from_config(config, attn_implementation="eager").double().eval(), seed)


def next_tokens(ids, valid):
    """What a causal model of transformers compares with: target and whether it counts, [B, T]."""
    target, scored = ids.roll(-1, 1), valid & valid.roll(-1, 1)
    scored[:, -1] = False
    return target, scored


def causal(model, ids, valid, target, scored):
    """Transformers shifts the labels itself."""
    labels = torch.where(valid, ids, NONE)
    return lambda: model(input_ids=ids, attention_mask=valid.long(), labels=labels, use_cache=False).loss


def gpt2(which):
    a = which == "a"
    L, D, H, F, V, P = (2, 16, 2, 64, 53, 16) if a else (3, 18, 3, 30, 61, 20)
    g = torch.Generator().manual_seed(31)
    ids = random_ids(g, 0, V, 3, 13) if a else random_ids(g, 0, V, 2, 17)
    valid = padded([13, 13, 13], 13) if a else padded([11, 17], 17)
    model = build(hf.GPT2LMHeadModel, hf.GPT2Config(
        vocab_size=V, n_positions=P, n_embd=D, n_layer=L, n_head=H, n_inner=F, bos_token_id=0, eos_token_id=0), 1)
    target, scored = next_tokens(ids, valid)
    names = {"gpt2.wte": ("transformer.wte.weight", same), "gpt2.wpe": ("transformer.wpe.weight", same)}
    names |= layer_norm("gpt2.ln_f", "transformer.ln_f")
    for i in range(L):
        to, of = f"gpt2.h.{i}", f"transformer.h.{i}"
        names |= layer_norm(to + ".ln1", of + ".ln_1") | layer_norm(to + ".ln2", of + ".ln_2")
        # Conv1D keeps [in, out].
        for j, letter in enumerate("qkv"):
            names[f"{to}.attn.w{letter}"] = (of + ".attn.c_attn.weight", part(j, 3, lambda t: t.reshape(D, H, -1), 1))
            names[f"{to}.attn.b{letter}"] = (of + ".attn.c_attn.bias", part(j, 3, to_heads(H)))
        names[to + ".attn.wo"] = (of + ".attn.c_proj.weight", lambda t: t.reshape(H, -1, D))
        names[to + ".attn.bo"] = (of + ".attn.c_proj.bias", same)
        for name, source in (("fc", "mlp.c_fc"), ("proj", "mlp.c_proj")):
            names |= {f"{to}.{name}.w": (f"{of}.{source}.weight", same), f"{to}.{name}.b": (f"{of}.{source}.bias", same)}
    return Case(dict(L=L, D=D, H=H, F=F, V=V, P=P), model, dict(ids=ids, valid=valid, target=target, scored=scored),
                causal(model, ids, valid, target, scored), names)


def masked_text(g, V, lengths, T, first=2):
    """ids, valid, target and chosen [B, T]: about a third of the tokens is to be told."""
    valid = padded(lengths, T)
    ids = torch.where(valid, random_ids(g, first, V, len(lengths), T), 1)
    chosen = valid & (torch.rand(valid.shape, generator=g) < 0.35)
    chosen[:, 1] = True
    return ids, valid, random_ids(g, 0, V, len(lengths), T), chosen


def encoder_layers(to, of, L, H):
    """The layers that BERT, RoBERTa and Longformer have in common, attention aside."""
    names = {}
    for i in range(L):
        layer, source = f"{to}.layer.{i}", f"{of}.encoder.layer.{i}"
        names |= layer_norm(layer + ".ln1", source + ".attention.output.LayerNorm")
        names |= layer_norm(layer + ".ln2", source + ".output.LayerNorm")
        names |= linear(layer + ".up", source + ".intermediate.dense") | linear(layer + ".down", source + ".output.dense")
    return names


def bert_attention(to, of, L, H):
    names = {}
    for i in range(L):
        own = f"{of}.encoder.layer.{i}.attention."
        names |= multi_head(f"{to}.layer.{i}.attn", H, own + "self.query", own + "self.key", own + "self.value",
                            own + "output.dense")
    return names


def embeddings(to, of):
    tables = {"word": "word_embeddings", "posn": "position_embeddings", "seg": "token_type_embeddings"}
    return ({f"{to}.{name}": (f"{of}.embeddings.{source}.weight", same) for name, source in tables.items()}
            | layer_norm(to + ".ln", of + ".embeddings.LayerNorm"))


def roberta_head(to):
    return ({to + ".bias": ("lm_head.bias", same)} | linear(to + ".transform", "lm_head.dense")
            | layer_norm(to + ".mlm_ln", "lm_head.layer_norm"))


def bert(which):
    a = which == "a"
    L, D, H, F, V, P, G = (2, 16, 4, 36, 50, 12, 2) if a else (2, 18, 3, 30, 59, 24, 3)
    g = torch.Generator().manual_seed(32)
    lengths, T = ([11, 7, 11], 11) if a else ([13, 19], 19)
    ids, valid, target, chosen = masked_text(g, V, lengths, T)
    segs, follows = random_ids(g, 0, G, len(lengths), T), random_ids(g, 0, 2, len(lengths))
    model = build(hf.BertForPreTraining, hf.BertConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, intermediate_size=F,
        max_position_embeddings=P, type_vocab_size=G, pad_token_id=1), 2)
    names = embeddings("bert", "bert") | encoder_layers("bert", "bert", L, H) | bert_attention("bert", "bert", L, H)
    names |= linear("bert.pooler", "bert.pooler.dense") | linear("bert.nsp", "cls.seq_relationship")
    names |= linear("bert.transform", "cls.predictions.transform.dense")
    names |= layer_norm("bert.mlm_ln", "cls.predictions.transform.LayerNorm")
    names["bert.bias"] = ("cls.predictions.bias", same)
    return Case(
        dict(L=L, D=D, H=H, F=F, V=V, P=P, G=G), model,
        dict(ids=ids, segs=segs, valid=valid, target=target, chosen=chosen, follows=follows),
        lambda: model(input_ids=ids, token_type_ids=segs, attention_mask=valid.long(),
                      labels=torch.where(chosen, target, NONE), next_sentence_label=follows).loss, names)


def roberta(which):
    a = which == "a"
    L, D, H, F, V, P, G = (2, 16, 2, 40, 51, 14, 1) if a else (3, 18, 6, 30, 57, 21, 2)
    g = torch.Generator().manual_seed(33)
    lengths, T = ([12, 12, 12], 12) if a else ([18, 10], 18)
    ids, valid, target, chosen = masked_text(g, V, lengths, T)
    if not a:   # padding amid a text: positions count what is not padding
        ids[0, 5:7], valid[0, 5:7], chosen[0, 5:7] = 1, False, False
    segs = random_ids(g, 0, G, len(lengths), T)
    model = build(hf.RobertaForMaskedLM, hf.RobertaConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, intermediate_size=F,
        max_position_embeddings=P, type_vocab_size=G, pad_token_id=1, layer_norm_eps=1e-12), 3)
    names = embeddings("roberta", "roberta") | encoder_layers("roberta", "roberta", L, H)
    names |= bert_attention("roberta", "roberta", L, H) | roberta_head("roberta")
    return Case(
        dict(L=L, D=D, H=H, F=F, V=V, P=P, G=G), model,
        dict(ids=ids, segs=segs, valid=valid, target=target, chosen=chosen),
        lambda: model(input_ids=ids, token_type_ids=segs, attention_mask=valid.long(),
                      labels=torch.where(chosen, target, NONE)).loss, names)


def longformer(which):
    a = which == "a"
    L, D, H, F, V, P, W = (2, 16, 2, 24, 47, 20, 4) if a else (2, 15, 5, 24, 43, 32, 6)
    g = torch.Generator().manual_seed(34)
    lengths, T = ([13, 13], 13) if a else ([23, 17, 20], 23)
    ids, valid, target, chosen = masked_text(g, V, lengths, T)
    marked = torch.zeros_like(valid)
    for row, places in enumerate([[0], [0]] if a else [[0, 9, 22], [], [4, 5]]):
        marked[row, places] = True
    segs = random_ids(g, 0, 2, len(lengths), T)
    model = build(hf.LongformerForMaskedLM, hf.LongformerConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, intermediate_size=F,
        max_position_embeddings=P, type_vocab_size=2, pad_token_id=1, attention_window=[W] * L), 4)
    names = embeddings("longformer", "longformer") | encoder_layers("longformer", "longformer", L, H)
    names |= roberta_head("longformer")
    for i in range(L):
        to, of = f"longformer.layer.{i}.attn", f"longformer.encoder.layer.{i}.attention."
        for part_name, suffix in (("local", ""), ("all", "_global")):
            for letter, source in (("q", "query"), ("k", "key"), ("v", "value")):
                names[f"{to}.{part_name}.w{letter}"] = (f"{of}self.{source}{suffix}.weight", to_heads(H))
                names[f"{to}.{part_name}.b{letter}"] = (f"{of}self.{source}{suffix}.bias", to_heads(H))
        names |= {to + ".wo": (of + "output.dense.weight", from_heads(H)), to + ".bo": (of + "output.dense.bias", same)}
    return Case(
        dict(L=L, D=D, H=H, F=F, V=V, P=P, W=W), model,
        {"ids": ids, "segs": segs, "valid": valid, "global": marked, "target": target, "chosen": chosen},
        lambda: model(input_ids=ids, token_type_ids=segs, attention_mask=valid.long(),
                      global_attention_mask=marked.long(), labels=torch.where(chosen, target, NONE)).loss, names)


def vit(which):
    a = which == "a"
    L, D, H, F, C = (2, 16, 2, 40, 7) if a else (3, 18, 3, 30, 10)
    B, CH, Y, X, P = (3, 3, 8, 8, 4) if a else (2, 1, 6, 15, 3)
    g = torch.Generator().manual_seed(35)
    img = round_to_single(torch.randn(B, CH, Y, X, generator=g)).requires_grad_()
    label = random_ids(g, 0, C, B)
    model = build(hf.ViTForImageClassification, hf.ViTConfig(
        hidden_size=D, num_hidden_layers=L, num_attention_heads=H, intermediate_size=F, image_size=(Y, X), patch_size=P,
        num_channels=CH, num_labels=C), 5)
    names = {"vit.patch": ("vit.embeddings.patch_embeddings.projection.weight", lambda t: t.permute(1, 2, 3, 0)),
             "vit.bias": ("vit.embeddings.patch_embeddings.projection.bias", same),
             "vit.class": ("vit.embeddings.cls_token", lambda t: t[0, 0]),
             "vit.posn": ("vit.embeddings.position_embeddings", lambda t: t[0])}
    names |= layer_norm("vit.ln_f", "vit.layernorm") | linear("vit.head", "classifier")
    for i in range(L):
        to, of = f"vit.h.{i}", f"vit.layers.{i}"
        names |= layer_norm(to + ".ln1", of + ".layernorm_before") | layer_norm(to + ".ln2", of + ".layernorm_after")
        names |= multi_head(to + ".attn", H, *(f"{of}.attention.{kind}_proj" for kind in "qkvo"))
        names |= linear(to + ".up", of + ".mlp.fc1") | linear(to + ".down", of + ".mlp.fc2")
    return Case(dict(P=P, L=L, D=D, H=H, F=F, C=C), model, dict(img=img, label=label),
                lambda: model(pixel_values=img.to(model.dtype), labels=label).loss, names)


def t5(which):
    a = which == "a"
    L, D, H, K, F, V, R, FAR = (2, 16, 2, 8, 32, 50, 32, 128) if a else (2, 20, 3, 5, 24, 45, 12, 20)
    g = torch.Generator().manual_seed(36)
    lengths, N, targets, T = ([19, 19], 19, [11, 11], 11) if a else ([29, 17], 29, [9, 21], 21)
    src_valid, tgt_valid = padded(lengths, N), padded(targets, T)
    src = torch.where(src_valid, random_ids(g, 1, V, len(lengths), N), 0)
    target = torch.where(tgt_valid, random_ids(g, 1, V, len(lengths), T), 0)
    tgt = torch.cat([torch.zeros_like(target[:, :1]), target[:, :-1]], 1)      # what transformers makes of the labels
    model = build(hf.T5ForConditionalGeneration, hf.T5Config(
        vocab_size=V, d_model=D, d_kv=K, d_ff=F, num_layers=L, num_heads=H, relative_attention_num_buckets=R,
        relative_attention_max_distance=FAR, decoder_start_token_id=0, pad_token_id=0), 6)
    names = {"t5.word": ("shared.weight", same)}
    for to, of in (("enc", "encoder"), ("dec", "decoder")):
        names[f"t5.{to}_table"] = (f"{of}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", same)
        names[f"t5.{to}_ln.gain"] = (of + ".final_layer_norm.weight", same)
        for i in range(L):
            layer, source = f"t5.{to}.{i}", f"{of}.block.{i}.layer"
            sublayers = [("attn", "SelfAttention")] + [("cross", "EncDecAttention")] * (to == "dec")
            for j, (name, kind) in enumerate(sublayers):
                for letter in "qkv":
                    names[f"{layer}.{name}.w{letter}"] = (f"{source}.{j}.{kind}.{letter}.weight", to_heads(H))
                names[f"{layer}.{name}.wo"] = (f"{source}.{j}.{kind}.o.weight", from_heads(H))
            for j in range(len(sublayers) + 1):
                names[f"{layer}.ln{j + 1}.gain"] = (f"{source}.{j}.layer_norm.weight", same)
            for name in ("wi", "wo"):
                names[f"{layer}.ff.{name}.w"] = (f"{source}.{len(sublayers)}.DenseReluDense.{name}.weight", transposed)
    return Case(
        dict(L=L, D=D, H=H, K=K, F=F, V=V, R=R, FAR=FAR), model,
        dict(src=src, src_valid=src_valid, tgt=tgt, tgt_valid=tgt_valid, target=target),
        lambda: model(input_ids=src, attention_mask=src_valid.long(), decoder_attention_mask=tgt_valid.long(),
                      labels=torch.where(tgt_valid, target, NONE), use_cache=False).loss, names)


def llama(which):
    a = which == "a"
    L, D, G, R, K, F, V, BASE = (2, 16, 2, 2, 4, 40, 53, 10000) if a else (3, 18, 2, 3, 4, 28, 41, 500)
    g = torch.Generator().manual_seed(37)
    lengths, T = ([15, 15], 15) if a else ([19, 12, 8], 19)
    valid = padded(lengths, T)
    ids = random_ids(g, 0, V, len(lengths), T)
    model = build(hf.LlamaForCausalLM, hf.LlamaConfig(
        vocab_size=V, hidden_size=D, intermediate_size=F, num_hidden_layers=L, num_attention_heads=G * R,
        num_key_value_heads=G, head_dim=K, max_position_embeddings=32, rms_norm_eps=1e-6,
        rope_parameters=dict(rope_type="default", rope_theta=float(BASE))), 7)
    target, scored = next_tokens(ids, valid)
    names = {"llama.word": ("model.embed_tokens.weight", same), "llama.head.w": ("lm_head.weight", transposed),
             "llama.ln_f.gain": ("model.norm.weight", same)}
    for i in range(L):
        to, of = f"llama.layer.{i}", f"model.layers.{i}"
        names |= {f"{to}.attn.wq": (of + ".self_attn.q_proj.weight", to_heads(G, R)),
                  f"{to}.attn.wk": (of + ".self_attn.k_proj.weight", to_heads(G)),
                  f"{to}.attn.wv": (of + ".self_attn.v_proj.weight", to_heads(G)),
                  f"{to}.attn.wo": (of + ".self_attn.o_proj.weight", from_heads(G, R)),
                  f"{to}.ln1.gain": (of + ".input_layernorm.weight", same),
                  f"{to}.ln2.gain": (of + ".post_attention_layernorm.weight", same)}
        for name in ("gate", "up", "down"):
            names[f"{to}.ff.{name}.w"] = (f"{of}.mlp.{name}_proj.weight", transposed)
    return Case(dict(L=L, D=D, G=G, R=R, K=K, F=F, V=V, BASE=BASE), model,
                dict(ids=ids, valid=valid, target=target, scored=scored),
                causal(model, ids, valid, target, scored), names)
