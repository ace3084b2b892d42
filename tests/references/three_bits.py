"""A GRU of 24 units that holds three bits, trained in torch: three_bits.npz.

    python3 three_bits.py

Trials of the memory task as the program draws them (64 trials of 32 steps a batch, pulses with probability .2); Adam, its
rate from 1e-2 to 1e-4 over 1,000 steps, gradients clipped at 1, batch k drawn by seed k. Seed 2.
"""

import pathlib

import accrue
import numpy as np
import torch

torch.manual_seed(2)
torch.set_num_threads(1)
rnn, readout = torch.nn.GRU(3, 24, batch_first=True), torch.nn.Linear(24, 3)
parameters = [*rnn.parameters(), *readout.parameters()]
adam = torch.optim.Adam(parameters, 1e-2)
schedule = torch.optim.lr_scheduler.ExponentialLR(adam, 0.01 ** (1 / 1000))
task = accrue.tasks.memory(bits=3, steps=32)
for step in range(1000):
    trials = task.draw(64, seed=step)
    loss = ((readout(rnn(torch.tensor(trials.inputs))[0]) - torch.tensor(trials.targets)) ** 2).mean()
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    adam.step()
    schedule.step()
print(f"mean squared error of the last batch {loss.item():.5f}")
arrays = {f"rnn.{k}": v.numpy() for k, v in rnn.state_dict().items()} | {
    f"readout.{k}": v.numpy() for k, v in readout.state_dict().items()
}
np.savez(pathlib.Path(__file__).with_suffix(".npz"), **arrays)
