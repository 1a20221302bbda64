"""Applies models of sae_dist in Python: samples as they are in, answers out. Needs numpy and h5py alone.

    from sae_dist import Model
    model = Model.load("model.h5")  # Or best.h5, pretrained.h5, a checkpoint.
    model.predict(samples)          # Classes: their names where the model has them, else 0, 1, ...
    model.encode(samples)           # Codes (samples, units).
    model.score(samples)            # Anomaly scores: the larger, the more abnormal.
    model.reconstruct(samples)      # In the units of the samples.

The answers are those of the program's commands of these names, to rounding. What a model cannot do is a
ValueError, in the program's words.

Samples are an array (samples, features) or (samples, height, width): of numpy, an h5py data set, a list,
or a table whose columns are the model's features in their order. They are read and computed in blocks.
The model scales them itself. As in a data set, uint8 are bytes, which are divided by 255, and all other
types hold values as they are. Samples of another kind than the model was trained on are refused.

In a pipeline of scikit-learn: FunctionTransformer(model.transform). The digest of a file is not checked
here, but by `sae_dist inspect FILE`.
"""

import os
import warnings
from typing import NamedTuple

import h5py
import numpy as np

FORMAT, VERSION = "sae-checkpoint", 2
EPSILON = 1e-5  # Of normalisation.
BLOCK_SAMPLES, BLOCK_ELEMENTS = 512, 2**24
# Of bytes that are divided by 255 already. With noise they may leave [0, 1]; bytes are far outside.
LARGEST_SHARE_OF_255 = 2


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _interpolated(x, start, end):
    """The piecewise linear function of each feature through its knots (start, end), constant outside."""
    columns = [np.interp(x[:, i], start[i], end[i]) for i in range(x.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)


ACTIVATIONS = {"sigmoid": _sigmoid, "tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}
VISIBLE = {"bernoulli": _sigmoid, "gaussian": np.asarray}
KINDS = {"activation": ACTIVATIONS, "visible": VISIBLE, "decoder": ("tied", "free", "none"),
         "normalization": ("none", "batch", "layer"), "input_type": (None, "uint8", "float32"),
         "scale": ("none", "standard", "min-max", "rank-gauss")}
# What a file means that lacks the attribute: one of version 1, or an early one of version 2.
VERSION_1 = {"activation": "sigmoid", "visible": "bernoulli", "decoder": "tied"}
EARLY = {"normalization": "none", "lateral": 0, "scale": "none", "input_type": None}


class _Layer(NamedTuple):
    weights: np.ndarray  # (inputs, units)
    bias: np.ndarray
    gain: np.ndarray | None
    visible_bias: np.ndarray | None  # Of the decoder, (inputs).

    def logits(self, x, normalization):
        a = x @ self.weights
        if normalization == "layer":
            a -= a.mean(axis=1, keepdims=True)
            a /= np.sqrt(np.square(a).mean(axis=1, keepdims=True) + EPSILON)
        return (a if self.gain is None else a * self.gain) + self.bias


class Model:
    """A finished network, made by Model.load.

    n_features_in_: features of a sample. units: of each hidden layer. feature_names: or None.
    classes_: in the order of predict_proba; empty without a classifier.
    """

    @classmethod
    def load(cls, path):
        """Throws: OSError if the file cannot be read, ValueError that names what it is or lacks."""
        path = os.fspath(path)
        with open(path, "rb"):  # Says more clearly than HDF5 why not.
            pass
        if not h5py.is_hdf5(path):
            raise ValueError(f"{path} is no model or checkpoint: it is not an HDF5 file.")
        try:
            with h5py.File(path, "r") as file:
                return cls(path, file)
        except (KeyError, OSError) as fault:
            raise ValueError(f"{path} is damaged: {fault}") from fault

    def __init__(self, path, file):
        self._path = path
        self._kinds = self._read_kinds(file)
        finetunes, epoch = file.attrs["stage"] == "finetune", file.attrs["epoch"]
        # Where parameters are averaged, the average is the model, once fine-tuning has begun.
        averages = finetunes and epoch > 0 and "optimizer/average" in file
        arrays = file["optimizer/average" if averages else "model"]
        self._hidden = [self._read_layer(arrays["hidden1"])]
        while (name := f"hidden{len(self._hidden) + 1}") in arrays:
            self._hidden.append(self._read_layer(arrays[name], len(self._hidden[-1].bias)))
        self.units = [len(layer.bias) for layer in self._hidden]
        self.n_features_in_ = len(self._hidden[0].weights)
        self._output = self._read_layer(arrays["output"], self.units[-1]) if "output" in arrays else None
        self._output_is_trained = finetunes and (epoch > 1 or file.attrs["step_in_epoch"] > 0)
        self._scaling = self._read_scaling(file)
        self.feature_names = list(file["feature_names"].asstr()[:]) if "feature_names" in file else None
        self.classes_ = np.arange(len(self._output.bias) if self._output else 0)
        if self._output and "class_names" in file:
            self.classes_ = np.array(file["class_names"].asstr()[:], dtype=str)

    def encode(self, samples, layer=None):
        """Codes (samples, units) of this hidden layer, counted from 1; else of the last."""
        layers = self._layers(layer, decodes=False)
        return self._apply(samples, lambda x: self._encode(x, layers), (self.units[layers - 1],))

    def decode(self, codes, layer=None):
        """Reconstructions (samples, features) from the codes of this hidden layer."""
        layers = self._layers(layer, decodes=True)
        if np.shape(codes)[1:] != (self.units[layers - 1],):
            self._refuse(f"has {self.units[layers - 1]} units in hidden layer {layers}; the codes have "
                         f"shape {np.shape(codes)}")
        return self._in_blocks(codes, lambda block, _: self._unscaled(
            self._decode(block.astype(np.float32), layers)), (self.n_features_in_,))

    def reconstruct(self, samples, layer=None):
        """The samples, encoded up to this hidden layer and decoded again: float32 in their shape and
        units; bytes come back as 0 to 1."""
        layers = self._layers(layer, decodes=True)
        return self._apply(samples, lambda x: self._unscaled(self._reconstruct(x, layers)),
                           np.shape(samples)[1:])

    def score(self, samples, layer=None):
        """Anomaly scores: the mean squared error of the scaled features. The larger, the more abnormal."""
        layers = self._layers(layer, decodes=True)
        return self._apply(samples, lambda x: np.square(self._reconstruct(x, layers) - x)
                           .mean(axis=1, dtype=np.float64))

    def predict(self, samples):
        """The most probable class of each sample, one of classes_."""
        self._check_classifier()
        labels = self._apply(samples, lambda x: self._logits(x).argmax(axis=1), dtype=np.intp)
        return self.classes_[labels]

    def predict_proba(self, samples):
        """Probabilities (samples, classes)."""
        self._check_classifier()

        def softmax(x):
            logits = self._logits(x)
            e = np.exp(logits - logits.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        return self._apply(samples, softmax, self.classes_.shape)

    # Names of scikit-learn. Its score(X, y) is another thing than ours.
    transform = encode
    inverse_transform = decode

    def score_samples(self, samples):
        """-score(samples), which has scikit-learn's sign: the lower, the more abnormal."""
        return -self.score(samples)

    # The network.

    def _encode(self, x, layers):
        for layer in self._hidden[:layers]:
            x = ACTIVATIONS[self._kinds["activation"]](layer.logits(x, self._kinds["normalization"]))
        return x

    def _decode(self, codes, layers):
        inner = VISIBLE["bernoulli" if self._kinds["activation"] == "sigmoid" else "gaussian"]
        for number in reversed(range(layers)):
            layer = self._hidden[number]
            values = VISIBLE[self._kinds["visible"]] if number == 0 else inner
            codes = values(codes @ layer.weights.T + layer.visible_bias)
        return codes

    def _reconstruct(self, x, layers):
        return self._decode(self._encode(x, layers), layers)

    def _logits(self, x):
        return self._output.logits(self._encode(x, len(self.units)), self._kinds["normalization"])

    def _scaled(self, x):
        if self._kinds["scale"] == "rank-gauss":
            return _interpolated(x, *self._scaling)
        offset, factor = self._scaling
        return (x - offset) * factor

    def _unscaled(self, x):
        if self._kinds["scale"] == "rank-gauss":
            return _interpolated(x, *reversed(self._scaling))
        offset, factor = self._scaling
        return x / factor + offset

    # Samples.

    def _apply(self, samples, function, shape=(), dtype=np.float32):
        """The function of scaled inputs, for all samples: (samples, *shape)."""
        features = np.shape(samples)[1:]
        if not features or np.prod(features) != self.n_features_in_:
            self._refuse(f"takes {self.n_features_in_} features; the samples have shape "
                         f"{np.shape(samples)}, whose first dimension counts the samples")
        return self._in_blocks(samples, lambda block, at: function(self._inputs(block, at)), shape,
                               dtype)

    def _in_blocks(self, rows, function, shape, dtype=np.float32):
        if not hasattr(rows, "dtype"):  # Lists and tables.
            rows = np.asarray(rows)
        widest = max(self.n_features_in_, *self.units, len(self.classes_))
        length = min(max(BLOCK_ELEMENTS // widest, 1), BLOCK_SAMPLES)
        result = np.empty((rows.shape[0], *shape), dtype)
        with np.errstate(over="ignore"):  # Where exp(-a) is infinite, a sigmoid is 0.
            for at in range(0, len(result), length):
                values = function(np.asarray(rows[at:at + length]), at)
                result[at:at + length] = values.reshape(-1, *shape)
        return result

    def _inputs(self, block, first):
        """Scaled inputs (samples, features). `first`: number of the block's first sample."""
        x = block.reshape(len(block), -1).astype(np.float32)
        if not np.isfinite(x).all():
            sample, feature = np.argwhere(~np.isfinite(x))[0]
            name = f" ('{self.feature_names[feature]}')" if self.feature_names else ""
            raise ValueError(f"Feature {feature}{name} of sample {first + sample} is "
                             f"{x[sample, feature]}, not a finite number.")
        trained_on = self._kinds["input_type"]
        if block.dtype == np.uint8:
            if trained_on == "float32":
                self._refuse("was trained on float32; the samples are uint8, which are divided by 255: "
                             "give them as float32, with values like those that it was trained on")
            x /= 255
        elif trained_on == "uint8" and np.abs(x).max() > LARGEST_SHARE_OF_255:
            self._refuse(f"was trained on bytes; the samples are {block.dtype} up to "
                         f"{np.abs(x).max():g}: give them as uint8, or divided by 255")
        return self._scaled(x)

    # What a model cannot do.

    def _refuse(self, fault):
        raise ValueError(f"The model {self._path} {fault}.")

    def _layers(self, layer, decodes):
        """The number of layers up to this one, or of all."""
        kinds = [self._kinds[name] for name in ("decoder", "lateral", "normalization")]
        if decodes and kinds != ["tied", 0, "none"]:
            self._refuse("cannot reconstruct: while it was trained, its decoder also took the noisy "
                         "values of each layer or the statistics of each minibatch")
        if layer is not None and not 1 <= layer <= len(self.units):
            self._refuse(f"has {len(self.units)} hidden layers, so that layer is not {layer}")
        return layer or len(self.units)

    def _check_classifier(self):
        if self._output is None:
            self._refuse("is an autoencoder without classes; score and encode apply it")
        if not self._output_is_trained:
            warnings.warn(f"{self._path} was saved before the first step of fine-tuning: its output "
                          "layer is not trained, and the classes that it predicts mean nothing.",
                          stacklevel=3)

    # The file.

    def _read_kinds(self, file):
        found = file.attrs.get("format", "")
        if found != FORMAT:
            self._refuse(f"is not a checkpoint: its attribute 'format' is '{found}', not '{FORMAT}'")
        version = file.attrs["version"]
        if not 1 <= version <= VERSION:
            self._refuse(f"has format version {version}; this module reads versions up to {VERSION}")
        kinds = {**EARLY, **(VERSION_1 if version == 1 else {}), **file["model"].attrs}
        for name, known in KINDS.items():
            if kinds[name] not in known:
                self._refuse(f"has {name} '{kinds[name]}', which this module does not know")
        return kinds

    def _read_array(self, group, name, *shape):
        """A length of None in the shape is any."""
        values = group[name][:]
        if values.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, values.shape)):
            self._refuse(f"is damaged: {group.name}/{name} has shape {values.shape}")
        return values

    def _read_layer(self, group, inputs=None):
        weights = self._read_array(group, "weights", inputs, None)
        inputs, units = weights.shape
        bias = self._read_array(group, "bias", units)
        gain, visible_bias = (self._read_array(group, name, size) if name in group else None
                              for name, size in (("gain", units), ("visible_bias", inputs)))
        if self._kinds["normalization"] == "batch":  # Becomes part of weights and bias.
            mean, variance = (self._read_array(group, name, units) for name in ("mean", "variance"))
            scale = (1 if gain is None else gain) / np.sqrt(variance.astype(np.float64) + EPSILON)
            weights, gain = weights * scale.astype(np.float32), None
            bias = (bias - mean * scale).astype(np.float32)
        return _Layer(weights, bias, gain, visible_bias)

    def _read_scaling(self, file):
        """Offset and factor; of rank-gauss two lists of knots, of each feature."""
        kind, inputs = self._kinds["scale"], self.n_features_in_
        if kind == "none":
            return np.float32(0), np.float32(1)
        if kind != "rank-gauss":
            return [self._read_array(file["scaling"], name, inputs) for name in ("offset", "factor")]
        tables = [self._read_array(file["scaling"], name, inputs, None) for name in ("values", "normal")]
        # The largest float fills up the rows of features with fewer knots.
        knots = np.maximum((tables[0] < np.finfo(np.float32).max).sum(axis=1), 1)
        return [[row[:count] for row, count in zip(table, knots)] for table in tables]
