"""Models of the course, a folder a topic; all are Keras models with endpoints (`keras_course.core.model.Model`)."""

from keras_course.models.autoencoders import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    SparseCoding,
)
from keras_course.models.densities import DistributionRegression
from keras_course.models.energy import RBM, BoltzmannMachine
from keras_course.models.generative import GAN, WGAN, VariationalAutoencoder
from keras_course.models.latent import PCA, BinomialMixture, GaussianMixture, KMeans
from keras_course.models.perceptrons import (
    MLP,
    BackpropMLP,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    SoftmaxRegression,
)
from keras_course.models.recurrent import (
    BackpropThroughTime,
    Captioner,
    CharacterLM,
    DeepRNN,
    EchoStateNetwork,
    LiquidStateMachine,
    MemoryNetwork,
    NeuralTuringMachine,
)
from keras_course.models.regularized import (
    AdaBoost,
    AdversarialTraining,
    Bagging,
    DecisionStump,
    DropoutMLP,
    TiedPair,
)
from keras_course.models.selfsupervised import ContextPrediction, RotationPrediction
from keras_course.models.vision import FCN, LeNet

__all__ = [
    "AdaBoost",
    "AdversarialTraining",
    "Autoencoder",
    "BackpropMLP",
    "BackpropThroughTime",
    "Bagging",
    "BinomialMixture",
    "BoltzmannMachine",
    "Captioner",
    "CharacterLM",
    "ContextPrediction",
    "ContractiveAutoencoder",
    "DecisionStump",
    "DeepRNN",
    "DenoisingAutoencoder",
    "DistributionRegression",
    "DropoutMLP",
    "EchoStateNetwork",
    "FCN",
    "GAN",
    "GaussianMixture",
    "KMeans",
    "LeNet",
    "LinearRegression",
    "LiquidStateMachine",
    "LogisticRegression",
    "MLP",
    "MemoryNetwork",
    "NeuralTuringMachine",
    "PCA",
    "Perceptron",
    "RBM",
    "RotationPrediction",
    "SoftmaxRegression",
    "SparseAutoencoder",
    "SparseCoding",
    "TiedPair",
    "VariationalAutoencoder",
    "WGAN",
]
