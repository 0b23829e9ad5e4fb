"""Writes embedding.json beside this file: small models with a learned vector of each site, by plain PyTorch in double precision.

    pip install torch && python make.py

A row of zeros among the vectors is that of a site without a day to fit on. It, and a series of no site (null), is read with the
mean of the other rows, through which no gradient goes.
"""

import json
import pathlib

import torch
from torch import nn

torch.manual_seed(20261127)
torch.set_default_dtype(torch.float64)
RATES, DECAY, LONGEST = [0.01, 0.02, 0.03, 0.02, 0.01], 0.02, 0.5


class Model(nn.Module):
    def __init__(self, inputs, width, hidden, layers, sites, site_head):
        super().__init__()
        self.embedding = nn.Embedding(sites, width)
        self.input = nn.Linear(inputs + width, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers)
        self.output = nn.Linear(hidden, 1)
        self.site_head = site_head
        if site_head:
            self.skip = nn.Linear(inputs, 1, bias=False)
            self.site = nn.ParameterDict({
                "state": 0.3 * torch.randn(sites, hidden),
                "bias": 0.3 * torch.randn(sites),
                "input": 0.3 * torch.randn(sites, inputs),
            })
            for layer in range(layers):  # one bias
                second = getattr(self.lstm, f"bias_hh_l{layer}")
                second.data.zero_()
                second.requires_grad_(False)

    def forward(self, x, sites):
        rows = self.embedding.weight
        known = rows.detach().abs().sum(1) > 0
        mean = rows.detach()[known].mean(0)
        vectors = torch.stack([mean if site is None or not known[site] else rows[site] for site in sites])
        joined = torch.cat([x, vectors.expand(len(x), -1, -1)], 2)
        h = self.lstm(torch.relu(self.input(joined)))[0]
        y = self.output(h).squeeze(2)
        if not self.site_head:
            return y
        y = y + self.skip(x).squeeze(2)
        own = []
        for series, site in enumerate(sites):
            if site is None:
                own.append(torch.zeros(len(x)))
                continue
            state, bias, of_input = (self.site[name][site] for name in ("state", "bias", "input"))
            own.append(h[:, series] @ state + bias + x[:, series] @ of_input)
        return y + torch.stack(own, 1)

    def of_sites(self):
        return [self.embedding.weight, *(self.site.values() if self.site_head else [])]


def named(values):
    return {name: value.tolist() for name, value in values.items()}


def case(name, inputs, width, hidden, layers, sites, site_head, days, series, ridge):
    model = Model(inputs, width, hidden, layers, sites, site_head)
    model.embedding.weight.data[1] = 0
    x = torch.randn(days, len(series), inputs)
    target = torch.randn(days, len(series))
    target[torch.rand_like(target) < 0.3] = float("nan")
    known = ~target.isnan()

    def loss():
        y = model(x, series)
        squares = sum((own**2).sum() for own in model.of_sites())
        return y, ((y - target)[known] ** 2).mean() + ridge * squares

    weights = named(model.state_dict())
    y, total = loss()
    total.backward()
    zeros = {key: torch.zeros_like(value) for key, value in model.named_parameters() if value.grad is None}
    gradient = named(zeros | {key: value.grad for key, value in model.named_parameters() if value.grad is not None})

    own = {id(parameter) for parameter in model.of_sites()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW([
        {"params": [one for one in trained if id(one) not in own], "weight_decay": DECAY},
        {"params": [one for one in trained if id(one) in own], "weight_decay": 0.0},
    ])
    losses, norms = [], []
    for rate in RATES:
        optimizer.zero_grad()
        _, before = loss()
        before.backward()
        norms.append(float(nn.utils.clip_grad_norm_(trained, LONGEST)))
        losses.append(before.item())
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return {
        "name": name,
        "dims": {"inputs": inputs, "width": width, "hidden": hidden, "layers": layers, "sites": sites},
        "site_head": site_head,
        "series": series,
        "ridge": ridge,
        "x": x.tolist(),
        "target": [[None if value != value else value for value in row] for row in target.tolist()],
        "weights": weights,
        "y": y.tolist(),
        "loss": total.item(),
        "gradient": gradient,
        "adamw": {"losses": losses, "norms": norms, "after": named(model.state_dict())},
    }


cases = [
    case("shared head", 3, 2, 4, 1, 5, False, 6, [0, 2, None, 3, 2, 1], 0.01),
    case("shared head, two layers, one input", 1, 5, 3, 2, 3, False, 4, [2, 0, 2], 0.0),
    case("site head with skip, two layers", 3, 3, 5, 2, 4, True, 5, [3, None, 0, 1, 3], 0.02),
]
found = {"torch": torch.__version__, "rates": RATES, "decay": DECAY, "longest": LONGEST, "cases": cases}
path = pathlib.Path(__file__).with_name("embedding.json")
path.write_text(json.dumps(found) + "\n")
