"""Rows of the chapters on energy models: Boltzmann machines."""

from keras_course.catalog.entry import Entry, on_images

_MODELS = "keras_course.models.energy"
_OPS = "keras_course.ops.boltzmann"
_RECIPES = "keras_course.recipes.energy"

ROWS = (
    Entry(
        "boltzmann-machine", "Boltzmann machine with or without hidden units", shape="model",
        object=f"{_MODELS}.boltzmann_machine:BoltzmannMachine",
        init={"features": 4, "hidden": 2, "chains": 6, "sampling_steps": 20, "kernel_scale": 1.0},
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images(f"{_RECIPES}:boltzmann_machine"), sources=("C 17.3", "C 18.3", "R"),
        members=(f"{_OPS}:boltzmann_energy", f"{_OPS}:boltzmann_log_partition", f"{_OPS}:binary_states"),
    ),
    Entry(
        "dbn", "Deep belief network: greedy layers, fine-tuned up and down", shape="model",
        object=f"{_MODELS}.dbn:DBN",
        init={"features": 4, "units": [3, 2], "chains": 4, "sampling_steps": 10, "kernel_scale": 1.0},
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images(
            "keras_course.recipes.deep_energy:dbn",
            more={"digits-by-class": "keras_course.recipes.belief_of_classes:dbn_of_classes"},
        ),
        sources=("R",),
        members=tuple(
            f"keras_course.ops.deep_belief:{name}"
            for name in ("belief_bound", "belief_log_prob", "belief_log_weight", "units_log_prob")
        ) + tuple(
            f"keras_course.ops.class_units:{name}"
            for name in ("class_free_energies", "class_log_partition", "joint_log_probs")
        ),
    ),
    Entry(
        "dbm", "Deep Boltzmann machine: mean field on data, persistent chains", shape="model",
        object=f"{_MODELS}.dbm:DBM",
        init={
            "features": 4, "units": [3, 2], "chains": 6, "mean_field_steps": 3, "sampling_steps": 10,
            "kernel_scale": 1.0,
        },
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.deep_energy:dbm"), sources=("R",),
        members=tuple(
            f"keras_course.ops.deep_boltzmann:{name}"
            for name in (
                "deep_energy", "as_restricted", "deep_log_partition", "deep_unnormalised", "deep_mean_field",
                "mean_field_bound",
            )
        ),
    ),
    Entry(
        "rbm", "Restricted Boltzmann machine by contrastive divergence or persistent chains", shape="model",
        object=f"{_MODELS}.rbm:RBM",
        init={"features": 4, "units": 3, "chains": 6, "gibbs_steps": 2, "sampling_steps": 20, "kernel_scale": 1.0},
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images(f"{_RECIPES}:rbm"), sources=("C 18.3", "R"),
        members=(
            *(
                f"{_OPS}:{name}"
                for name in (
                    "rbm_energy", "rbm_free_energy", "free_energy_of_logits", "rbm_hidden_logits",
                    "rbm_visible_parameters", "rbm_log_partition", "pseudo_log_likelihood",
                )
            ),
            "keras_course.ops.contrastive_divergence:free_energy_contrast",
            f"{_MODELS}.annealing:annealed_log_partition",
        ),
    ),
    Entry(
        "energy-model", "Deep energy model by Langevin negatives from a replay buffer", shape="model",
        object=f"{_MODELS}.energy_model:EnergyModel",
        init={
            "shape": 3, "units": (5,), "base_scale": 2.0, "step_size": 0.1, "langevin_steps": 2, "buffer_size": 12,
            "negatives": 6, "sampling_steps": 5,
        },
        inputs=(12, 3),
        **on_images("keras_course.recipes.energy_model:energy_model"), sources=("C 17.3", "R"),
        members=(
            *(
                f"keras_course.ops.energy_models:{name}"
                for name in (
                    "energy_contrast", "energy_penalty", "conjunction_energy", "disjunction_energy",
                    "negation_energy", "grid_log_partition",
                )
            ),
            f"{_MODELS}.langevin_chains:langevin_chain", f"{_MODELS}.langevin_chains:langevin_walk",
            "keras_course.callbacks.energy_watch:EnergyWatch",
        ),
    ),
)  # fmt: skip
