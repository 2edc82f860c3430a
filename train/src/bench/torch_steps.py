"""Training steps of PyTorch, eager: reads "IMAGES SIDE DEPTH,DEPTH,..." a line, makes a step, prints its seconds."""

import sys
import time

import torch
from torch import nn
from torch.nn.functional import relu

torch.set_num_threads(int(sys.argv[1]))
device, dtype = torch.device(sys.argv[2]), getattr(torch, sys.argv[3])
torch.backends.cudnn.benchmark = True


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        changes = stride != 1 or inputs != outputs
        self.downsample = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if changes else None

    def forward(self, x):
        activated = relu(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(activated)
        y = self.conv2(relu(self.bn2(self.conv1(activated))))
        return self.conv3(relu(self.bn3(y))) + shortcut


def network(depths, width=64):
    layers, channels = [nn.Conv2d(3, width, 3, 1, 1, bias=False)], width
    for group, depth in enumerate(depths):
        for block in range(depth):
            layers.append(Bottleneck(channels, width << group, 2 if group and not block else 1))
            channels = 4 * width << group
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())


subjects = {}
for line in sys.stdin:
    if line not in subjects:
        images, side, depths = line.split()
        net = network(tuple(map(int, depths.split(",")))).to(device, dtype)
        images, side = int(images), int(side)
        decayed = [p for p in net.parameters() if p.dim() > 1]
        spared = [p for p in net.parameters() if p.dim() == 1]
        groups = [{"params": decayed, "weight_decay": 1e-4}, {"params": spared}]
        optimiser = torch.optim.SGD(groups, lr=1e-3, momentum=0.9, nesterov=True)
        subjects[line] = net, optimiser, torch.randn(images, 3, side, side, device=device, dtype=dtype)
    net, optimiser, x = subjects[line]
    start = time.perf_counter()
    optimiser.zero_grad(set_to_none=True)
    loss = net(x).square().mean()
    loss.backward()
    optimiser.step()
    loss.item()  # waits for the device, as ours does
    print(time.perf_counter() - start, flush=True)
