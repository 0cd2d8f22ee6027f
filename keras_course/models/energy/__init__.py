"""Models that give every state an energy: P = exp(-E) / Z."""

from keras_course.models.energy.annealing import LogPartition, annealed_log_partition
from keras_course.models.energy.boltzmann_machine import BoltzmannMachine
from keras_course.models.energy.dbm import DBM
from keras_course.models.energy.dbn import DBN
from keras_course.models.energy.energy_model import EnergyModel
from keras_course.models.energy.langevin_chains import langevin_chain, langevin_walk
from keras_course.models.energy.rbm import RBM

__all__ = [
    "DBM",
    "DBN",
    "RBM",
    "BoltzmannMachine",
    "EnergyModel",
    "LogPartition",
    "annealed_log_partition",
    "langevin_chain",
    "langevin_walk",
]
