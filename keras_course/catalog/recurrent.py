"""Rows of the chapters on recurrent networks."""

from keras_course.catalog.entry import Entry

_LAYERS = "keras_course.layers.recurrent"
_OPS = "keras_course.ops"
_TRANSLATOR = {
    "source_vocabulary": ["a", "b", "c"], "target_vocabulary": ["x", "y", "z"], "units": 5, "embedding": 4,
    "max_length": 5, "beam_width": 3,
}  # fmt: skip
_IDS = {"ids": {"shape": [4, 5], "dtype": "int32", "max": 7}}

ROWS = (
    Entry(
        "rnn", "Simple recurrent network, with outputs and connections that skip steps", shape="block",
        object=f"{_LAYERS}.rnn:RNN",
        init={"units": 3, "return_sequences": True, "output_units": 2, "skips": (2,), "weights": "concatenated"},
        inputs=(2, 4, 3), recipe="keras_course.experiments.parity:Config", sources=("C 10.3", "N", "R"),
        members=(
            "keras_course.experiments.parity:parity_task", f"{_OPS}.recurrent:rnn_step",
            f"{_OPS}.recurrence:rnn_sequence",
        ),
    ),
    Entry(
        "lstm", "Long short-term memory and the variants that leave one thing out", shape="block",
        object=f"{_LAYERS}.lstm:LSTM", init={"units": 3, "return_sequences": True, "dropout": 0.25, "seed": 3},
        inputs=(2, 4, 3), recipe="keras_course.recipes.language:lstm", sources=("C 13.2", "N", "R", "S 9.5"),
        members=(
            "keras_course.models.recurrent.character_lm:CharacterLM", f"{_OPS}.language:bits_of_symbols",
            f"{_OPS}.recurrent:lstm_step", f"{_OPS}.recurrent:lstm_gates",
            f"{_OPS}.gated_recurrence:lstm_sequence", f"{_LAYERS}.conversion:from_keras",
            f"{_LAYERS}.conversion:to_keras",
        ),
    ),
    Entry(
        "peephole-lstm", "LSTM whose gates look at the cell state", shape="block",
        object=f"{_LAYERS}.peephole_lstm:PeepholeLSTM",
        init={"units": 3, "peepholes": "full", "go_backwards": True, "learn_initial_state": True},
        inputs=(2, 4, 3), sources=("S 9.5", "C 13.2"),
        members=(
            f"{_LAYERS}.conversion:from_addons", f"{_OPS}.recurrent:peephole_lstm_step",
            f"{_OPS}.gated_recurrence:peephole_lstm_sequence",
        ),
    ),
    Entry(
        "gru", "Gated recurrent units, logistic candidate or tanh", shape="block",
        object=f"{_LAYERS}.gru:GRU", init={"units": 3, "return_state": True, "recurrent_dropout": 0.25, "seed": 3},
        inputs=(2, 4, 3), sources=("C 13.3",),
        members=(
            f"{_OPS}.recurrent:gru_step", f"{_OPS}.gated_recurrence:gru_sequence",
        ),
    ),
    Entry(
        "deep-rnn", "A stack of recurrent levels", shape="model",
        object="keras_course.models.recurrent.deep_rnn:DeepRNN",
        init={"features": 3, "outputs": 2, "units": (4, 3), "cell": "gru", "learn_initial_state": True},
        inputs=(4, 5, 3), recipe="keras_course.recipes.recurrent:deep_rnn", sources=("C 13.5", "S 9.5"),
    ),
    Entry(
        "bptt", "Back-propagation through time, written out over the copies of W", shape="model",
        object="keras_course.models.recurrent.bptt:BackpropThroughTime",
        init={"features": 3, "outputs": 2, "units": 4}, inputs=(4, 5, 3),
        recipe="keras_course.recipes.recurrent:bptt", sources=("C 12.1", "N", "B"),
        members=(f"{_OPS}.bptt:backprop_through_time",),
    ),
    Entry(
        "echo-state-network", "A random reservoir whose read-out is found in closed form", shape="model",
        object="keras_course.models.recurrent.echo_state_network:EchoStateNetwork",
        init={
            "features": 3, "outputs": 2, "units": 8, "density": 0.5, "leak": 0.5, "bias_scaling": 0.1, "ridge": 1e-3,
            "washout": 1,
        },
        inputs=(4, 5, 3), recipe="keras_course.recipes.reservoirs:echo_state_network", sources=("C 13.4",),
        datasets={
            "narma-10": "keras_course.recipes.reservoirs:echo_state_network",
            "mackey-glass": "keras_course.recipes.reservoirs:chaos_ahead",
        },
        members=(
            f"{_LAYERS}.reservoir:Reservoir", f"{_OPS}.reservoir:leaky_step", f"{_OPS}.reservoir:spectral_radius",
            f"{_OPS}.reservoir:intrinsic_plasticity_step", f"{_OPS}.reservoir_measures:linear_memory_curve",
            f"{_OPS}.reservoir_measures:squared_correlation", f"{_OPS}.reservoir_measures:exponential_divergence",
            f"{_OPS}.reservoir_measures:normalised_rmse", "keras_course.initializers.sparse_reservoir:SparseReservoir",
            "keras_course.initializers.sparse_reservoir:radius_of",
        ),
    ),
    Entry(
        "liquid-state-machine", "Spiking neurons in a box, and a read-out of their state", shape="model",
        object="keras_course.models.recurrent.liquid_state_machine:LiquidStateMachine",
        init={
            "features": 3, "outputs": 4, "grid": (2, 2, 2), "liquid": {"input_strength": 6.0, "drive": 1.5},
            "ridge": 1e-2,
        },
        inputs=(4, 6, 3), recipe="keras_course.recipes.reservoirs:liquid_state_machine", sources=("C 13.4",),
        members=(
            f"{_LAYERS}.spiking_reservoir:SpikingReservoir", f"{_OPS}.integrate_and_fire:integrate_and_fire_step",
            f"{_OPS}.integrate_and_fire:synapse_step", f"{_OPS}.integrate_and_fire:firing_interval",
            f"{_OPS}.integrate_and_fire:decay_of",
            "keras_course.initializers.liquid_connections:LiquidConnections",
        ),
    ),
    Entry(
        "bidirectional", "One network from the start, one from the end", shape="block",
        object=f"{_LAYERS}.bidirectional:Bidirectional",
        init={
            "layer": {
                "class_name": "keras_course>LSTM",
                "config": {"units": 2, "return_sequences": True},
            },
        },
        inputs=(2, 4, 3), sources=("C 10.3.2",),
    ),
    Entry(
        "vector-to-sequence", "One vector into every step", shape="block",
        object=f"{_LAYERS}.vector_to_sequence:VectorToSequence", init={"units": 3, "output_units": 2},
        inputs={"vector": {"shape": [2, 4]}, "sequence": {"shape": [2, 3, 2]}},
        recipe="keras_course.recipes.vector_to_sequence:vector_to_sequence", sources=("C 10.3.3",),
    ),
    Entry(
        "output-recurrent", "Recurrent connections from the output alone", shape="block",
        object=f"{_LAYERS}.output_recurrent:OutputRecurrentRNN", init={"units": 3, "output_units": 2},
        inputs=(2, 4, 3), recipe="keras_course.experiments.teacher_forcing:Config", sources=("C 10.3.1",),
    ),
    Entry(
        "teacher-forcing", "The true output as the next input, always or by chance", shape="op",
        object=f"{_OPS}.teacher_forcing:teacher_forced_inputs", sources=("C 10.3.1",),
        members=(f"{_OPS}.teacher_forcing:scheduled_mixing",),
    ),
    Entry(
        "handwriting", "Handwriting from text: a deep LSTM, a mixture of pen strokes, a window over the text",
        shape="model", object="keras_course.models.recurrent.handwriting:HandwritingSynthesis",
        init={"alphabet": "ab", "units": 4, "levels": 2, "components": 2, "window": 2, "text_length": 3},
        inputs=(4, 5, 4), recipe="keras_course.recipes.handwriting:handwriting", sources=("B",),
        members=(
            "keras_course.layers.soft_window:SoftWindow", "keras_course.layers.windowed_lstm:WindowedLSTM",
            "keras_course.distributions.families.pen_stroke:PenStroke",
            f"{_OPS}.handwriting:bivariate_mixture_log_density", f"{_OPS}.handwriting:bivariate_normal_log_density",
            f"{_OPS}.handwriting:sharpened", f"{_OPS}.handwriting:soft_window",
        ),
    ),
    Entry(
        "seq2seq", "From sequence to sequence through one vector; decoding greedy, by beam, by chance", shape="model",
        object="keras_course.models.recurrent.seq2seq:Seq2Seq", init=_TRANSLATOR, inputs=_IDS,
        recipe="keras_course.recipes.translation:seq2seq", sources=("C 10.3.4", "B"),
        datasets={
            "english-french": "keras_course.recipes.translation:seq2seq",
            "dates": "keras_course.recipes.translation:dates_through_one_vector",
        },
        members=(
            f"{_OPS}.decoding:beam", f"{_OPS}.decoding:greedy", f"{_OPS}.decoding:sample",
            f"{_OPS}.decoding:sampled_tokens", "keras_course.models.recurrent.text_tables:TextTables",
        ),
    ),
    Entry(
        "bahdanau-attention", "From sequence to sequence, searching the source at every word", shape="model",
        object="keras_course.models.recurrent.rnn_search:RNNSearch", init=_TRANSLATOR, inputs=_IDS,
        recipe="keras_course.recipes.translation:bahdanau_attention", sources=("B",),
        datasets={
            "english-french": "keras_course.recipes.translation:bahdanau_attention",
            "dates": "keras_course.recipes.translation:dates_by_attention",
        },
        members=(
            "keras_course.layers.additive_attention:AdditiveAttention",
            f"{_OPS}.additive_attention:additive_attention", f"{_OPS}.additive_attention:additive_scores",
            f"{_OPS}.additive_attention:masked_softmax",
        ),
    ),
    Entry(
        "captioning", "Images described in words, each of which looks somewhere", shape="model",
        object="keras_course.models.recurrent.captioner:Captioner",
        init={
            "image_shape": (8, 8, 1), "vocabulary": ("a", "small", "large", "7"), "length": 4, "units": 5,
            "embedding": 3, "annotation": 4, "attention": 3, "dropout": 0.25,
        },
        inputs=(4, 8, 8, 1), recipe="keras_course.recipes.captioning:captioning", sources=("B", "C 10.3.3"),
    ),
    Entry(
        "neural-turing-machine", "A controller that addresses a memory by content and by place", shape="model",
        object="keras_course.models.recurrent.neural_turing_machine:NeuralTuringMachine",
        init={
            "features": 3, "outputs": 2, "units": 4, "slots": 5, "width": 3, "read_heads": 2, "write_heads": 1,
            "learn_memory": True,
        },
        inputs=(4, 5, 3), recipe="keras_course.recipes.bit_sequences:neural_turing_machine", sources=("S 9.5",),
        datasets={
            "copy-task": "keras_course.recipes.bit_sequences:neural_turing_machine",
            "repeat-copy-task": "keras_course.recipes.bit_sequences:repeat_copy",
            "long-copy-task": "keras_course.recipes.bit_sequences:long_copy",
        },
        members=(
            f"{_LAYERS}.neural_turing_machine:NTM",
            f"{_OPS}.external_memory:content_weights", f"{_OPS}.external_memory:interpolated_weights",
            f"{_OPS}.external_memory:shifted_weights", f"{_OPS}.external_memory:sharpened_weights",
            f"{_OPS}.external_memory:read_memory", f"{_OPS}.external_memory:write_memory",
            f"{_OPS}.bit_sequences:asked_bits_loss", f"{_OPS}.bit_sequences:wrong_and_asked_bits",
            "keras_course.losses.asked_bits:AskedBitsLoss", "keras_course.metrics.bit_error:BitError",
        ),
    ),
    Entry(
        "memory-network", "A story of sentences, looked at several times to answer a question", shape="model",
        object="keras_course.models.recurrent.memory_network:MemoryNetwork",
        init={
            "vocabulary": ["ada", "attic", "cellar", "is", "where"], "answers": ["attic", "cellar", "no"],
            "sentences": 4, "words": 3, "width": 4, "hops": 2, "linear_start": 2,
        },
        inputs={"inputs": {"shape": [4, 5, 3], "dtype": "int32", "max": 6}},
        recipe="keras_course.recipes.question_tasks:memory_network", sources=("S 9.5",),
        members=(
            f"{_OPS}.memory_hop:position_encoded", f"{_OPS}.memory_hop:story_attention",
            f"{_OPS}.memory_hop:memory_hop",
        ),
    ),
)  # fmt: skip
