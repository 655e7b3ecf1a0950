"""Building networks: parameters, the modules that hold them, and losses."""

from engine.nn.activation import Identity, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from engine.nn.container import ModuleList, Sequential
from engine.nn.convolution import Conv2d
from engine.nn.dropout import Dropout
from engine.nn.embedding import Embedding
from engine.nn.flatten import Flatten
from engine.nn.linear import Linear
from engine.nn.loss import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss, NLLLoss
from engine.nn.module import Module
from engine.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from engine.nn.parameter import Parameter
from engine.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from engine.nn.state_dict import LoadResult

__all__ = [
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "LayerNorm",
    "Linear",
    "LoadResult",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
