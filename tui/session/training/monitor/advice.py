"""What a warning of the table means, and what can be done."""

from __future__ import annotations

ADVICE: dict[str, str] = {
    "nan": "Once a NaN or Inf is in a parameter it stays: each batch after it has one, too. The "
    "usual causes are a rate that is too high, a log or a division of 0, an exp of something "
    "large. p goes back by a batch, as far as it is kept, and r to the start: from before the "
    "batch that is named, s steps into it, c goes to its end, and w there says where it starts.",
    "frozen": "requires_grad is off, so no gradient is computed for it and nothing changes it.",
    "unreached": "Nothing of the loss is computed from it by operations that are recorded: it is "
    "not used in forward(), or a detach(), a no_grad or .array lies between.",
    "skipped": "Other batches have used it, this one has not.",
    "left out": "Its gradient is computed, but the optimiser was made without it: give it "
    "model.parameters(). Nor does zero_grad() clear its gradient, which adds up from batch to "
    "batch.",
    "uncleared": "backward() adds to what .grad holds. Where zero_grad() does not set it to None "
    "or to zeros before each batch, an update follows the sum of all batches so far, and grows "
    "with it.",
    "all zero": "Units whose weights are the same compute the same and learn the same; where the "
    "weights are 0, and a ReLU follows, nothing comes back at all. Random numbers that are smaller "
    "the more inputs there are, such as those of Linear, keep them apart.",
    "all off": "Each of its units is 0 for each example, and the slope of a ReLU is 0 there: no "
    "gradient comes back, so that nothing wakes them. One update that was too long, or a bias far "
    "below 0, does it. Start again with a lower rate, or look at how the layer is initialised.",
    "blocked": "All of its gradient has to come through a ReLU whose units are all off.",
    "deaf": "All that it is multiplied by is 0, and so is its gradient.",
    "done": "Where the loss is 0 there is nothing to learn from this batch.",
    "zero": "No element of it changes the loss, as the backward functions say. Either one of them "
    "returns zeros (v compares it with the loss), or what it is multiplied by is 0 for every "
    "example, or everything after it is saturated.",
    "too fast": "A network that trains well changes a weight by about a thousandth of its size a "
    "batch, a hundredth is still common. Here a few batches replace all that it had learned. A "
    "tenth of the rate is worth a try.",
    "vanishes": "On the way down from the loss each layer has made the gradient smaller: the first "
    "layers stand still while the last ones learn. Sigmoids (slope at most 1/4) and small weights "
    "do it; ReLUs, larger initial weights, a normalisation or a way around the layers help.",
    "explodes": "On the way down from the loss each layer has made the gradient larger: large "
    "weights do it. Smaller initial weights, a normalisation, or clipping the gradient's norm "
    "(Training(..., clip_grad_norm=1)) help.",
    "dead": "These units were 0 for every example of a whole epoch. Their weights get no gradient, "
    "so most of them never come back. A lower rate from the start leaves more alive.",
    "unmoved": "value - rate x gradient is the value itself: the rate is 0, or the step is smaller "
    "than the last digit of a float32 (about 1e-7 of the value).",
    "off": "Units off: they are 0 for every example of this batch; for others they may be on. Some "
    "such units are usual.",
    "hears": "From the units off: a weight that is multiplied by what is 0 gets a gradient of 0.",
}
"""By the kind of a verdict."""
