"""ESM-2 in float64, written from the model's definition and independent of transformers: it says how far a float32
result is from the exact one. Rotary angles are rounded to float32 as the reference defines them."""

import math

import torch
from torch.nn.functional import linear


class ExactEsm2:
    def __init__(self, config, weights, inv_freq):
        self.config = config
        self.weights = {name: tensor.double() for name, tensor in weights.items()}
        self.inv_freq = inv_freq

    def dense(self, name, x):
        return linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdim=True)
        scale = torch.sqrt(centred.square().mean(-1, keepdim=True) + self.config.layer_norm_eps)
        return centred / scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def rotate(self, x):  # [H, T, d]
        angles = torch.arange(x.shape[1], dtype=torch.float32)[:, None] * self.inv_freq  # [T, d/2]
        cos, sin = angles.double().cos(), angles.double().sin()
        first, second = x.chunk(2, dim=-1)
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

    def attention(self, name, x):
        """Returns the new values [T, D] and the probabilities [H, T, T]."""
        heads = self.config.num_attention_heads
        head_dim = self.config.hidden_size // heads

        def project(which):
            return self.dense(f"{name}.self.{which}", x).unflatten(-1, (heads, head_dim)).transpose(0, 1)

        query = self.rotate(project("query") * head_dim**-0.5)
        probabilities = torch.softmax(query @ self.rotate(project("key")).mT, dim=-1)
        values = (probabilities @ project("value")).transpose(0, 1).flatten(1)
        return self.dense(f"{name}.output.dense", values), probabilities

    def contacts(self, attentions):  # [layers * H, T, T]
        inner = attentions[:, 1:-1, 1:-1]
        symmetric = inner + inner.mT
        rows, columns = symmetric.sum(-1, keepdim=True), symmetric.sum(-2, keepdim=True)
        corrected = symmetric - rows * columns / symmetric.sum((-1, -2), keepdim=True)
        name = "esm.contact_head.regression"
        return torch.sigmoid(self.dense(name, corrected.permute(1, 2, 0)).squeeze(-1))

    def __call__(self, tokens):
        """tokens [T] to (hidden states of every layer [layers + 1][T, D], logits [T, V], contacts [L, L])."""
        x = self.weights["esm.embeddings.word_embeddings.weight"][tokens]
        if self.config.token_dropout:
            x = x * (1 - 0.15 * 0.8)
        if self.config.emb_layer_norm_before:
            x = self.norm("esm.embeddings.layer_norm", x)
        hidden, attentions = [x], []
        for index in range(self.config.num_hidden_layers):
            layer = f"esm.encoder.layer.{index}"
            update, probabilities = self.attention(f"{layer}.attention", self.norm(f"{layer}.attention.LayerNorm", x))
            x = x + update
            inner = self.dense(f"{layer}.intermediate.dense", self.norm(f"{layer}.LayerNorm", x))
            x = x + self.dense(f"{layer}.output.dense", gelu(inner))
            hidden.append(x)
            attentions.append(probabilities)
        hidden[-1] = self.norm("esm.encoder.emb_layer_norm_after", x)
        features = self.norm("lm_head.layer_norm", gelu(self.dense("lm_head.dense", hidden[-1])))
        logits = linear(features, self.weights["lm_head.decoder.weight"], self.weights["lm_head.bias"])
        return hidden, logits, self.contacts(torch.cat(attentions))


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
