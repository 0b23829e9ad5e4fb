"""The updates of benches/update.rs in PyTorch: checked to be the same, then timed.

    taskset -c 1 cargo bench --bench update -- DIR [WINDOW ...]
    taskset -c 1 python3 benches/pytorch.py DIR [WINDOW ...]

Needs torch 2.11 (CPU), numpy and safetensors. Times are CPU times. For the second column of a comparison set the malloc
variables of the trainer (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_, MALLOC_TOP_PAD_) here, too.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

HIDDEN = 128
DROPOUT = 0.2
WINDOWS = (30, 90, 365)


class Model(torch.nn.Module):
    """Linear, ReLU, LSTM with dropped weights, linear: hydroDL's CudnnLstmModel."""

    def __init__(self, inputs):
        super().__init__()
        self.input = torch.nn.Linear(inputs, HIDDEN)
        self.lstm = torch.nn.LSTM(HIDDEN, HIDDEN)
        self.output = torch.nn.Linear(HIDDEN, 1)

    def forward(self, x, dropout):
        a = torch.relu(self.input(x))
        lstm = self.lstm
        w_ih, w_hh = lstm.weight_ih_l0, lstm.weight_hh_l0
        if dropout > 0:
            w_ih = w_ih * torch.empty_like(w_ih).bernoulli_(1 - dropout).div_(1 - dropout)
            w_hh = w_hh * torch.empty_like(w_hh).bernoulli_(1 - dropout).div_(1 - dropout)
        zero = torch.zeros(1, x.shape[1], HIDDEN)
        weights = [w_ih, w_hh, lstm.bias_ih_l0, lstm.bias_hh_l0]
        out, _, _ = torch._VF.lstm(a, (zero, zero), weights, True, 1, 0.0, True, False, False)
        return self.output(out)[..., 0]


class Data:
    """All days of all sites, and which windows hold a target."""

    def __init__(self, folder):
        file = load_file(folder / "days.safetensors")
        sites, days, _ = file["dynamic"].shape
        self.sites, self.days = sites, days
        static = file["static"][:, None].expand(sites, days, file["static"].shape[1])
        self.x = torch.cat([file["dynamic"], static], 2)
        self.y = file["target"]
        present = ~torch.isnan(self.y).numpy()
        self.before = np.concatenate([np.zeros((sites, 1), int), present.cumsum(1)], 1)

    def batch(self, starts, window, drop_empty):
        """Inputs [T, B, nx] and targets [T, B] of one window a site."""
        site = np.arange(self.sites)
        if drop_empty:
            held = self.before[site, starts + window] > self.before[site, starts]
            site, starts = site[held], starts[held]
        site = torch.from_numpy(site)[None]
        day = torch.from_numpy(starts)[None] + torch.arange(window)[:, None]
        return self.x[site, day], self.y[site, day]


def update(model, optimizer, data, starts, window, drop_empty, dropout):
    x, y = data.batch(starts, window, drop_empty)
    optimizer.zero_grad()
    predicted = model(x, dropout)
    present = ~torch.isnan(y)
    loss = ((predicted[present] - y[present]) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def fresh(data):
    model = Model(data.x.shape[2])
    return model, torch.optim.Adadelta(model.parameters())


def check(data, folder, window):
    """The largest difference of any weight after the same updates without dropout."""
    model, optimizer = fresh(data)

    def weights(what):
        file = load_file(folder / f"w{window}-{what}.safetensors")
        return {name: file[name] for name in model.state_dict()}

    model.load_state_dict(weights("before"))
    for starts in np.loadtxt(folder / f"w{window}-starts.txt", dtype=int):
        update(model, optimizer, data, starts, window, False, 0.0)
    after = weights("after")
    return max((after[name] - value).abs().max().item() for name, value in model.state_dict().items())


def timed(data, window, drop_empty, updates):
    """Milliseconds of CPU time of an update."""
    model, optimizer = fresh(data)
    random = np.random.default_rng(0)
    for step in range(-10, updates):
        if step == 0:
            began = time.process_time()
        starts = random.integers(0, data.days - window, data.sites)
        update(model, optimizer, data, starts, window, drop_empty, DROPOUT)
    return (time.process_time() - began) / updates * 1e3


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    data = Data(folder)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, 1 thread")
    for window in [int(word) for word in sys.argv[2:]] or WINDOWS:
        difference = check(data, folder, window)
        updates = 9_000 // window
        full = timed(data, window, False, updates // 3)
        dropped = timed(data, window, True, updates)
        print(
            f"window {window:3}, hidden {HIDDEN}: full batch {full:7.3f} ms, windows with targets {dropped:7.3f} ms"
            f" (weights after 20 updates differ by {difference:.1e})"
        )


main()
