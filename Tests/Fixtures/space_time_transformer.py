"""Writes space_time_transformer.safetensors: a small space-time transformer in PyTorch, forward and backward.

    pip install torch safetensors numpy
    python space_time_transformer.py

The file holds the inputs (`x`, `targets`, `blocks.N.film.scale`, `blocks.N.film.shift`), every parameter,
`logits`, `loss` and, under `gradients.NAME`, the gradient of every parameter and of every input but the
targets. Parameters are Float32; all is computed in Float64 and rounded once at the end, so that what is compared with
carries no rounding of its own. The sizes are in the metadata, `configuration`.

Weights are stored [input, output] and applied as `y = x @ W`. The width 3C of `qkv` is q, k, v, each
[heads, head_dim]. Attention projections have no bias. The relative table of the spatial attention is
[heads, (2G - 1)^2], indexed by (ky - qy + G - 1) (2G - 1) + (kx - qx + G - 1); that of the temporal
attention is [heads, window], indexed by query time - key time.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

BATCH, TIME, GRID, CHANNELS, HEADS, WINDOW, BLOCKS, CLASSES = 2, 5, 2, 16, 2, 3, 2, 7
TOKENS, HEAD_DIM, EPSILON = GRID * GRID, CHANNELS // HEADS, 1e-5


def make_parameters(generator):
    """Random and far from trivial everywhere: gains and biases too."""

    def normal(*shape, scale=1.0, mean=0.0):
        values = torch.randn(*shape, generator=generator, dtype=torch.float32) * scale + mean
        return values.double().requires_grad_()

    parameters = {"position": normal(TOKENS, CHANNELS, scale=0.5)}

    def norm(name):
        parameters[name + ".gain"] = normal(CHANNELS, scale=0.3, mean=1.0)
        parameters[name + ".bias"] = normal(CHANNELS, scale=0.3)

    for n in range(BLOCKS):
        block = f"blocks.{n}."
        for part, distances in (("spatial", (2 * GRID - 1) ** 2), ("temporal", WINDOW)):
            norm(block + part + ".norm")
            parameters[f"{block}{part}.qkv"] = normal(CHANNELS, 3 * CHANNELS, scale=0.3)
            parameters[f"{block}{part}.out"] = normal(CHANNELS, CHANNELS, scale=0.3)
            parameters[f"{block}{part}.bias"] = normal(HEADS, distances)
        norm(block + "feedForward.norm")
        parameters[block + "feedForward.up.weight"] = normal(CHANNELS, 4 * CHANNELS, scale=0.3)
        parameters[block + "feedForward.up.bias"] = normal(4 * CHANNELS, scale=0.3)
        parameters[block + "feedForward.down.weight"] = normal(4 * CHANNELS, CHANNELS, scale=0.2)
        parameters[block + "feedForward.down.bias"] = normal(CHANNELS, scale=0.3)
    norm("norm")
    parameters["head.weight"] = normal(CHANNELS, CLASSES, scale=0.4)
    parameters["head.bias"] = normal(CLASSES, scale=0.4)

    inputs = {"x": normal(BATCH, TIME, TOKENS, CHANNELS)}
    for n in range(BLOCKS):
        inputs[f"blocks.{n}.film.scale"] = normal(BATCH, TIME, 1, CHANNELS, scale=0.3)
        inputs[f"blocks.{n}.film.shift"] = normal(BATCH, TIME, 1, CHANNELS, scale=0.3)
    targets = torch.randint(CLASSES, (BATCH, TIME, TOKENS), generator=generator)
    return parameters, inputs, targets


def layer_norm(x, parameters, name):
    return F.layer_norm(x, (CHANNELS,), parameters[name + ".gain"], parameters[name + ".bias"], EPSILON)


def split_heads(qkv):
    """[..., 3C] -> q, k, v, each [..., heads, head_dim]."""
    return qkv.unflatten(-1, (3, HEADS, HEAD_DIM)).unbind(-3)


def spatial_bias(table):
    """[heads, (2G - 1)^2] -> [heads, query, key]."""
    side = 2 * GRID - 1
    rows = [
        [(ky - qy + GRID - 1) * side + (kx - qx + GRID - 1) for ky in range(GRID) for kx in range(GRID)]
        for qy in range(GRID)
        for qx in range(GRID)
    ]
    return table[:, torch.tensor(rows)]


def spatial_attention(x, parameters, name):
    q, k, v = split_heads(layer_norm(x, parameters, name + ".norm") @ parameters[name + ".qkv"])
    scores = torch.einsum("btqhd,btkhd->bthqk", q, k) / math.sqrt(HEAD_DIM)
    weights = torch.softmax(scores + spatial_bias(parameters[name + ".bias"]), dim=-1)
    return torch.einsum("bthqk,btkhd->btqhd", weights, v).flatten(-2) @ parameters[name + ".out"]


def temporal_bias(table):
    """[heads, window] -> [heads, query time, key time], -infinity outside the causal band."""
    distance = torch.arange(TIME)[:, None] - torch.arange(TIME)[None, :]
    inside = (distance >= 0) & (distance < WINDOW)
    return table[:, distance.clamp(0, WINDOW - 1)].masked_fill(~inside, -math.inf)


def temporal_attention(x, parameters, name):
    q, k, v = split_heads(layer_norm(x, parameters, name + ".norm") @ parameters[name + ".qkv"])
    scores = torch.einsum("bqshd,bkshd->bshqk", q, k) / math.sqrt(HEAD_DIM)
    weights = torch.softmax(scores + temporal_bias(parameters[name + ".bias"]), dim=-1)
    return torch.einsum("bshqk,bkshd->bqshd", weights, v).flatten(-2) @ parameters[name + ".out"]


def feed_forward(x, parameters, name):
    hidden = layer_norm(x, parameters, name + ".norm") @ parameters[name + ".up.weight"]
    hidden = F.gelu(hidden + parameters[name + ".up.bias"], approximate="tanh")
    return hidden @ parameters[name + ".down.weight"] + parameters[name + ".down.bias"]


def forward(parameters, inputs):
    x = inputs["x"] + parameters["position"]
    for n in range(BLOCKS):
        block = f"blocks.{n}."
        x = x * (1 + inputs[block + "film.scale"]) + inputs[block + "film.shift"]
        x = x + spatial_attention(x, parameters, block + "spatial")
        x = x + temporal_attention(x, parameters, block + "temporal")
        x = x + feed_forward(x, parameters, block + "feedForward")
    return layer_norm(x, parameters, "norm") @ parameters["head.weight"] + parameters["head.bias"]


def main():
    parameters, inputs, targets = make_parameters(torch.Generator().manual_seed(20240223))
    logits = forward(parameters, inputs)
    loss = F.cross_entropy(logits.flatten(0, -2), targets.flatten())
    loss.backward()

    variables = {**parameters, **inputs}
    tensors = {**variables, "logits": logits, "loss": loss.reshape(1)}
    tensors.update({"gradients." + name: value.grad for name, value in variables.items()})
    arrays = {name: value.detach().numpy().astype(np.float32) for name, value in tensors.items()}
    arrays["targets"] = targets.numpy().astype(np.int32)
    assert all(np.abs(a).max() > 1e-4 for a in arrays.values()), "a tensor that tests nothing"
    configuration = {"heads": HEADS, "window": WINDOW, "grid": GRID, "epsilon": EPSILON, "blocks": BLOCKS}
    path = Path(__file__).with_suffix(".safetensors")
    save_file(arrays, path, {"configuration": json.dumps(configuration)})
    print(f"{path.name}: {path.stat().st_size} bytes, loss {loss.item():.6f}")


if __name__ == "__main__":
    main()
