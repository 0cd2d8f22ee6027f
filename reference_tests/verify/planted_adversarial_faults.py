"""Classic mistakes in adversarial training and in what samples are said to be worth; each turns a golden red."""

from keras import ops

from keras_course.models.generative.gan import GAN
from keras_course.models.generative.wgan import WGAN
from keras_course.ops import adversarial_games, birthday, interpolation, sample_quality


class GeneratorAscends(GAN):
    def generator_costs(self, fake):
        return -super().generator_costs(fake)


class OneStepForAll(GAN):
    """k is forgotten: every step of the discriminator sees the whole batch, once."""

    def __init__(self, *args, steps=1, **kwargs):
        super().__init__(*args, steps=1, **kwargs)


class UnclippedCritic(WGAN):
    def after_discriminator_step(self):
        pass


class NormNotSquared(WGAN):
    def penalties_of_rows(self, *given):
        found = super().penalties_of_rows(*given)
        return None if found is None else ops.sqrt(found)


def real_and_fake_exchanged(real, fake):
    return adversarial_games.discriminator_loss(fake, real)


def data_counted_twice(p, q):
    return p / (2 * p + q)


def slope_towards_zero(critic, x, norm=1.0, one_sided=False):
    return ops.square(ops.sqrt(adversarial_games.gradient_penalty(critic, x, norm, one_sided)) + norm)


def ordered_pairs(samples, duplicates=None, threshold=0.0):
    found = birthday.birthday_paradox(samples, duplicates, threshold)
    return found._replace(pairs=2 * found.pairs, support=found.support / 2)


def score_in_bits(probabilities, splits=1):
    return ops.log2(sample_quality.inception_score(probabilities, splits))


def precision_for_recall(real, fake, neighbours=3):
    found = sample_quality.precision_and_recall(real, fake, neighbours)
    return sample_quality.Coverage(found.recall, found.precision)


def biased_covariance(samples):
    mean, covariance = sample_quality.moments_of_samples(samples)
    return mean, covariance * (samples.shape[0] - 1) / samples.shape[0]


def always_straight(first, second, shares, way="linear"):
    return interpolation.interpolate(first, second, shares)


ADVERSARIAL_FAULTS = {
    "generator that ascends": ("gan", GeneratorAscends),
    "one step of the discriminator": ("gan", OneStepForAll),
    "real and fake exchanged": ("gan.discriminator_loss", real_and_fake_exchanged),
    "data counted twice": ("gan.optimal_discriminator", data_counted_twice),
    "critic that is not clipped": ("wgan", UnclippedCritic),
    "penalty not squared": ("wgan", NormNotSquared),
    "slope towards zero": ("wgan.gradient_penalty", slope_towards_zero),
    "ordered pairs counted": ("gan-diagnostics", ordered_pairs),
    "inception score in bits": ("gan-diagnostics.inception_score", score_in_bits),
    "precision for recall": ("gan-diagnostics.precision_and_recall", precision_for_recall),
    "biased covariance": ("gan-diagnostics.moments_of_samples", biased_covariance),
    "always straight": ("gan-diagnostics.interpolate", always_straight),
}
