"""Loads a member's weights into a plain torch LSTM and says in JSON how far its simulation lies from the member's."""

import json
import sys

import torch
from safetensors.torch import load_file

weights, scaling, inputs, simulation = sys.argv[1:]
weights = {name: values.double() for name, values in load_file(weights).items()}
inputs = load_file(inputs)
flux = load_file(simulation)["flux"].double()
with open(scaling, encoding="utf-8") as file:
    scale = json.load(file)["target"]


class Model(torch.nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.input = torch.nn.Linear(inputs, hidden)
        self.lstm = torch.nn.LSTM(hidden, hidden)
        self.output = torch.nn.Linear(hidden, 1)

    def forward(self, x):
        return self.output(self.lstm(torch.relu(self.input(x)))[0])


hidden, width = weights["input.weight"].shape
model = Model(width, hidden).double()
model.load_state_dict(weights)
days = inputs["dynamic"].shape[1]
fixed = inputs["static"].unsqueeze(1).expand(-1, days, -1)
x = torch.cat([inputs["dynamic"], fixed], dim=2).double().transpose(0, 1)
with torch.no_grad():
    scaled = model(x).squeeze(2).transpose(0, 1)
simulated = scaled * (scale["max"] - scale["min"]) + scale["min"]
if scale["transformation"] == "asinh":
    simulated = torch.sinh(simulated)
print(json.dumps({"furthest": (simulated - flux).abs().max().item(), "values": flux.numel()}))
