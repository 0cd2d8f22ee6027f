"""Rows of the chapters on generative models."""

from keras_course.catalog.entry import Entry, on_images

_MODELS = "keras_course.models.generative"
_FLOWS = "keras_course.layers.flows"

ROWS = (
    Entry(
        "vae", "Variational autoencoder", shape="model",
        object=f"{_MODELS}.variational_autoencoder:VariationalAutoencoder",
        init={"shape": 6, "latent": 2, "units": (5,)}, inputs={"x": {"shape": [12, 6], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.generative:vae"), sources=("C 19.4", "R"),
        members=("keras_course.callbacks.code_watch:CodeWatch", "keras_course.callbacks.code_watch:code_report")
        + tuple(
            f"keras_course.ops.elbo:{name}"
            for name in (
                "elbo_from_divergence", "elbo_from_joint", "elbo_from_entropy", "importance_weighted_bound",
                "diagonal_gaussian_divergence", "diagonal_gaussian_entropy", "diagonal_gaussian_log_density",
                "bernoulli_log_likelihood", "reparametrised", "with_free_bits", "active_units",
            )
        ),
    ),
    Entry(
        "draw", "DRAW: images in strokes, through windows that look and draw", shape="model",
        object=f"{_MODELS}.draw:DRAW",
        init={"shape": (3, 4), "steps": 2, "latent": 2, "units": 3, "read": 2, "write": 2, "evaluation_samples": 2},
        inputs={"x": {"shape": [12, 3, 4], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.draw:draw"), sources=("C 19.4",),
        members=tuple(
            f"keras_course.ops.draw_attention:{name}"
            for name in ("window_of", "filterbank", "read_window", "write_window")
        ),
    ),
    Entry(
        "gan", "Generative adversarial network", shape="model", object=f"{_MODELS}.gan:GAN",
        init={
            "shape": 3, "latent": 2, "generator": (4,), "discriminator": (5,), "steps": 2, "classes": 4,
            "activation": "tanh",
        },
        inputs=(4, 3), **on_images("keras_course.recipes.gan:gan"), sources=("C 19.5", "R"),
        members=tuple(
            f"keras_course.ops.adversarial_games:{name}"
            for name in (
                "discriminator_loss", "generator_loss", "optimal_discriminator", "game_value", "jensen_shannon",
            )
        ) + (f"{_MODELS}.dcgan:dcgan_networks",),
    ),
    Entry(
        "wgan", "Wasserstein GAN: weight clipping, gradient penalty", shape="model", object=f"{_MODELS}.wgan:WGAN",
        init={
            "shape": 3, "latent": 2, "generator": (4,), "discriminator": (5,), "penalty": 1.0, "steps": 1,
            "activation": "tanh",
        },
        inputs=(4, 3), **on_images("keras_course.recipes.gan:wgan"), sources=("R",),
        members=tuple(
            f"keras_course.ops.adversarial_games:{name}" for name in ("critic_loss", "mixed_rows", "gradient_penalty")
        ),
    ),
    Entry(
        "gan-diagnostics", "How many things, how good, how diverse: samples without a likelihood", shape="op",
        object="keras_course.ops.birthday:birthday_paradox", sources=("R",),
        members=(
            *(
                f"keras_course.ops.birthday:{name}"
                for name in ("collision_probability", "birthday_size", "closest_pairs")
            ),
            *(
                f"keras_course.ops.sample_quality:{name}"
                for name in ("inception_score", "precision_and_recall", "frechet_distance", "moments_of_samples")
            ),
            "keras_course.ops.interpolation:interpolate",
        ),
    ),
    Entry(
        "pixel-cnn", "PixelCNN: exact densities of images, pixel after pixel", shape="model",
        object=f"{_MODELS}.pixel_cnn:PixelCNN",
        init={"shape": (2, 3), "filters": 2, "blocks": 1, "first_kernel": 3},
        inputs={"x": {"shape": [12, 2, 3], "dtype": "int32", "max": 2}},
        **on_images(
            "keras_course.recipes.pixel_cnn:pixel_cnn", "digits",
            {
                "digits-by-class": "keras_course.recipes.pixel_cnn:pixel_cnn_of_classes",
                "mnist-by-class": "keras_course.recipes.pixel_cnn:pixel_cnn_of_large_classes",
                "fashion-mnist-by-class": "keras_course.recipes.pixel_cnn:pixel_cnn_of_large_classes",
            },
        ),
        sources=("R",),
        members=(
            "keras_course.layers.masked_convolution:MaskedConvolution2D",
            "keras_course.ops.masked_convolution:convolution_mask", "keras_course.ops.masked_convolution:causal_maps",
        ),
    ),
    Entry(
        "generator-networks", "Affine and Bernoulli generators", shape="model",
        object=f"{_MODELS}.generator_networks:BernoulliGenerator",
        init={"features": 4, "latent": 2, "units": (3,)}, inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.generator_networks:generator_networks"), sources=("C 19.3",),
        members=(
            f"{_MODELS}.generator_networks:AffineGenerator",
            *(
                f"keras_course.ops.generators:{name}"
                for name in (
                    "affine_generator", "affine_log_density", "matched_generator", "pixel_log_likelihoods",
                    "log_mean_likelihood",
                )
            ),
        ),
    ),
    Entry(
        "made", "Masked autoencoder: a product of conditionals in one or many orders", shape="model",
        object=f"{_MODELS}.made:MADE",
        init={"features": 4, "units": (5,), "order": "random", "masks": 2, "direct": True},
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.autoregressive:made"), sources=("R",),
        members=(
            *(
                f"keras_course.ops.autoregressive_masks:{name}"
                for name in ("connections", "even_degrees", "order_degrees", "random_degrees")
            ),
            "keras_course.layers.autoregressive.masked_dense:MaskedDense",
            "keras_course.layers.autoregressive.masked_mlp:MaskedMLP",
        ),
    ),
    Entry(
        "maf", "Masked autoregressive flow, and the inverse one", shape="model",
        object=f"{_MODELS}.masked_flows:MAF",
        init={"shape": 3, "layers": 2, "units": (5,), "actnorm": False, "start_scale": 1.0, "activation": "tanh"},
        inputs=(12, 3),
        **on_images("keras_course.recipes.masked_flow:maf"), sources=("R",),
        members=(
            f"{_FLOWS}.masked_autoregressive:MaskedAutoregressive",
            "keras_course.ops.autoregressive_flow:autoregressive_affine",
            "keras_course.ops.autoregressive_flow:autoregressive_affine_step",
        ),
    ),
    Entry(
        "nice", "NICE: a flow of additive couplings", shape="model",
        object=f"{_MODELS}.coupling_flows:NICE",
        init={"shape": 4, "couplings": 2, "units": (3,), "start_scale": 1.0, "levels": 2, "evaluation_samples": 2},
        inputs={"x": {"shape": [12, 4], "dtype": "int32", "max": 2}},
        **on_images("keras_course.recipes.flows:nice"), sources=("R",),
        members=(
            *(
                f"keras_course.ops.flows:{name}"
                for name in ("additive_coupling", "additive_coupling_inverse", "alternating_mask", "halves_mask")
            ),
            *(
                f"keras_course.ops.dequantization:{name}"
                for name in (
                    "bits_per_dimension", "dequantised", "quantised", "logit_transform", "logit_transform_inverse",
                )
            ),
            f"{_FLOWS}.coupling:AdditiveCoupling", f"{_FLOWS}.rearrangements:LogitTransform",
            f"{_MODELS}.conditions:Condition",
        ),
    ),
    Entry(
        "real-nvp", "Real NVP: a flow of affine couplings, multi-scale for images", shape="model",
        object=f"{_MODELS}.coupling_flows:RealNVP",
        init={"shape": 4, "couplings": 2, "units": (3,), "start_scale": 1.0}, inputs=(12, 4),
        **on_images("keras_course.recipes.flows:real_nvp"), sources=("R",),
        members=(
            *(
                f"keras_course.ops.flows:{name}"
                for name in (
                    "affine_coupling", "affine_coupling_inverse", "bounded_log_scale", "checkerboard_mask", "squeeze",
                    "unsqueeze", "actnorm", "actnorm_inverse", "actnorm_start",
                )
            ),
            f"{_FLOWS}.coupling:AffineCoupling", f"{_FLOWS}.coupling_network:CouplingNetwork",
            f"{_FLOWS}.actnorm:ActNorm", f"{_FLOWS}.rearrangements:Squeeze", f"{_FLOWS}.rearrangements:Permutation",
            f"{_FLOWS}.chain:FlowChain", f"{_FLOWS}.chain:FactorOut", f"{_FLOWS}.diagnosis:flow_readings",
            "keras_course.distributions.flow_bijector:flow_bijector", "keras_course.callbacks.flow_watch:FlowWatch",
        ),
    ),
)  # fmt: skip
