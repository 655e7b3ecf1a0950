"""The convolutional layer."""

from __future__ import annotations

from engine.creation import empty
from engine.functions.convolution import conv2d
from engine.functions.windows import Pair, Two, pair
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor


class Conv2d(Module):
    """Kernels that slide over images; see `engine.conv2d`.

    Args:
        in_channels: the channels of the input.
        out_channels: those of the output, one for each kernel.
        kernel_size: rows and columns of a kernel, or one number for both.
        stride: from one window to the next.
        padding: zeros around the images; or "valid", or "same".
        dilation: from one pixel of a window to the next.
        groups: into how many parts the channels are divided.
        bias: whether a bias is added; without one, `bias` is None.

    Weight (out, in / groups, rows, columns) and bias (out,) start evenly distributed in
    ±1/sqrt(in / groups * rows * columns).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels < 1 or out_channels < 1:
            raise ValueError(f"Conv2d: channels count from 1, not {in_channels}, {out_channels}")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: groups={groups} has to divide in_channels={in_channels} and "
                f"out_channels={out_channels}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("Conv2d: kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d: stride", stride, 1)
        self.padding = _padding(padding, self.stride)
        self.dilation = pair("Conv2d: dilation", dilation, 1)
        self.groups = groups
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        bound = (shape[1] * shape[2] * shape[3]) ** -0.5
        self.weight = Parameter(empty(shape).uniform_(-bound, bound))
        self.bias = Parameter(empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, rows, columns) to (N, out, windows down, windows across)."""
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


def _padding(padding: Pair | str, stride: Two) -> Two | str:
    if not isinstance(padding, str):
        return pair("Conv2d: padding", padding)
    if padding not in ("valid", "same"):
        raise ValueError(
            f"Conv2d: padding is an integer, two of them, 'valid' or 'same', not {padding!r}"
        )
    if padding == "same" and stride != (1, 1):
        raise ValueError(f"Conv2d: padding='same' needs a stride of 1, not {stride}")
    return padding
