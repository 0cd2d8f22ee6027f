"""Classic mistakes in autoencoders and sparse coding; every one must turn a golden of its system red."""

from keras import ops

from keras_course.models.autoencoders import Autoencoder, ContractiveAutoencoder, DenoisingAutoencoder
from keras_course.models.latent.pca import PCA
from keras_course.ops.code_penalties import squared_jacobian_norm
from keras_course.ops.reconstruction import bernoulli_errors
from keras_course.ops.sparse_coding import dictionary_update, ista_step


class ForgottenMean(PCA):
    def encode(self, x):
        return ops.matmul(x, ops.transpose(self.components))


class OwnKernelsBack(Autoencoder):
    """Untied, where tied weights were asked for."""

    def __init__(self, *args, tied=False, **kwargs):
        super().__init__(*args, tied=False, **kwargs)


class AwayFromTheData(DenoisingAutoencoder):
    def score(self, x):
        return -super().score(x)


class SlopesNotSquared(ContractiveAutoencoder):
    def contraction(self, x):
        x = ops.cast(x, self.compute_dtype)
        slopes = []
        for kernel, bias, activation in zip(
            self.coder.kernels, self.coder.biases, self.coder.activations, strict=False
        ):
            x = activation(ops.matmul(x, kernel) + bias)
            slopes.append(ops.sqrt(x * (1 - x)) if activation.__name__ == "sigmoid" else ops.sqrt(1 - x * x))
        return squared_jacobian_norm([ops.convert_to_tensor(kernel) for kernel in self.coder.kernels], slopes)


def mean_for_sum_over_pixels(x, logits):
    return bernoulli_errors(x, logits) / x.shape[-1]


def divergence_from_the_target(means, target):
    """KL(m || rho) for KL(rho || m)."""
    return ops.sum(means * ops.log(means / target) + (1 - means) * ops.log((1 - means) / (1 - target)), axis=-1)


def threshold_not_scaled_by_the_rate(x, atoms, penalty, steps, method="fista"):
    rate = 1 / ops.linalg.eigh(ops.matmul(atoms, ops.transpose(atoms)))[0][-1]
    codes = ops.zeros((x.shape[0], atoms.shape[0]), x.dtype)
    for _ in range(steps):
        codes = ista_step(codes, x, atoms, penalty / rate, rate)
    return codes


def atoms_out_of_the_ball(atoms, products, sums):
    return 2 * dictionary_update(atoms / 2, products, sums)


AUTOENCODER_FAULTS = {
    "codes about the origin": ("pca", ForgottenMean),
    "tied weights that are not": ("autoencoder", OwnKernelsBack),
    "cross-entropy averaged over pixels": ("autoencoder.bernoulli_errors", mean_for_sum_over_pixels),
    "score of the wrong sign": ("denoising-autoencoder", AwayFromTheData),
    "divergence from the target": ("sparse-autoencoder.activity_divergence", divergence_from_the_target),
    "slopes not squared": ("contractive-autoencoder", SlopesNotSquared),
    "threshold not scaled by the rate": ("sparse-coding.sparse_codes", threshold_not_scaled_by_the_rate),
    "atoms out of the ball": ("sparse-coding.dictionary_update", atoms_out_of_the_ball),
}
