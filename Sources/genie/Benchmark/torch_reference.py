"""The dynamics model in PyTorch: what `genie benchmark --baseline PYTHON` compares with, in the same run.

Input: T frames of N discrete codes (V of them, V itself is [MASK]) and an action a frame. L blocks, each: pre-norm
spatial attention (over the N tokens of a frame), pre-norm causal temporal attention (over the frames, at one position),
pre-norm feed-forward (x4, GELU). Output: logits over V codes at every position.

Sampling is cached: every block keeps the temporal keys and values of past frames, a MaskGIT step runs the N tokens of the
current frame only, and one more pass on the final codes writes that frame's keys and values. Exact, since past frames never
see the current one: `python torch_reference.py selftest`.

Without arguments it answers requests: one JSON object a line on standard input, one reply a line on standard output.
Requests: work ("sample" or "train"), d, layers, heads, tokens, frames, codes; worlds and steps, or clips; threads;
mode ("float32" or "bfloat16"); seconds (to measure for). Replies: seconds (of one frame of all worlds, or of one step) and
torch (its version), or error.
"""
import json, math, sys, time

import torch, torch.nn as nn, torch.nn.functional as F


class Attention(nn.Module):
    def __init__(s, d, heads):
        super().__init__()
        s.h, s.qkv, s.out = heads, nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)

    def forward(s, x, causal=False, cache=None, pos=0):
        """x [batch, seq, d]. cache: (K, V) [batch, heads, T, d / heads]; attends to cache[:pos] and to x itself."""
        b, n, d = x.shape
        q, k, v = s.qkv(x).view(b, n, 3, s.h, d // s.h).permute(2, 0, 3, 1, 4)
        if cache is not None:
            K, V = cache
            K[:, :, pos:pos + n], V[:, :, pos:pos + n] = k, v  # overwritten by later passes of the same frame
            k, v = K[:, :, :pos + n], V[:, :, :pos + n]
        o = F.scaled_dot_product_attention(q, k, v, is_causal=causal and n > 1)
        return s.out(o.transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    def __init__(s, d, heads):
        super().__init__()
        s.n1, s.n2, s.n3 = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)
        s.spatial, s.temporal = Attention(d, heads), Attention(d, heads)
        s.up, s.down = nn.Linear(d, 4 * d, bias=False), nn.Linear(4 * d, d, bias=False)

    def forward(s, x, cache=None, pos=0):  # x [B, T, N, d]
        B, T, N, d = x.shape
        x = x + s.spatial(s.n1(x).view(B * T, N, d)).view(B, T, N, d)
        y = s.n2(x).transpose(1, 2).reshape(B * N, T, d)
        y = s.temporal(y, causal=True, cache=cache, pos=pos)
        x = x + y.view(B, N, T, d).transpose(1, 2)
        return x + s.down(F.gelu(s.up(s.n3(x)), approximate="tanh"))


class Dynamics(nn.Module):
    def __init__(s, d, layers, heads, tokens, frames, codes, actions=8):
        super().__init__()
        s.d, s.heads, s.N, s.T, s.V = d, heads, tokens, frames, codes
        s.token, s.action = nn.Embedding(codes + 1, d), nn.Embedding(actions, d)
        s.place, s.time = nn.Parameter(torch.randn(tokens, d) * .02), nn.Parameter(torch.randn(frames, d) * .02)
        s.blocks = nn.ModuleList(Block(d, heads) for _ in range(layers))
        s.norm, s.head = nn.LayerNorm(d), nn.Linear(d, codes, bias=False)
        for m in s.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                nn.init.normal_(m.weight, std=.02)

    def forward(s, z, a, caches=None, pos=0):  # z [B, T, N] codes, a [B, T] actions
        T = z.shape[1]
        x = s.token(z) + s.place + s.time[pos:pos + T, None] + s.action(a)[:, :, None]
        for i, b in enumerate(s.blocks):
            x = b(x, caches[i] if caches else None, pos)
        return s.head(s.norm(x))

    def caches(s, batch):
        shape = (batch * s.N, s.heads, s.T, s.d // s.heads)
        return [(torch.zeros(shape), torch.zeros(shape)) for _ in s.blocks]


def sample_frame(m, a, steps, pos, caches):
    """Frame `pos` in `steps` MaskGIT steps (cosine schedule, confidence order, temperature 1), and its commit."""
    B, N = a.shape[0], m.N
    cur = torch.full((B, 1, N), m.V)
    known = torch.zeros(B, 1, N, dtype=torch.bool)
    for i in range(steps):
        p = m(cur, a[:, pos:pos + 1], caches, pos).float().softmax(-1)
        drawn = torch.multinomial(p.view(-1, m.V), 1).view(B, 1, N)
        surety = p.gather(-1, drawn[..., None])[..., 0].masked_fill(known, 2.)
        keep = N - int(N * math.cos(math.pi / 2 * (i + 1) / steps))
        new = torch.zeros_like(known).scatter_(-1, surety.topk(keep, -1).indices, True)
        cur = torch.where(new & ~known, drawn, cur)
        known |= new
    m(cur, a[:, pos:pos + 1], caches, pos)
    return cur


def sampling(r, m):
    m.eval()
    half = r["mode"] == "bfloat16"
    if half:
        m.bfloat16()
    a = torch.randint(0, 8, (r["worlds"], m.T))
    caches = m.caches(r["worlds"])
    if half:
        caches = [(k.bfloat16(), v.bfloat16()) for k, v in caches]

    @torch.inference_mode()
    def frame():
        sample_frame(m, a, r["steps"], m.T - 1, caches)

    return frame


def training(r, m):
    opt = torch.optim.AdamW(m.parameters(), lr=3e-4, fused=True)
    z, a = torch.randint(0, m.V, (r["clips"], m.T, m.N)), torch.randint(0, 8, (r["clips"], m.T))
    mask = torch.rand(z.shape) < .7
    shown = torch.where(mask, m.V, z)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=r["mode"] == "bfloat16"):
            logits = m(shown, a)
        loss = F.cross_entropy(logits.float().view(-1, m.V), z.view(-1), reduction="none")
        loss = (loss * mask.view(-1)).sum() / mask.sum()
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


def measure(r, bodies={}):
    """Mean seconds of one call over at least r["seconds"]; the first request of a kind warms up."""
    torch.set_num_threads(r["threads"])
    key = json.dumps({k: v for k, v in r.items() if k not in ("threads", "seconds")}, sort_keys=True)
    if key not in bodies:
        m = Dynamics(r["d"], r["layers"], r["heads"], r["tokens"], r["frames"], r["codes"])
        bodies[key] = sampling(r, m) if r["work"] == "sample" else training(r, m)
        bodies[key]()
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < r["seconds"]:
        bodies[key]()
        calls += 1
    return (time.perf_counter() - start) / calls


def answer():
    for line in sys.stdin:
        try:
            reply = {"seconds": measure(json.loads(line)), "torch": torch.__version__}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


@torch.inference_mode()
def selftest():
    """Cached logits of every frame equal those of a pass over all frames."""
    m = Dynamics(d=64, layers=3, heads=4, tokens=8, frames=6, codes=32).eval()
    for p in m.parameters():
        p.copy_(torch.randn_like(p) * .2)
    z, a = torch.randint(0, 32, (2, 6, 8)), torch.randint(0, 8, (2, 6))
    caches, full = m.caches(2), m(z, a)
    for t in range(6):
        m(torch.randint(0, 33, (2, 1, 8)), a[:, t:t + 1], caches, t)  # a pass on other codes must not matter
        error = (m(z[:, t:t + 1], a[:, t:t + 1], caches, t) - full[:, t:t + 1]).abs().max().item()
        assert error < 1e-4, error
    print("cached sampling equals the pass over all frames")


if __name__ == "__main__":
    torch.manual_seed(0)
    selftest() if sys.argv[1:] == ["selftest"] else answer()
