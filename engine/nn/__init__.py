"""Building networks: parameters and the modules that hold them."""

from engine.nn.activation import ReLU
from engine.nn.container import Sequential
from engine.nn.linear import Linear
from engine.nn.module import Module
from engine.nn.parameter import Parameter

__all__ = ["Linear", "Module", "Parameter", "ReLU", "Sequential"]
