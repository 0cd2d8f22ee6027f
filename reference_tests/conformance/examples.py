"""Examples for members of catalogue rows, which have no init and inputs of their own, and checks that do not apply.

A row's object is built from the row's own init and inputs; a member needs an entry in MEMBERS. Every reason in SKIPS is
printed in the report.
"""

from __future__ import annotations

import inspect
from typing import Any

import keras

from keras_course import catalog

LABELS = {"y_true": {"shape": (6, 1)}, "y_pred": {"shape": (6, 2)}}
SCORED = {"y_true": {"shape": (6, 1), "dtype": "int32", "max": 2}, "y_pred": {"shape": (6, 1)}}
CHOSEN = {
    "y_true": {"shape": (6,), "dtype": "int32", "max": 3},
    "y_pred": {"shape": (6, 3), "dtype": "probability"},
}
ASKED = {"y_true": {"shape": (6, 4, 2), "dtype": "int32", "max": 3}, "y_pred": {"shape": (6, 4, 2)}}

_AUGMENTATION = "keras_course.layers.augmentation"
_IDS = {"tokens": {"shape": (4, 6), "dtype": "int32", "max": 7}}

_FLOWS = "keras_course.layers.flows"
_SMALL = {"units": [3], "activation": "tanh", "start_scale": 1.0, "seed": 1}
_ACTNORM = {"class_name": "ActNorm", "registered_name": "keras_course>ActNorm", "module": _FLOWS, "config": {}}

MEMBERS: dict[str, dict[str, Any]] = {
    f"{_FLOWS}.coupling:AdditiveCoupling": {"init": {"mask": "alternating", "flip": True, **_SMALL}, "inputs": (2, 5)},
    f"{_FLOWS}.coupling:AffineCoupling": {
        "init": {"mask": [1, 0, 0, 1], "log_scale_bound": 1.0, **_SMALL},
        "inputs": {"inputs": {"shape": (2, 4)}, "condition": {"shape": (2, 3)}},
    },
    f"{_FLOWS}.coupling_network:CouplingNetwork": {"init": {"outputs": 2, **_SMALL}, "inputs": (2, 3)},
    f"{_FLOWS}.actnorm:ActNorm": {"init": {}, "inputs": (2, 7, 3)},
    f"{_FLOWS}.rearrangements:Squeeze": {"init": {}, "inputs": (2, 2, 4, 1)},
    f"{_FLOWS}.rearrangements:Permutation": {"init": {"order": "random"}, "inputs": (2, 9)},
    f"{_FLOWS}.rearrangements:LogitTransform": {
        "init": {"alpha": 0.2},
        "inputs": {"x": {"shape": (2, 3), "dtype": "probability"}},
    },
    f"{_FLOWS}.chain:FlowChain": {"init": {"flows": [_ACTNORM]}, "inputs": (2, 7, 3)},
    f"{_FLOWS}.chain:FactorOut": {"init": {"flows": [_ACTNORM]}, "inputs": (2, 7, 1, 6)},
    "keras_course.layers.additive_attention:AdditiveAttention": {
        "init": {"units": 3},
        "inputs": {"query": {"shape": (2, 4)}, "annotations": {"shape": (2, 3, 2, 5)}},
    },
    "keras_course.layers.autoregressive.masked_dense:MaskedDense": {
        "init": {"input_degrees": [2, 1, 3], "output_degrees": [1, 3, 2, 2], "activation": "tanh"},
        "inputs": (4, 3),
    },
    "keras_course.layers.autoregressive.masked_mlp:MaskedMLP": {
        "init": {
            "features": 3,
            "outputs": 2,
            "units": (4, 5),
            "order": [1, 2, 0],
            "direct": True,
            "activation": "tanh",
            "condition": 2,
        },
        "inputs": {"inputs": {"shape": (4, 3)}, "condition": {"shape": (4, 2)}},
    },
    "keras_course.layers.flows.masked_autoregressive:MaskedAutoregressive": {
        "init": {"units": (4, 5), "order": [1, 2, 0], "start_scale": 1.0, "activation": "tanh"},
        "inputs": {"inputs": {"shape": (4, 3)}, "condition": {"shape": (4, 2)}},
    },
    "keras_course.layers.convolution:Convolution1D": {
        "init": {"filters": 2, "kernel_size": 3, "padding": "replicate", "activation": "tanh", "flip": True},
        "inputs": (2, 6, 2),
    },
    "keras_course.layers.convolution:Convolution3D": {
        "init": {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "zero"},
        "inputs": (2, 4, 4, 4, 2),
    },
    "keras_course.layers.masked_convolution:MaskedConvolution2D": {
        "init": {"filters": 4, "kernel_size": 3, "mask": "A", "colours": 2, "activation": "tanh"},
        "inputs": (2, 3, 4, 2),
    },
    "keras_course.layers.transposed_convolution:TransposedConvolution2D": {
        "init": {"filters": 2, "kernel_size": 3, "strides": (2, 1), "padding": "zero", "activation": "tanh"},
        "inputs": (2, 3, 4, 2),
    },
    "keras_course.models.vision.convolutional_trunk:ConvolutionalTrunk": {
        "init": {"filters": (2, 3), "convolutions": 1, "head": (4,), "head_kernel": 3, "activation": "tanh"},
        "inputs": (2, 6, 5, 2),
    },
    "keras_course.layers.locally_connected:LocallyConnected1D": {
        "init": {
            "filters": 2,
            "kernel_size": 2,
            "strides": 2,
            "padding": "same",
            "implementation": 3,
            "activation": "tanh",
        },
        "inputs": (2, 5, 2),
    },
    "keras_course.layers.pooling:AveragePooling": {
        "init": {"pool_size": 3, "strides": 2, "padding": "same"},
        "inputs": (2, 7, 7, 2),
    },
    "keras_course.layers.channelwise_dense:ChannelwiseDense": {
        "init": {"activation": "tanh", "seed": 1},
        "inputs": (2, 3, 2, 4),
    },
    "keras_course.losses.nt_xent:NTXentLoss": {
        "init": {"temperature": 0.7},
        "inputs": {"y_true": {"shape": (6, 3)}, "y_pred": {"shape": (6, 3)}},
    },
    "keras_course.layers.pooling:GlobalMaxPooling": {"init": {}, "inputs": (2, 4, 5, 3)},
    "keras_course.layers.residual_block:ResidualBlock": {
        "init": {"filters": 3, "strides": 2, "normalization": {"momentum": 0.5}, "seed": 1},
        "inputs": (2, 5, 4, 2),
    },
    "keras_course.layers.residual_block:BottleneckBlock": {
        "init": {"filters": 2, "strided": "3x3", "expansion": 2, "shortcut": "A", "seed": 1},
        "inputs": (2, 4, 3, 4),
    },
    "keras_course.layers.dense_block:DenseBlock": {
        "init": {"layers": 2, "growth_rate": 2, "bottleneck": 2, "seed": 1},
        "inputs": (2, 4, 3, 2),
    },
    "keras_course.layers.dense_block:TransitionLayer": {
        "init": {"compression": 0.7, "seed": 1},
        "inputs": (2, 5, 4, 3),
    },
    "keras_course.layers.soft_window:SoftWindow": {
        "init": {"components": 2, "first_step": 0.3},
        "inputs": {"hidden": {"shape": (2, 4, 3)}, "characters": {"shape": (2, 3, 5)}},
    },
    "keras_course.layers.windowed_lstm:WindowedLSTM": {
        "init": {"units": 3, "window": 2, "first_step": 0.3},
        "inputs": {"sequences": {"shape": (2, 4, 2)}, "characters": {"shape": (2, 3, 5)}},
    },
    "keras_course.layers.recurrent.reservoir:Reservoir": {
        "init": {
            "units": 6,
            "density": 0.5,
            "leak": 0.4,
            "leak_form": "printed",
            "bias_scaling": 0.2,
            "return_sequences": True,
            "seed": 2,
        },
        "inputs": (2, 4, 3),
    },
    "keras_course.layers.recurrent.spiking_reservoir:SpikingReservoir": {
        "init": {
            "grid": (2, 2, 2),
            "input_strength": 6.0,
            "drive": 1.5,
            "refractory": 1,
            "return_sequences": True,
            "seed": 2,
        },
        "inputs": (2, 4, 3),
    },
    "keras_course.layers.maxout:Maxout": {"init": {"units": 2, "pieces": 3}, "inputs": (2, 4, 3)},
    "keras_course.layers.prelu:PReLU": {"init": {"alpha_initializer": "ones", "shared_axes": [1]}, "inputs": (2, 4, 3)},
    "keras_course.layers.noise_injection:NoisyDense": {"init": {"units": 2, "stddev": 0.3}, "inputs": (2, 4, 3)},
    f"{_AUGMENTATION}.geometry:RandomShift": {"init": {"down": 2.0, "right": 1.5, "fill": 0.5}, "inputs": (3, 5, 6, 2)},
    f"{_AUGMENTATION}.geometry:RandomScale": {"init": {"amount": 0.5, "fill": 0.5}, "inputs": (3, 5, 6, 2)},
    f"{_AUGMENTATION}.geometry:RandomAffine": {
        "init": {"down": 1.0, "angle": 0.4, "amount": 0.3, "shear": 0.5, "fill": 0.5},
        "inputs": (3, 5, 6, 2),
    },
    f"{_AUGMENTATION}.colour:RandomColourShift": {
        "init": {"amount": 0.3, "value_range": [-1.0, 1.5]},
        "inputs": (3, 4, 3, 3),
    },
    f"{_AUGMENTATION}.focus:RandomBlur": {"init": {"sigma": 1.5, "radius": 3}, "inputs": (3, 5, 6, 2)},
    f"{_AUGMENTATION}.focus:RandomSharpen": {
        "init": {"amount": 2.0, "sigma": 0.8, "radius": 1},
        "inputs": (3, 5, 6, 2),
    },
    f"{_AUGMENTATION}.sound:RandomEcho": {"init": {"delay": [1, 4], "gain": [0.2, 0.7]}, "inputs": (3, 9)},
    f"{_AUGMENTATION}.sound:RandomNoise": {"init": {"snr": [5.0, 15.0]}, "inputs": (3, 9, 2)},
    f"{_AUGMENTATION}.text:RandomTypos": {"init": {"rate": 0.5, "vocabulary": 7}, "inputs": _IDS},
    f"{_AUGMENTATION}.text:RandomOmissions": {"init": {"rate": 0.5}, "inputs": _IDS},
    f"{_AUGMENTATION}.weighted_choice:WeightedChoice": {
        "init": {
            "transforms": [
                {
                    "class_name": "RandomShift",
                    "registered_name": "keras_course>RandomShift",
                    "module": f"{_AUGMENTATION}.geometry",
                    "config": {"down": 2.0},
                },
                {
                    "class_name": "RandomBlur",
                    "registered_name": "keras_course>RandomBlur",
                    "module": f"{_AUGMENTATION}.focus",
                    "config": {"sigma": 1.0},
                },
            ],
            "relevance": [1.0, 3.0],
        },
        "inputs": (3, 5, 6, 2),
    },
    "keras_course.layers.recurrent.neural_turing_machine:NTM": {
        "init": {
            "units": 3,
            "slots": 4,
            "width": 2,
            "write_heads": 2,
            "controller": "feedforward",
            "dropout": 0.25,
            "seed": 3,
            "return_sequences": True,
            "learn_memory": True,
        },
        "inputs": (2, 4, 3),
    },
    "keras_course.losses.asked_bits:AskedBitsLoss": {"init": {}, "inputs": ASKED},
    "keras_course.metrics.bit_error:BitError": {"init": {}, "inputs": ASKED},
    "keras_course.optimizers.decoupled_weight_decay:DecoupledWeightDecay": {
        "init": {"optimizer": "sgd", "decay": 0.1, "form": "fixed"},
        "inputs": (1,),
    },
    "keras_course.distributions.negative_log_likelihood:NegativeLogLikelihood": {
        "init": {"family": "normal"},
        "inputs": LABELS,
    },
    "keras_course.metrics.precision_recall:Precision": {
        "init": {"threshold": 0.0, "zero_division": 1},
        "inputs": SCORED,
    },
    "keras_course.metrics.precision_recall:Recall": {"init": {"threshold": 0.0}, "inputs": SCORED},
    "keras_course.metrics.pr_curve:PRCurve": {"init": {"thresholds": 51, "from_logits": True}, "inputs": SCORED},
    "keras_course.metrics.total_cost:TotalCost": {
        "init": {"costs": [[0.0, 10.0, 2.0], [1.0, 0.0, 3.0], [5.0, 4.0, 0.0]], "mean": True},
        "inputs": CHOSEN,
    },
    "keras_course.metrics.coverage:Coverage": {"init": {"accuracy": 0.5, "thresholds": 21}, "inputs": CHOSEN},
    "keras_course.metrics.mean_iou:MeanIoU": {"init": {"classes": 3, "average": "weighted"}, "inputs": CHOSEN},
    "keras_course.metrics.purity:Purity": {
        "init": {"clusters": 3, "classes": 2},
        "inputs": {
            "y_true": {"shape": (6,), "dtype": "int32", "max": 2},
            "y_pred": {"shape": (6,), "dtype": "int32", "max": 3},
        },
    },
}

_AMONG_OTHERS = "the other rows of the batch are what a pair is told from"
_NO_DRAWS = {"training_draws_are_fresh": "training differs by the batch's statistics; the seed is for initial weights"}

SKIPS: dict[str, dict[str, str]] = {
    "keras_course.layers.residual_block:ResidualBlock": _NO_DRAWS,
    "keras_course.layers.residual_block:BottleneckBlock": _NO_DRAWS,
    "keras_course.layers.dense_block:DenseBlock": _NO_DRAWS,
    "keras_course.layers.dense_block:TransitionLayer": _NO_DRAWS,
    "keras_course.losses.nt_xent:NTXentLoss": {
        "a_weight_of_two_counts_an_example_twice": _AMONG_OTHERS,
        "a_weight_of_zero_leaves_an_example_out": _AMONG_OTHERS,
        "values_do_not_depend_on_the_batch": _AMONG_OTHERS,
    },
    "keras_course.optimizers.decoupled_weight_decay:DecoupledWeightDecay": {
        "gradients_are_clipped": "the optimizer inside clips: clipvalue and clipnorm are its arguments"
    },
}

KINDS = {"layer": keras.layers.Layer, "loss": keras.losses.Loss, "metric": keras.metrics.Metric,
         "optimizer": keras.optimizers.Optimizer}  # fmt: skip


def examples_of(kind: str) -> dict[str, tuple[type, dict[str, Any], Any, dict[str, str]] | None]:
    """{reference: (class, init, inputs, skip)} of every row and member of one kind; None where MEMBERS lacks a line."""
    found = {}
    for entry in catalog.entries():
        for reference in entry.parts:
            part = catalog.resolve_member(reference)
            if not inspect.isclass(part) or issubclass(part, keras.Model) or not issubclass(part, KINDS[kind]):
                continue
            own = {"init": dict(entry.init), "inputs": entry.inputs} if reference == entry.object else None
            example = own or MEMBERS.get(reference)
            if example is None:
                found[reference] = None
            else:
                found[reference] = (part, example["init"], example["inputs"], SKIPS.get(reference, {}))
    return found
