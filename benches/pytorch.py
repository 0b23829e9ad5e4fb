"""The updates of crates/model/benches/update in PyTorch, as hydroDL trains: checked to be the same, then made when told to.

    python3 benches/pytorch.py DIR WINDOW full|targets

is a worker that crates/model/benches/update starts, with the files that it wrote to DIR. It says how far the weights after the
checked updates are from efflux's. Then each line of stdin is a number of updates, and each answer the milliseconds of one
of them, until all are done and until all are asked for: CPU time, or with DEVICE=cuda wall time.

    python3 benches/pytorch.py DIR WINDOW trials EPOCHS ITERATIONS SEED ...

is what benches/trials.py starts: whole trials on windows that hold a target, each with the simulation of the calendar.

Needs torch 2.11 (CPU), numpy and safetensors.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

HIDDEN = int(os.environ.get("HIDDEN", "128"))
DROPOUT = 0.2
DEVICE = os.environ.get("DEVICE", "cpu")


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
        zero = torch.zeros(1, x.shape[1], HIDDEN, device=x.device)
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
        # Assembled on the host, as hydroDL does.
        return self.x[site, day].to(DEVICE), self.y[site, day].to(DEVICE)


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
    model = Model(data.x.shape[2]).to(DEVICE)
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
    return max((after[name] - value.cpu()).abs().max().item() for name, value in model.state_dict().items())


def drawn(random, data, window):
    return random.integers(0, data.days - window, data.sites)


def clock():
    """Seconds of this process; on a GPU, of the day."""
    return time.process_time() if DEVICE == "cpu" else time.perf_counter()


def work(data, folder, window, drop_empty):
    """Updates on demand."""
    print(f"{check(data, folder, window):.1e}", flush=True)
    model, optimizer = fresh(data)
    random = np.random.default_rng(0)
    for line in sys.stdin:
        updates, began = int(line), clock()
        for _ in range(updates):
            update(model, optimizer, data, drawn(random, data, window), window, drop_empty, DROPOUT)
        asked = clock() - began
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        done = clock() - began
        print(done / updates * 1e3, asked / updates * 1e3, flush=True)


def trial(data, window, epochs, iterations, seed):
    """A trial from its first update to the simulated calendar."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model, optimizer = fresh(data)
    for _ in range(epochs):
        losses = []
        for _ in range(iterations):
            loss = update(model, optimizer, data, drawn(random, data, window), window, True, DROPOUT)
            losses.append(loss)
        print(f"loss {np.nanmean(losses):.5f}")
    with torch.no_grad():
        print(f"simulated {model(data.x.transpose(0, 1), 0.0).shape}")


def main():
    torch.set_num_threads(1)
    folder, window, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    data = Data(folder)
    if what == "trials":
        epochs, iterations, *seeds = map(int, sys.argv[4:])
        for seed in seeds:
            trial(data, window, epochs, iterations, seed)
    else:
        work(data, folder, window, what == "targets")


main()
