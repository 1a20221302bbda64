"""What a user of PyTorch would write for the flights of own_data_results.py."""

import json
import time

import numpy as np
import pandas as pd

HELD = 10_000  # the first rows of the training table choose the best epoch, for both programs


def train_and_print(read, mode, seed, threads, epochs):
    """From CSV files, which `read` reads, to the error on the test rows, as one line of JSON."""
    begin = time.monotonic()
    import torch
    from sklearn.preprocessing import StandardScaler
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    train, test = read("flights")
    means = train.mean(numeric_only=True)
    x = pd.get_dummies(train.fillna(means), dtype=np.float32)
    z = pd.get_dummies(test.fillna(means), dtype=np.float32).reindex(columns=x.columns, fill_value=0)
    scaler = StandardScaler().fit(x.iloc[HELD:])
    x = torch.from_numpy(scaler.transform(x).astype(np.float32))
    z = torch.from_numpy(scaler.transform(z).astype(np.float32))
    held, x = x[:HELD], x[HELD:]
    prepared = time.monotonic()
    width = x.shape[1]
    nn = torch.nn
    model = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 16), nn.ReLU(),
                          nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, width))
    run = torch.compile(model) if mode == "compiled" else model
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    best, kept = float("inf"), None
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x), 256):
            batch = x[order[first:first + 256]]
            loss = nn.functional.mse_loss(run(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            error = nn.functional.mse_loss(model(held), held).item()
        if error < best:
            best, kept = error, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    trained = time.monotonic()
    with torch.no_grad():
        error = nn.functional.mse_loss(model(z), z).item()
    print(json.dumps({"error": error, "validation": best, "width": width, "prepare": prepared - begin,
                      "train": trained - prepared}))
