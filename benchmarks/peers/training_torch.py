"""Peer: the reference network in PyTorch, compiled by ``torch.compile``, on the CPU. Needs torch and NumPy alone.

Prints the images per second of each epoch as a JSON list.

    python training_torch.py IMAGES.npy --epochs 5 --epoch-steps 10 --batch-size 128 [--bfloat16]
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn

LATENT_DIM = 256
KL_WEIGHT = 5.0
FILTERS = (32, 64, 128, 256)


class TorchVAE(nn.Module):
    """Encoder and decoder; gives logits, mu and logvar."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.small = (FILTERS[-1], height // 16, width // 16)
        size = self.small[0] * self.small[1] * self.small[2]
        encoder = []
        for before, filters in zip((3, *FILTERS), FILTERS, strict=False):
            convolution = nn.Conv2d(before, filters, 3, stride=2, padding=1)
            encoder += [convolution, nn.BatchNorm2d(filters), nn.LeakyReLU(0.3)]
        decoder = []
        for before, filters in zip((256, 128, 64), (128, 64, 32), strict=True):
            convolution = nn.ConvTranspose2d(before, filters, 3, stride=2, padding=1, output_padding=1)
            decoder += [convolution, nn.BatchNorm2d(filters), nn.LeakyReLU(0.3)]
        decoder.append(nn.ConvTranspose2d(32, 3, 3, stride=2, padding=1, output_padding=1))
        self.encoder = nn.Sequential(*encoder, nn.Flatten())
        self.mu, self.logvar = nn.Linear(size, LATENT_DIM), nn.Linear(size, LATENT_DIM)
        self.dense = nn.Linear(LATENT_DIM, size)
        self.decoder = nn.Sequential(*decoder)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encode float32 images in [0, 1], draw latents, decode them."""
        features = self.encoder(images)
        mu, logvar = self.mu(features), self.logvar(features)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decoder(self.dense(z).unflatten(1, self.small)), mu, logvar


def loss_of(images: torch.Tensor, logits: torch.Tensor, mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    errors = nn.functional.binary_cross_entropy_with_logits(logits.float(), images, reduction="none")
    mu, logvar = mu.float(), logvar.float()
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)
    return errors.mean(1).sum((1, 2)).mean() + KL_WEIGHT * kl.mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--epoch-steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--bfloat16", action="store_true")
    options = parser.parse_args()
    images = torch.from_numpy(np.load(options.images)).permute(0, 3, 1, 2)
    model = TorchVAE(*images.shape[2:]).to(memory_format=torch.channels_last)
    compiled = torch.compile(model)
    adam = torch.optim.Adam(model.parameters(), 5e-4, fused=True)
    rates = []
    for _ in range(options.epochs):
        began = time.perf_counter()
        for rows in torch.randperm(len(images)).split(options.batch_size)[: options.epoch_steps]:
            batch = (images[rows].float() / 255).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                outputs = compiled(batch)
            loss = loss_of(batch, *outputs)
            adam.zero_grad()
            loss.backward()
            adam.step()
        rates.append(options.epoch_steps * options.batch_size / (time.perf_counter() - began))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
